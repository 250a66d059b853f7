import { describe, expect, it } from "vitest";
import { parseNginxConf } from "../../tools/lib/nginx-conf";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import { headerProblems, nestedHeaders, policiesOf, policyProblems } from "./rules/policy";

const confOf = (file: string) => parseNginxConf(readRepositoryFile("production", file));

describe("the headers of production", async () => {
  const failover = confOf("proxy/failover.conf");
  const headers = confOf("proxy/headers.conf");
  const others = ["forwarded", "limits", "proxy"].flatMap((name) => confOf(`proxy/${name}.conf`));

  it("are in every response of the proxy", () => {
    expect(headerProblems(headers)).toEqual([]);
  });

  it("are replaced in one place, by all of them", () => {
    expect(nestedHeaders([...headers, ...others])).toEqual([]);
    expect([...new Set(nestedHeaders(failover))].sort()).toEqual([
      "Cache-Control",
      "Content-Security-Policy",
      "Referrer-Policy",
      "Retry-After",
      "X-Content-Type-Options",
    ]);
  });

  it("allow nothing where the response has no policy of its own", () => {
    expect(policiesOf(headers)).toEqual(["default-src 'none'; frame-ancestors 'none'"]);
  });

  const site = "production/front-end/softy-pinko-front-end";
  const pages = (await listRepositoryFiles(site))
    .filter((file) => file.endsWith(".html"))
    .map((file) => `${site}/${file}`)
    .sort();

  it("have a policy for the front page and the load balancer's", () => {
    expect(pages).toEqual([`${site}/index.html`, `${site}/load-balancer.html`]);
  });

  it.each([
    ["front-end/softy-pinko-front-end.conf", pages],
    ["proxy/failover.conf", ["production/proxy/away.html"]],
  ])("allow exactly what the pages need: %s, %s", (file, files) => {
    const policies = policiesOf(confOf(file));
    expect(policies).toHaveLength(1);
    const texts = files.map((page) => readRepositoryFile(page));
    expect(policyProblems(policies[0] ?? "", ...texts)).toEqual([]);
  });
});

describe("a policy fails", () => {
  const html = "<h1>Hi</h1><script>f()</script><script src='a.js'></script><style>a{}</style>";
  const policy =
    "default-src 'none'; script-src 'self' 'sha256-GcEEE0IkDzIP5EQ6DXZaDPORqT5RTBELX8Fyzyg9yvo='; " +
    "style-src 'self' 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; " +
    "form-action mailto:; base-uri 'none'; frame-ancestors 'none'";

  it("in nothing when it keeps the rules", () => {
    expect(policyProblems(policy, html)).toEqual([]);
  });

  it.each([
    ["a way round it", "'self'", "'self' 'unsafe-inline'", ["script-src allows 'unsafe-inline'"]],
    ["eval", "'self'", "'unsafe-eval' 'self'", ["script-src allows 'unsafe-eval'"]],
    ["another host", "'self'", "'self' cdn.example", ["script-src allows cdn.example"]],
    ["every host", "'self'", "'self' *", ["script-src allows *"]],
    ["a scheme", "'self'", "'self' https:", ["script-src allows https:"]],
    ["data", "'self'", "'self' data:", ["script-src allows data:"]],
    ["no script of its own", "script-src 'self'", "script-src", ["script-src lacks 'self'"]],
    ["a default", "default-src 'none'", "default-src 'self'", ["default-src is not 'none'"]],
    ["frames", "; frame-ancestors 'none'", "", ["frame-ancestors is not 'none'"]],
    ["a base", "base-uri 'none'; ", "", ["base-uri is not 'none'"]],
    ["a hash too few", /'sha256-G\S+'/, "", ["script-src lacks 'sha256-GcEE"]],
    [
      "a stale hash",
      "GcEEE0",
      "GcEEE1",
      ["script-src lacks 'sha256-GcEEE0", "script-src has 'sha256-GcEEE1"],
    ],
    ["a hash without its end", "9yvo='", "9yvo'", ["allows 'sha256-", "lacks", "is nobody's"]],
    ["a style's hash too few", /'sha256-X\S+'/, "", ["style-src lacks 'sha256-X1Ru"]],
  ])("with %s", (_, from, to, problems) => {
    expect(policyProblems(broken(policy, from, to), html)).toEqual(
      problems.map((problem) => expect.stringContaining(problem)),
    );
  });

  it("for one of two pages when it fails for that one alone", () => {
    const other = "<link rel='icon' href='i.svg'><p style='top:0'></p><script src='b.js'></script>";
    expect(policyProblems(policy, html, "<p></p>")).toEqual([]);
    expect(policyProblems(policy, html, other)).toEqual([
      "img-src lacks 'self'",
      "the page has an attribute style, which no hash allows",
    ]);
    expect(policyProblems(policy, "<p></p>", html)).toEqual([]);
  });

  it.each([
    ["another script", "f()", "g()", ["script-src lacks", "is nobody's"]],
    ["a script more", "<h1>", "<script>h()</script><h1>", ["script-src lacks"]],
    ["a script less", "<script>f()</script>", "", ["is nobody's"]],
    ["a blank more", "f()", "f() ", ["script-src lacks", "is nobody's"]],
    ["another style", "a{}", "b{}", ["style-src lacks", "is nobody's"]],
    ["a handler", "<h1>", "<h1 onclick='f()'>", ["an attribute onclick"]],
    ["a style of its own", "<h1>", "<h1 style='top:0'>", ["an attribute style"]],
    ["a script for a link", "<h1>", "<h1><a href=' javascript:f()'></a>", ["an attribute href"]],
  ])("for a page with %s", (_, from, to, problems) => {
    expect(policyProblems(policy, broken(html, from, to))).toEqual(
      problems.map((problem) => expect.stringContaining(problem)),
    );
  });
});

describe("the headers of a proxy fail", () => {
  const good = `map $sent_http_content_security_policy $policy {
  "" "default-src 'none'";
}
add_header Content-Security-Policy $policy always;
add_header Referrer-Policy no-referrer always;
add_header X-Content-Type-Options nosniff always;
server {
  location / {
    return 204;
  }
}
`;

  it("in nothing when they keep the rules", () => {
    expect(headerProblems(parseNginxConf(good))).toEqual([]);
    expect(policiesOf(parseNginxConf(good))).toEqual(["default-src 'none'"]);
    expect(policiesOf(parseNginxConf(broken(good, "$policy always", "a always")))).toEqual(["a"]);
  });

  it.each([
    ["one for good answers alone", "nosniff always", "nosniff", "X-Content-Type-Options is not in"],
    ["one too few", /add_header Ref.*\n/, "", "Referrer-Policy is not in every answer"],
  ])("with %s", (_, from, to, problem) => {
    expect(headerProblems(parseNginxConf(broken(good, from, to)))).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it("to be in every response where a location has one of its own", () => {
    expect(nestedHeaders(parseNginxConf(good))).toEqual([]);
    const nested = broken(good, "return 204", "add_header A b; return 204");
    expect(nestedHeaders(parseNginxConf(nested))).toEqual(["A"]);
  });
});
