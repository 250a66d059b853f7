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
import { type Exchange, parseResponses } from "../lib/raw-http";

const exchanged = (received: string, ended: Exchange["ended"] = "closed"): Exchange => ({
  ...parseResponses(received),
  received,
  ended,
  ms: 1,
});

const forErrors = [
  "Cache-Control: no-store",
  "Content-Security-Policy: x",
  "Referrer-Policy: x",
  "X-Content-Type-Options: x",
];
const response = (status: number, body = "", ...headers: string[]): string => {
  const lines = [`HTTP/1.1 ${status} X`, "Server: nginx", `Content-Length: ${body.length}`];
  return [...lines, ...forErrors, ...headers, "", body].join("\r\n");
};
const cut = (body: string): string => response(200, body).slice(0, -1);

it.each([
  ["400", response(400, "no"), "closed"],
  ["200 400", response(200, "yes") + response(400, "no"), "closed"],
  ["200 open", response(200, "yes"), "quiet"],
  ["200 cut", cut("yes"), "closed"],
  ["200 cut reset", cut("yes"), "reset"],
  ["200 cut", response(200, "yes") + response(200, "yes").slice(0, 30), "closed"],
  ["cut", "HTTP", "closed"],
  ["bare", "HTTP is what this is about", "closed"],
  ["nothing", "", "closed"],
  ["nothing late", "", "late"],
] as const)("the outcome is %s after %j, %s", (outcome, received, ended) => {
  expect(outcomeOf(exchanged(received, ended))).toBe(outcome);
});

const attackOn = (piece: string): Attack => ({
  name: "it",
  id: "id-of-it",
  pieces: [piece],
  client: {},
  expected: "200|301|400|bare",
  pipelined: [],
});

describe("an attack", () => {
  const attack = attackOn("");
  const problems = (received: string, expected = attack.expected): string[] =>
    problemsOf({ ...attack, expected }, exchanged(received), new Set(["a page"]));

  it.each([
    ["the page", response(200, "a page")],
    ["the beginning of the page", cut("a page"), "200 cut"],
    ["a rejection", response(400, "<title>400 Bad Request</title>")],
    ["a redirect to a path", response(301, "", "Location: /images/")],
    ["the page in HTTP/0.9", "a page"],
    ["an unknown version of HTTP", response(505), "505"],
    ["a rejection in HTTP/0.9", "<html><title>400 Bad Request</title>"],
  ])("may end with %s", (_, received, expected?: string) => {
    expect(problems(received, expected)).toEqual([]);
  });

  it.each([
    ["expected 200|301|400|bare, not 404", response(404)],
    ["expected 2, not 200", response(200, "a page"), "2"],
    ["the status is 500", response(500), "500"],
    ["the body is not the site's", response(200, "root:x:0:0")],
    ["the body is not the site's", cut("root:x:0:0"), "200 cut"],
    ["bytes without a status are not the site's", "root:x:0:0"],
    ["the response repeats id-of-it", response(400, "id-of-it")],
    [`the response repeats ${foreignHost}`, response(400, `//${foreignHost}`)],
    ["it redirects to //x", response(301, "", "Location: //x")],
    ["it redirects to /\\x", response(301, "", "Location: /\\x")],
    ["it redirects to http://x/", response(301, "", "Location: http://x/")],
    ["it has a header x-injected", response(400, "", "X-Injected: yes")],
    ["it has a header set-cookie", response(400, "", "Set-Cookie: a")],
    ["the server names itself nginx/1.30", response(400).replace("nginx", "nginx/1.30")],
    ["the error can be cached", response(400).replace("no-store", "max-age=1")],
    ["the error has no referrer-policy", response(400).replace("Referrer-Policy", "X")],
  ])("has the problem: %s", (problem, received, expected?: string) => {
    expect(problems(received, expected)).toEqual([`${problem}: it`]);
  });
});

it("an error of the API can be read by other origins", () => {
  const problems = (...headers: string[]): string[] => {
    const exchange = exchanged(response(405, "", ...headers));
    const attack = { ...attackOn("PUT /api/hello HTTP/1.1"), expected: "405" };
    return problemsOf(attack, exchange, new Set());
  };
  expect(problems("Access-Control-Allow-Origin: *")).toEqual([]);
  expect(problems()).toEqual(["other origins cannot read the error: it"]);
});

it("a log shows each time that a path was served, but not what a client forges", () => {
  const line = (path: string, user = "-"): string =>
    `172.20.0.5 - ${user} [21/Nov/2026:06:29:06 +0000] "GET ${path} HTTP/1.1" 404 10\n`;
  const path = `${smuggled}1`;
  const log = `Listening on :5252\n${line("/api/hello")}${line(path)}${line(path)}`;
  expect(servedPaths(log, smuggled)).toEqual([path, path]);
  const forged = `x\\n9.9.9.9 - - [now] \\"GET ${path} HTTP/1.1\\" 200 13`;
  expect(servedPaths(line("/api/hello", forged), smuggled)).toEqual([]);
  // An unescaped one would be found
  expect(servedPaths(line("/api/hello", JSON.parse(`"${forged}"`)), smuggled)).toEqual([path]);
});

it("the tables have a thousand attacks, each with an ID of its own, hidden requests among them", () => {
  const all = groupNames.flatMap((group) => attacksOf(group, "run"));
  expect(all.length).toBeGreaterThan(1_000);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(new Set(all.map(({ id }) => id.length))).toEqual(new Set([24]));
  expect(all.filter(({ expected }) => /5(?!01|05)\d\d|late|reset/.test(expected))).toEqual([]);
  const hiding = all.filter(({ pieces }) => pieces.join("").includes(smuggled));
  expect(hiding.length).toBeGreaterThan(250);
  expect(all.filter(({ pipelined }) => pipelined.length > 0).length).toBeGreaterThan(20);
});
