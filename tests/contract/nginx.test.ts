import { createHash } from "node:crypto";
import { load } from "cheerio";
import { describe, expect, it } from "vitest";
import { findDirectives, parseNginxConf } from "../../tools/lib/nginx-conf";
import { readRepositoryFile } from "../lib/task-files";

const readConf = (file: string) => parseNginxConf(readRepositoryFile(file));

const policyHeader = "Content-Security-Policy";

type Policy = Record<string, string[]>;

/** The only policy in a conf's `add_header`, by directive, sources sorted. */
function policyIn(file: string): Policy {
  const [policy = "", ...others] = findDirectives(readConf(file), "add_header")
    .filter(({ args }) => args[0] === policyHeader)
    .map(({ args }) => args[1]);
  expect(others).toEqual([]);
  const directives = policy.split("; ").map((directive) => directive.split(" "));
  return Object.fromEntries(directives.map(([name, ...sources]) => [name, sources.sort()]));
}

/** The sources that allow the inline elements of pages, and their own host if they load files. */
function sourcesFor(pages: string[], inline: string, files: string): string[] {
  const documents = pages.map((html) => load(html));
  const texts = documents.flatMap(($) =>
    $(inline)
      .toArray()
      .map((element) => $(element).text()),
  );
  const hashes = texts.map((text) => createHash("sha256").update(text).digest("base64"));
  const own = documents.some(($) => $(files).length > 0) ? ["'self'"] : [];
  return [...own, ...hashes.map((hash) => `'sha256-${hash}'`)].sort();
}

/** What a page's policy must be: nothing is allowed but what the page needs. */
function policyFor(...pages: string[]): Policy {
  const needed = {
    "script-src": sourcesFor(pages, "script:not([src])", "script[src], link[rel=modulepreload]"),
    "style-src": sourcesFor(pages, "style", "link[rel=stylesheet]"),
    "img-src": sourcesFor(pages, "none", "img, link[rel=icon]"),
    "connect-src": sourcesFor(pages, "none", "script"),
    "form-action": pages.some((html) => html.includes('action="mailto:')) ? ["mailto:"] : [],
  };
  const none = ["'none'"];
  return {
    "default-src": none,
    "base-uri": none,
    "frame-ancestors": none,
    ...Object.fromEntries(Object.entries(needed).filter(([, sources]) => sources.length > 0)),
  };
}

describe("the Content-Security-Policy", () => {
  const site = "production/front-end/softy-pinko-front-end";

  it.each([
    [`${site}.conf`, ["index", "load-balancer", "not-found"].map((name) => `${site}/${name}.html`)],
    ["production/proxy/failover.conf", ["production/proxy/away.html"]],
  ])("in %s allows exactly what its pages need", (conf, pages) => {
    const policy = policyFor(...pages.map((page) => readRepositoryFile(page)));
    expect(policyIn(conf)).toEqual(policy);
  });

  it("of a page with scripts, styles and images has their hashes, and 'self' for its files", () => {
    const page = "<script>f()</script><script src='a.js'></script><style>a{}</style>";
    expect(policyFor(page, "<link rel='icon' href='i.svg'>")).toEqual({
      "default-src": ["'none'"],
      "base-uri": ["'none'"],
      "frame-ancestors": ["'none'"],
      "script-src": ["'self'", "'sha256-GcEEE0IkDzIP5EQ6DXZaDPORqT5RTBELX8Fyzyg9yvo='"],
      "style-src": ["'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='"],
      "img-src": ["'self'"],
      "connect-src": ["'self'"],
    });
  });
});

it("away.html never reloads itself, but has a link to its own address", () => {
  const $ = load(readRepositoryFile("production/proxy/away.html"));
  expect($("meta[http-equiv], script")).toHaveLength(0);
  expect($("a[href='']").text()).toBe("Try again");
});

describe("production's proxy", () => {
  const headers = ["headers", "log"].flatMap((name) => readConf(`production/proxy/${name}.conf`));
  const needed = [
    policyHeader,
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Request-ID",
  ];

  it("adds the headers that all need to every response", () => {
    const added = headers.filter(({ name }) => name === "add_header");
    const always = added.filter(({ args }) => args[2] === "always").map(({ args }) => args[0]);
    expect(always).toEqual(expect.arrayContaining(needed));
  });

  it("allows nothing to a response without a policy of its own", () => {
    const map = headers.find(({ args }) => args[1] === "$default_policy");
    const values = map?.block?.map(({ name, args }) => [name, ...args]);
    expect(values).toEqual([["", "default-src 'none'; frame-ancestors 'none'"]]);
  });

  // An add_header in a server or location replaces those of the levels above
  it("replaces them in one location, by all of them", () => {
    const nested = ["failover", "forwarded", "headers", "limits", "log", "proxy"]
      .flatMap((name) => readConf(`production/proxy/${name}.conf`))
      .flatMap(({ args, block = [] }) =>
        findDirectives(block, "add_header").map((header) => [args[0], header.args[0] ?? ""]),
      );
    expect(new Set(nested.map(([location]) => location))).toEqual(new Set(["@front-end-away"]));
    expect(nested.map(([, name]) => name)).toEqual(expect.arrayContaining(needed));
  });
});

it("visitor-counter/nginx.conf gives each visit an ID, so that a repeated one is counted once", () => {
  const headers = findDirectives(readConf("visitor-counter/nginx.conf"), "proxy_set_header");
  expect(headers.map(({ args }) => args)).toContainEqual(["X-Request-ID", "$request_id"]);
});
