import { foreignHost, groups, nameless, pipelined } from "./attack-tables";
import type { Exchange, RawClient, RawResponse } from "./raw-http";

export { foreignHost, pipelined, smuggled } from "./attack-tables";

/** A hostile or malformed use of a connection, and its expected outcome. */
export interface Attack {
  /** Its group and what is sent, shortened. */
  name: string;
  /** Part of its paths; no response repeats it. */
  id: string;
  pieces: string[];
  client: RawClient;
  /** A pattern for the result of {@link outcomeOf}. */
  expected: string;
  /** Paths of ordinary pipelined requests, which must be served once each. */
  pipelined: string[];
}

type Group = keyof typeof groups;

export const groupNames = Object.keys(groups) as Group[];

/**
 * Describes the outcome of an attack, for instance `400`, `200 400` or `200 open`.
 * @returns The statuses of all responses; `cut` after an incomplete one, `bare` for bytes that are
 *   not an HTTP/1 response, `nothing` without any; then, unless the server closed the connection,
 *   its state.
 */
export function outcomeOf({ responses, rest, ended }: Exchange): string {
  const words = responses.map(({ status, complete }) => `${status}${complete ? "" : " cut"}`);
  if (rest !== "") words.push(isBeginning(rest) ? "cut" : "bare");
  if (words.length === 0) words.push("nothing");
  if (ended !== "closed") words.push(ended === "quiet" ? "open" : ended);
  return words.join(" ");
}

/**
 * Finds what is wrong with the outcome of an attack.
 * @param pages Every body that the site may send with 200, each byte one character.
 */
export function problemsOf(
  { name, id, expected, pieces }: Attack,
  exchange: Exchange,
  pages: ReadonlySet<string>,
): string[] {
  const { responses, rest, received } = exchange;
  const outcome = outcomeOf(exchange);
  const isExpected = new RegExp(`^(?:${expected})$`).test(outcome);
  const isError = /<title>(4\d\d|501|505) /.test(rest);
  const isOfApi = responses.length === 1 && /^[A-Z]+ \/api\//.test(pieces.join(""));
  const problems = [
    !isExpected && `expected ${expected}, not ${outcome}`,
    !(isBeginning(rest) || pages.has(rest) || isError) &&
      "bytes without a status are not the site's",
    ...[id, foreignHost].map((text) => received.includes(text) && `the response repeats ${text}`),
    ...responses.flatMap((response) => responseProblems(response, isOfApi, pages)),
  ];
  return problems.filter((problem) => problem !== false).map((problem) => `${problem}: ${name}`);
}

/** Whether bytes are the beginning of a response with 200, without all of its headers. */
function isBeginning(bytes: string): boolean {
  const first = "HTTP/1.1 200 ";
  return first.startsWith(bytes) || (bytes.startsWith(first) && !bytes.includes("\r\n\r\n"));
}

function responseProblems(
  { status, headers, body, complete }: RawResponse,
  isOfApi: boolean,
  pages: ReadonlySet<string>,
): (string | false)[] {
  const isPage =
    body === "" ||
    pages.has(body) ||
    (!complete && [...pages].some((page) => page.startsWith(body)));
  const unwanted = ["x-powered-by", "x-injected", "set-cookie"];
  // nginx adds these to its own errors and to those of the servers
  const ofErrors = ["content-security-policy", "referrer-policy", "x-content-type-options"];
  const { server, location = "/" } = headers;
  const isError = status >= 400;
  return [
    // 501 and 505 are for an unknown transfer coding or version of HTTP
    status >= 500 && ![501, 505].includes(status) && `the status is ${status}`,
    status === 200 && !isPage && "the body is not the site's",
    server !== "nginx" && `the server names itself ${server}`,
    !/^\/(?![/\\])/.test(location) && `it redirects to ${location}`,
    ...unwanted.map((name) => name in headers && `it has a header ${name}`),
    isError && headers["cache-control"] !== "no-store" && "the error can be cached",
    ...ofErrors.map((name) => isError && !(name in headers) && `the error has no ${name}`),
    isOfApi &&
      [405, 411, 413].includes(status) &&
      !("access-control-allow-origin" in headers) &&
      "other origins cannot read the error",
  ];
}

/**
 * Finds requests in an API server's log.
 * @param start How their paths begin.
 * @returns The paths, one for each time that it was served.
 */
export function servedPaths(log: string, start: string): string[] {
  // The user name, which a client chooses, comes before the time; a quote in it is escaped
  const lines = log.matchAll(/^[^"]*\[[^\]"]*\] "[A-Z]+ ([^ "]*) HTTP\/1\.\d" \d{3}/gm);
  return Array.from(lines, ([, path = ""]) => path).filter((path) => path.startsWith(start));
}

/** Bytes in one line, without repetitions and most of the middle. */
function shortened(bytes: string): string {
  const text = JSON.stringify(bytes.slice(0, 10_000).replace(/(.{1,12}?)\1{9,}/gs, "$1…"));
  return text.length > 220 ? `${text.slice(0, 150)}…${text.slice(-60)}` : text;
}

/**
 * All attacks of a group.
 * @param run Up to eight letters that tell this run's requests from another's.
 */
export function attacksOf(group: Group, run: string): Attack[] {
  return groups[group]().map(([bytes, expected, client = {}], index) => {
    const id = `${run}-${group.replace(" ", "")}-${index}`.padEnd(nameless.length, "-");
    const pieces = [bytes].flat().map((piece) => piece.replaceAll(nameless, id));
    const all = pieces.join("");
    const paths = all.match(new RegExp(`${pipelined}[\\w-]+`, "g")) ?? [];
    const name = `${group} ${index}: ${shortened(all)}`;
    return { name, id, pieces, client, expected, pipelined: [...paths] };
  });
}
