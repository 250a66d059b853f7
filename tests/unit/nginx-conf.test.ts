import { describe, expect, it } from "vitest";
import { findDirectives, parseNginxConf } from "../../tools/lib/nginx-conf";

describe("parseNginxConf", () => {
  it("returns directives with their arguments, lines and blocks", () => {
    const conf =
      "# a comment\nuser nginx;\n\nhttp {\n  server {\n    listen 80 default_server;\n  }\n}\n";
    const listen = { name: "listen", args: ["80", "default_server"], line: 6 };
    const server = { name: "server", args: [], line: 5, block: [listen] };
    expect(parseNginxConf(conf)).toEqual([
      { name: "user", args: ["nginx"], line: 2 },
      { name: "http", args: [], line: 4, block: [server] },
    ]);
  });

  it.each([
    ["double quotes keep spaces, braces and semicolons", 'a "b {c};";', ["b {c};"]],
    ["single quotes keep double ones", `a 'say "b"';`, ['say "b"']],
    ["escapes in quotes are undone", 'a "say \\"b\\"\\n";', ['say "b"\n']],
    ["an unknown escape stays", "a ~ \\.svg$;", ["~", "\\.svg$"]],
    ["an empty string is an argument", 'a "";', [""]],
    ["a comment ends a line, not a word", "a b#c # d;\n e;", ["b#c", "e"]],
    ["a quote within a word is part of it", `a b"c';`, [`b"c'`]],
    ["a variable in braces opens no block", `a b\${c}d;`, [`b\${c}d`]],
    ["a line break is a space", "a\n  b\n  c;", ["b", "c"]],
    ["a brace needs no space before it", "a b{}", ["b"]],
  ])("splits arguments: %s", (_, conf, args) => {
    expect(parseNginxConf(conf).map((directive) => directive.args)).toEqual([args]);
  });

  it("counts the lines in quotes", () => {
    expect(parseNginxConf('a "\n\n";\nb;').map(({ line }) => line)).toEqual([1, 4]);
  });

  it("accepts an empty conf", () => {
    expect(parseNginxConf(" \n# nothing\n")).toEqual([]);
  });

  it.each([
    ["a block that is never closed", "a;\nserver {\n  listen 80;\n", 'line 2: "server {" is never'],
    ["a surplus brace", "server {\n}\n}\n", 'line 3: "}" closes nothing'],
    ["no semicolon before a brace", "server {\n  listen 80\n}", 'line 2: "listen" lacks its'],
    ["no semicolon at the end", "a;\nb", 'line 2: "b" lacks its ";"'],
    ["an open quote", 'a;\nb "c;\n', 'line 2: " has no end'],
    ["a backslash at the end", "a \\", "line 1: \\ has no end"],
    ["a semicolon alone", "a;\n;", 'line 2: ";"'],
    ["a block without a name", "{ }", 'line 1: "{"'],
    ["a quote with a tail", 'a "b"c;', 'line 1: nothing may follow "b" without a space'],
  ])("names the line of an error: %s", (_, conf, message) => {
    expect(() => parseNginxConf(conf)).toThrow(message);
  });

  it("findDirectives searches blocks at every depth", () => {
    const conf = parseNginxConf("a 1; b { a 2; c { a 3; } }");
    expect(findDirectives(conf, "a").map(({ args }) => args[0])).toEqual(["1", "2", "3"]);
  });
});
