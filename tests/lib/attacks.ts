import { foreignHost, groups, nameless, pipelined } from "./attack-tables";
import type { Exchange, RawAnswer, RawClient } from "./raw-http";

export { foreignHost, pipelined, smuggled } from "./attack-tables";

/** A hostile or malformed use of a connection, and what may come of it. */
export interface Attack {
  /** Its group and what is sent, shortened. */
  name: string;
  /** Stands in its paths; no answer repeats it. */
  id: string;
  pieces: string[];
  client: RawClient;
  /** A pattern for what {@link outcomeOf} says. */
  expected: string;
  /** Paths of the API that are requests of their own, by rights, and must each be served once. */
  pipelined: string[];
}

export type Group = keyof typeof groups;

export const groupNames = Object.keys(groups) as Group[];

/**
 * Says what came of an attack, for instance `400`, `200 400` or `200 open`.
 * @returns The statuses of all answers; `cut` after one that ends in its middle, `bare` for bytes
 *   that are no HTTP/1 answer, `nothing` for none at all; then, unless the server closed the
 *   connection, how it is left.
 */
export function outcomeOf({ answers, rest, ended }: Exchange): string {
  const words = answers.map(({ status, complete }) => `${status}${complete ? "" : " cut"}`);
  if (rest !== "") words.push(isBeginning(rest) ? "cut" : "bare");
  if (words.length === 0) words.push("nothing");
  if (ended !== "closed") words.push(ended === "quiet" ? "open" : ended);
  return words.join(" ");
}

/**
 * Finds what is wrong with the outcome of an attack.
 * @param pages Everything that the site may answer with 200, each byte one character.
 */
export function problemsOf(attack: Attack, made: Exchange, pages: ReadonlySet<string>): string[] {
  const outcome = outcomeOf(made);
  const isError = (text: string): boolean => /<title>(4\d\d|501|505) /.test(text);
  const isOfTheSite = ({ body, complete }: RawAnswer): boolean =>
    body === "" || (complete ? pages.has(body) : [...pages].some((page) => page.startsWith(body)));
  const problems = made.answers.flatMap((answer) => [
    // 501 and 505 are about the request, too: an unknown transfer coding or version of HTTP
    ...(answer.status >= 500 && ![501, 505].includes(answer.status)
      ? [`the status is ${answer.status}`]
      : []),
    ...(answer.status === 200 && !isOfTheSite(answer) ? ["the body is none of the site"] : []),
    ...problemsOfHeaders(answer.headers),
  ]);
  return [
    ...problems,
    ...(new RegExp(`^(?:${attack.expected})$`).test(outcome)
      ? []
      : [`expected ${attack.expected}, not ${outcome}`]),
    ...(isBeginning(made.rest) || pages.has(made.rest) || isError(made.rest)
      ? []
      : ["what came without a status is none of the site"]),
    ...[attack.id, foreignHost]
      .filter((text) => made.received.includes(text))
      .map((text) => `it repeats ${text}`),
  ].map((problem) => `${problem}: ${attack.name}`);
}

/** Whether bytes are the beginning of an answer with 200 whose headers are not all there. */
function isBeginning(bytes: string): boolean {
  const first = "HTTP/1.1 200 ";
  return first.startsWith(bytes) || (bytes.startsWith(first) && !bytes.includes("\r\n\r\n"));
}

function problemsOfHeaders(headers: RawAnswer["headers"]): string[] {
  return [
    ...(headers.server === "nginx" ? [] : [`the server says that it is ${headers.server}`]),
    ...["x-powered-by", "x-injected", "set-cookie"]
      .filter((name) => name in headers)
      .map((name) => `there is a header ${name}`),
    ...(/^\/(?![/\\])/.test(headers.location ?? "/") ? [] : [`it leads to ${headers.location}`]),
  ];
}

/**
 * Finds the requests in an API server's log, one line each.
 * @param start How their paths begin.
 * @returns The paths, one for each time that it was served.
 */
export function servedPaths(log: string, start: string): string[] {
  // What a client says of itself stands before the time; a quote in it would be escaped
  const lines = log.matchAll(/^[^"]*\[[^\]"]*\] "[A-Z]+ ([^ "]*) HTTP\/1\.\d" \d{3}/gm);
  return Array.from(lines, ([, path = ""]) => path).filter((path) => path.startsWith(start));
}

/** Says what is sent in a line, without its repetitions and most of its middle. */
function shortened(bytes: string): string {
  const text = JSON.stringify(bytes.slice(0, 10_000).replace(/(.{1,12}?)\1{9,}/gs, "$1…"));
  return text.length > 220 ? `${text.slice(0, 150)}…${text.slice(-60)}` : text;
}

/**
 * All attacks of a group, from its tables.
 * @param run Up to eight letters that tell the names of one run from another's.
 */
export function attacksOf(group: Group, run: string): Attack[] {
  return groups[group]().map(([bytes, expected, client = {}], index) => {
    const id = `${run}-${group.replace(" ", "")}-${index}`.padEnd(nameless.length, "-");
    const pieces = [bytes].flat().map((piece) => piece.replaceAll(nameless, id));
    const whole = pieces.join("");
    const found = whole.matchAll(new RegExp(`${pipelined}[\\w-]+`, "g"));
    return {
      name: `${group} ${index}: ${shortened(whole)}`,
      id,
      pieces,
      client,
      expected,
      pipelined: Array.from(found, ([path]) => path),
    };
  });
}
