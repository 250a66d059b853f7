import { describe, expect, it } from "vitest";
import { judge, type Probe } from "../../tools/faults/judge";
import { probes } from "../../tools/faults/stacks";

const [api, page] = probes as [Probe, Probe];
const site = '<!doctype html><h1 id="dynamic-content"></h1></html>\n';

const response = (status: number, body: string, headers = {}) => ({ status, body, headers });

describe("a response", () => {
  it("with the expected body is served", () => {
    const served = { outcome: "served", status: 200 };
    expect(judge(api, response(200, "Hello, World!"))).toEqual(served);
    expect(judge(page, response(200, site))).toEqual(served);
  });

  it.each([
    ["a longer greeting", api, response(200, "Hello, World!\n"), /^wrong body \(14 characters\)/],
    ["half a greeting", api, response(200, "Hello"), /^wrong body \(5 characters\): "Hello"$/],
    ["a truncated page", page, response(200, site.slice(0, 45)), /^wrong body/],
    ["another page", page, response(200, "<html></html>"), /^wrong body/],
    ["a server error", api, response(500, "Hello, World!"), /^status 500$/],
  ])("with %s is lost", (_, probe, given, reason) => {
    const expected = { outcome: "lost", reason: expect.stringMatching(reason) };
    expect(judge(probe, given)).toMatchObject(expected);
  });
});

describe("a 503", () => {
  const [retry, noStore] = [{ "retry-after": "1" }, { "cache-control": "no-store" }];
  const type = (value: string) => ({ "content-type": value });
  const [text, html] = [type("text/plain"), type("text/html")].map((own) => {
    return { ...retry, ...noStore, ...own };
  });

  it.each([
    ["text", api, "Try again.\n", text],
    ["JSON", api, "{}", { ...text, ...type("application/json; charset=utf-8") }],
    ["a page", page, "<p>Away</p>", html],
  ])("in well-formed %s is a rejection", (_, probe, body, headers) => {
    expect(judge(probe, response(503, body, headers)).outcome).toBe("rejected");
  });

  it.each([
    ["without Retry-After", api, "x", { ...noStore, ...type("text/plain") }],
    ["without Content-Type", api, "x", { ...retry, ...noStore }],
    ["of type text/html", api, "x", html],
    ["of type text/plain", page, "x", text],
    ["without a body", api, "\n", text],
    ["without Cache-Control: no-store", api, "x", { ...retry, ...type("text/plain") }],
    ["without Cache-Control: no-store", page, "x", { ...html, "cache-control": "max-age=60" }],
  ])("%s is lost", (defect, probe, body, headers) => {
    const lost = { outcome: "lost", status: 503, reason: `503 ${defect}` };
    expect(judge(probe, response(503, body, headers))).toEqual(lost);
  });
});
