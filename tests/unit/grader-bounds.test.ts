import { describe, expect, it } from "vitest";
import { readDirectives, readHtml, readStages, readYaml } from "../../tools/grader/read";

const readHeadings = (html: string) => readHtml(html, ($) => $("h1").text());

const readers: Record<string, (text: string) => unknown> = {
  YAML: readYaml,
  "a Dockerfile": readStages,
  "a conf": readDirectives,
  "a page": readHeadings,
};

/** @returns Repetitions that fill the largest text that is parsed. */
const full = (part: string, size = 100_000): string => part.repeat(Math.floor(size / part.length));

const each = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

/** A text that overflows the stack of a parser, or takes it quadratic time. */
const hostile: Record<string, string> = {
  "opening brackets": "[".repeat(20_000),
  "maps in maps": full("{a: "),
  keys: each(10_000, (index) => `k${index}: 1`),
  lists: full("- "),
  "complex keys": `${"? ".repeat(100)}a`,
  "an alias bomb": each(19, (n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(n === 0 ? 0 : 9)}]`),
  "blocks in blocks": "a {".repeat(30_000),
  "one long word after FROM": `FROM ${"a".repeat(99_000)}`,
  quotes: full('"', 20_000),
  "continued lines": `FROM x\nRUN a${full("\\\n").slice(20)}`,
  "here-documents": `FROM x\n${full("RUN <<A <<B <<C\nA\nB\nC\n").slice(50)}`,
  "here-documents without an end": `FROM x\nRUN ${full("<<A ").slice(50)}\n`,
  "very many stages": full("FROM a\n"),
};

const hostilePages: Record<string, string> = {
  "elements in elements": "<div>".repeat(5_000),
  attributes: `<a ${each(100_000, (index) => `a${index}=1`)}>`,
  "formatting elements": `${each(900, (index) => `<b a=${index}>`)}${full("<p>a", 900_000)}`,
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
  it.each(Object.entries(hostilePages))("with %s", (_, html) => settle(readHeadings, html));
});
