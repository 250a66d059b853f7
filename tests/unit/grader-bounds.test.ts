import { describe, expect, it } from "vitest";
import { readDirectives, readHtml, readStages, readYaml } from "../../tools/grader/read";

const readers: Record<string, (text: string) => unknown> = {
  YAML: readYaml,
  "a Dockerfile": readStages,
  "a conf": readDirectives,
  "a page": (html) => readHtml(html, ($) => $("h1").text()),
};

/** @returns Repetitions that fill the largest text that is parsed. */
const full = (part: string, size = 100_000): string => part.repeat(Math.floor(size / part.length));

const each = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

const hostile: Record<string, string> = {
  "blank lines": full("\n", 50_000),
  "blanks and lines": full(" \n"),
  "carriage returns": full("\r"),
  spaces: full(" "),
  "opening brackets": "[".repeat(20_000),
  "brackets of the maximum depth": `${"[".repeat(200)}${"]".repeat(200)}`,
  commas: `[${full(",").slice(2)}]`,
  "maps in maps": full("{a: "),
  keys: each(10_000, (index) => `k${index}: 1`),
  lists: full("- "),
  "lists of the maximum depth": `${"- ".repeat(100)}a`,
  "complex keys": `${"? ".repeat(100)}a`,
  indentation: each(100, (index) => `${" ".repeat(index)}a:`),
  "an alias bomb": each(19, (n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(n === 0 ? 0 : 9)}]`),
  "blocks in blocks": "a {".repeat(30_000),
  "blocks after blocks": full("a { } "),
  "one long line": "a".repeat(100_000),
  "one long word after FROM": `FROM ${"a".repeat(99_000)}`,
  quotes: full('"', 20_000),
  "single quotes": full("'"),
  backslashes: full("\\"),
  "continued lines": `FROM x\nRUN a${full("\\\n").slice(20)}`,
  comments: full("#\n"),
  "here-documents": `FROM x\n${full("RUN <<A <<B <<C\nA\nB\nC\n").slice(50)}`,
  "here-documents without an end": `FROM x\nRUN ${full("<<A ").slice(50)}\n`,
  "very many instructions": `FROM x\n${full("RUN a\n").slice(20)}`,
  "very many stages": full("FROM a\n"),
  "if in if": full("if ($a) { "),
  "zero bytes": full("\0"),
  "UTF-16": Buffer.from("\uFEFFservices: {}\n", "utf16le").toString(),
  "a text that is too long": "a".repeat(1_000_001),
};

const hostilePages: Record<string, string> = {
  "elements in elements": "<div>".repeat(5_000),
  attributes: `<a ${each(100_000, (index) => `a${index}=1`)}>`,
  "formatting elements": `${each(900, (index) => `<b a=${index}>`)}${full("<p>a", 900_000)}`,
  scripts: full("<script>", 1_000_000),
  entities: full("&amp", 1_000_000),
  comments: full("<!--", 1_000_000),
};

/** Reads a text. A result and an Error are fine; an overflow of the stack is not. */
function settle(read: (text: string) => unknown, text: string): void {
  try {
    read(text);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(RangeError);
  }
}

describe.each(Object.entries(readers))("reading %s ends", (_, read) => {
  it.each(Object.entries(hostile))("with %s", (_, text) => settle(read, text));
});

describe("reading a page ends", () => {
  it.each(Object.entries(hostilePages))("with %s", (_, html) => {
    settle((text) => readHtml(text, ($) => $("h1").text()), html);
  });
});
