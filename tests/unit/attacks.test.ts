import { describe, expect, it } from "vitest";
import {
  type Attack,
  attacksOf,
  foreignHost,
  groupNames,
  outcomeOf,
  problemsOf,
  servedPaths,
  smuggled,
} from "../lib/attacks";
import { type Exchange, parseAnswers } from "../lib/raw-http";

const made = (received: string, ended: Exchange["ended"] = "closed"): Exchange => ({
  ...parseAnswers(received),
  received,
  ended,
  ms: 1,
});

const answer = (status: number, body: string, ...headers: string[]): string =>
  [
    `HTTP/1.1 ${status} X`,
    "Server: nginx",
    `Content-Length: ${body.length}`,
    ...headers,
    "",
    body,
  ].join("\r\n");

describe("the outcome of an attack", () => {
  it.each([
    ["400", answer(400, "no"), "closed"],
    ["200 400", answer(200, "yes") + answer(400, "no"), "closed"],
    ["200 open", answer(200, "yes"), "quiet"],
    ["200 cut", answer(200, "yes").slice(0, -1), "closed"],
    ["200 cut reset", answer(200, "yes").slice(0, -1), "reset"],
    ["200 cut", answer(200, "yes") + answer(200, "yes").slice(0, 30), "closed"],
    ["cut", "HTTP", "closed"],
    ["bare", "HTTP is what this is about", "closed"],
    ["bare", "<html>", "closed"],
    ["nothing", "", "closed"],
    ["nothing late", "", "late"],
    ["nothing left", "", "left"],
  ] as const)("%s", (outcome, received, ended) => {
    expect(outcomeOf(made(received, ended))).toBe(outcome);
  });
});

describe("the checks of an attack", () => {
  const attack: Attack = {
    name: "it",
    id: "id-of-it",
    pieces: [],
    client: {},
    expected: "200|301|400|bare",
    pipelined: [],
  };
  const pages = new Set(["a page"]);
  const found = (received: string, ended?: Exchange["ended"], expected = attack.expected) =>
    problemsOf({ ...attack, expected }, made(received, ended), pages);

  it.each([
    ["the page", answer(200, "a page")],
    ["the beginning of the page, cut off", answer(200, "a page").slice(0, -1), "200 cut"],
    ["a refusal", answer(400, "<title>400 Bad Request</title>")],
    ["a way to another page", answer(301, "", "Location: /images/")],
    ["the page in HTTP/0.9", "a page"],
    [
      "an unknown version of HTTP",
      answer(505, "<title>505 HTTP Version Not Supported</title>"),
      "505",
    ],
    ["a refusal in HTTP/0.9", "<html><title>400 Bad Request</title>"],
  ])("are content with %s", (_, received, expected = attack.expected) => {
    expect(found(received, "closed", expected)).toEqual([]);
  });

  it.each([
    ["something else than expected", answer(404, ""), "expected 200|301|400|bare, not 404"],
    ["a failure that is expected", answer(500, ""), "the status is 500", "500"],
    ["a part of what is expected", answer(200, "a page"), "expected 2, not 200", "2"],
    ["another file", answer(200, "root:x:0:0"), "the body is none of the site"],
    [
      "the beginning of another file",
      answer(200, "root:x:0:0").slice(0, -1),
      "the body is none of the site",
      "200 cut",
    ],
    ["another file in HTTP/0.9", "root:x:0:0", "what came without a status is none of the site"],
    ["its own path", answer(400, "id-of-it"), "it repeats id-of-it"],
    ["a foreign host", answer(400, `//${foreignHost}`), `it repeats ${foreignHost}`],
    ["a way to another host", answer(301, "", "Location: //x"), "it leads to //x"],
    ["the same for lenient browsers", answer(301, "", "Location: /\\x"), "it leads to /\\x"],
    ["a whole address", answer(301, "", "Location: http://x/"), "it leads to http://x/"],
    [
      "a header of the attacker",
      answer(400, "", "X-Injected: yes"),
      "there is a header x-injected",
    ],
    ["a cookie", answer(400, "", "Set-Cookie: a"), "there is a header set-cookie"],
    [
      "the server's version",
      answer(400, "").replace("nginx", "nginx/1.30"),
      "the server says that it is nginx/1.30",
    ],
  ])("find %s", (_, received, problem, expected?: string) => {
    expect(found(received, "closed", expected)).toEqual([`${problem}: it`]);
  });

  it("find a connection that stays open", () => {
    expect(found(answer(400, ""), "quiet")).toEqual([
      "expected 200|301|400|bare, not 400 open: it",
    ]);
  });
});

describe("the requests in a log", () => {
  const line = (path: string, user = "-"): string =>
    `172.20.0.5 - ${user} [21/Nov/2026:06:29:06 +0000] "GET ${path} HTTP/1.1" 404 10`;

  it("are found, each time that they are there", () => {
    const log = ["Listening on http://0.0.0.0:5252", line("/api/hello"), line(`${smuggled}1`)];
    expect(servedPaths(`${log.join("\n")}\n${line(`${smuggled}1`)}\n`, smuggled)).toEqual([
      `${smuggled}1`,
      `${smuggled}1`,
    ]);
  });

  it("are not what a client says of itself", () => {
    const forged = `x\\n9.9.9.9 - - [now] \\"GET ${smuggled}1 HTTP/1.1\\" 200 13`;
    expect(servedPaths(line("/api/hello", forged), smuggled)).toEqual([]);
    // Where the log let it begin a line of its own, that would be found
    expect(servedPaths(line("/api/hello", JSON.parse(`"${forged}"`)), smuggled)).toHaveLength(1);
  });
});

describe("the tables of attacks", () => {
  const all = groupNames.flatMap((group) => attacksOf(group, "run"));

  it("tell each attack from every other", () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ id }) => id.length))).toEqual(new Set([24]));
  });

  it("expect a refusal, a page or an end, and no failure but 501 and 505", () => {
    expect(all.length).toBeGreaterThan(1_000);
    expect(all.filter(({ expected }) => /5(?!01|05)\d\d|late|reset/.test(expected))).toEqual([]);
  });

  it("hide requests in others, and know those that are there by rights", () => {
    expect(all.filter(({ pieces }) => pieces.join("").includes(smuggled)).length).toBeGreaterThan(
      300,
    );
    expect(all.filter(({ pipelined }) => pipelined.length > 0).length).toBeGreaterThan(20);
  });
});
