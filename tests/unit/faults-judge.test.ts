import { describe, expect, it } from "vitest";
import { type Answer, type Ask, judge } from "../../tools/faults/judge";
import { findProfile } from "../../tools/faults/profiles";

const { asks } = findProfile("production");
const [api, page] = asks as [Ask, Ask];
const whole = '<!doctype html><h1 id="dynamic-content"></h1></html>\n';

const answer = (status: number, body: string, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers,
  body,
});

describe("an answer", () => {
  it.each([
    ["the API's greeting", api, answer(200, "Hello, World!")],
    ["the page", page, answer(200, whole)],
  ])("with %s is served", (_, ask, given) => {
    expect(judge(ask, given)).toEqual({ outcome: "served", status: 200 });
  });

  it.each([
    ["another greeting", api, answer(200, "Hello, World!\n"), /^wrong body \(14 characters\)/],
    ["half a greeting", api, answer(200, "Hello"), /^wrong body \(5 characters\): "Hello"$/],
    ["nothing", api, answer(200, ""), /^wrong body \(0 characters\)/],
    ["the page in place of the greeting", api, answer(200, whole), /^wrong body/],
    ["a page that is cut off", page, answer(200, whole.slice(0, 45)), /^wrong body/],
    ["another page", page, answer(200, "<html></html>"), /^wrong body/],
    ["an error of the server", api, answer(500, "Hello, World!"), /^status 500$/],
    ["an error of the proxy", page, answer(502, whole), /^status 502$/],
    ["a redirection", page, answer(302, ""), /^status 302$/],
    ["no content", api, answer(204, ""), /^status 204$/],
  ])("with %s is lost", (_, ask, given, reason) => {
    const judged = judge(ask, given);
    expect(judged.outcome).toBe("lost");
    expect(judged.reason).toMatch(reason);
  });
});

describe("a 503", () => {
  const away = (type: string) => ({
    "retry-after": "1",
    "cache-control": "no-store",
    "content-type": type,
  });
  const [text, html] = [away("text/plain"), away("text/html")];
  const without = (headers: Answer["headers"], name: string): Answer["headers"] => ({
    ...headers,
    [name]: undefined,
  });

  it.each([
    ["text", api, answer(503, "Try again.\n", text)],
    ["JSON", api, answer(503, "{}", away("application/json; charset=utf-8"))],
    ["a page", page, answer(503, "<p>Away</p>", html)],
  ])("that says when to come back, in %s that nobody keeps, turns away", (_, ask, given) => {
    expect(judge(ask, given)).toEqual({ outcome: "turned away", status: 503 });
  });

  it.each([
    ["Retry-After", api, answer(503, "x", without(text, "retry-after")), "Retry-After"],
    ["a type", api, answer(503, "x", without(text, "content-type")), "of type nothing"],
    ["a type that a program reads", api, answer(503, "x", html), "of type text/html"],
    ["a type that a browser shows", page, answer(503, "x", text), "of type text/plain"],
    ["a body", api, answer(503, "\n", text), "without a body"],
    ["Cache-Control", api, answer(503, "x", without(text, "cache-control")), "no-store"],
    ["no-store", page, answer(503, "x", { ...html, "cache-control": "max-age=60" }), "no-store"],
  ])("without %s is lost", (_, ask, given, reason) => {
    const judged = judge(ask, given);
    expect(judged.outcome).toBe("lost");
    expect(judged.reason).toContain(reason);
  });
});
