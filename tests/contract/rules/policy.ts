import { createHash } from "node:crypto";
import { load } from "cheerio";
import { type Directive, findDirectives } from "../../../tools/lib/nginx-conf";

const header = "Content-Security-Policy";

/** @returns The policies that a conf adds to responses, by a variable of a map or as they are. */
export function policiesOf(conf: readonly Directive[]): string[] {
  return findDirectives(conf, "add_header")
    .filter(({ args }) => args[0] === header)
    .flatMap(({ args: [, value = ""] }) => {
      if (!value.startsWith("$")) return [value];
      const map = findDirectives(conf, "map").find(({ args }) => args[1] === value);
      return (map?.block ?? []).map(({ args }) => args[0] ?? "");
    });
}

/** Checks that the headers are in every response, errors included. */
export function headerProblems(conf: readonly Directive[]): string[] {
  const needed = [header, "Referrer-Policy", "X-Content-Type-Options"];
  const everywhere = conf.filter(({ name }) => name === "add_header");
  return needed
    .filter((name) => !everywhere.some(({ args }) => args[0] === name && args[2] === "always"))
    .map((name) => `${name} is not in every answer`);
}

/** @returns The names of headers that a level inside adds, where they replace those of the level above. */
export function nestedHeaders(conf: readonly Directive[]): string[] {
  return conf
    .flatMap(({ block = [] }) => findDirectives(block, "add_header"))
    .map(({ args }) => args[0] ?? "");
}

const hashOf = (text: string): string =>
  `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** What a page takes from its own host, by the directive that must allow it. */
const ownFiles = {
  "script-src": "script[src], link[rel=modulepreload]",
  "style-src": "link[rel=stylesheet]",
  "img-src": "img, link[rel=icon]",
};

/**
 * Allows exactly what the pages need that it comes with, and nobody else anything.
 * https://www.w3.org/TR/CSP3/
 * @param pages Their HTML.
 */
export function policyProblems(policy: string, ...pages: string[]): string[] {
  const directives = new Map(
    policy.split(";").map((directive) => {
      const [name = "", ...sources] = directive.trim().split(/\s+/);
      return [name, sources];
    }),
  );
  const documents = pages.map((html) => load(html));
  const hashesOf = (selector: string): string[] =>
    documents.flatMap(($) => Array.from($(selector), (element) => hashOf($(element).text())));
  const inline = {
    "script-src": hashesOf("script:not([src])"),
    "style-src": hashesOf("style"),
  };
  const attributes = documents
    .flatMap(($) => Array.from($("*"), (element) => Object.entries($(element).attr() ?? {})).flat())
    .filter(([name, value]) => /^(on|style$)/.test(name) || /^javascript:/i.test(value.trim()));
  const refused = Object.entries(ownFiles)
    .filter(([name]) => !directives.get(name)?.includes("'self'"))
    .filter(([, selector]) => documents.some(($) => $(selector).length > 0));
  const strange = [...directives].flatMap(([name, sources]) =>
    sources
      .filter((source) => !/^('none'|'self'|'sha256-[\w+/]{43}='|mailto:)$/.test(source))
      .map((source) => `${name} allows ${source}`),
  );
  return [
    ...["default-src", "base-uri", "frame-ancestors"]
      .filter((name) => directives.get(name)?.join() !== "'none'")
      .map((name) => `${name} is not 'none'`),
    ...strange,
    ...refused.map(([name]) => `${name} lacks 'self'`),
    ...Object.entries(inline).flatMap(([name, hashes]) => {
      const listed = (directives.get(name) ?? []).filter((source) => source.startsWith("'sha256-"));
      return [
        ...hashes.filter((hash) => !listed.includes(hash)).map((hash) => `${name} lacks ${hash}`),
        ...listed
          .filter((hash) => !hashes.includes(hash))
          .map((hash) => `${name} has ${hash}, which is nobody's`),
      ];
    }),
    ...attributes.map(([name]) => `the page has an attribute ${name}, which no hash allows`),
  ];
}
