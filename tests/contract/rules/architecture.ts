import type { Directive } from "../../../tools/lib/nginx-conf";
import { codeSpansIn } from "./markdown";

/** Blocks whose lines are values, not directives. */
const tables = ["map"];

/** @returns The names of a conf's directives, each once. */
export function directiveNames(conf: readonly Directive[]): string[] {
  const names = conf.flatMap(({ name, block = [] }) => [
    name,
    ...(tables.includes(name) ? [] : directiveNames(block)),
  ]);
  return [...new Set(names)];
}

/** @returns The keys of a parsed YAML document, at any depth, each once. */
export function keysOf(node: unknown): string[] {
  if (node === null || typeof node !== "object") return [];
  const own = Array.isArray(node) ? [] : Object.keys(node);
  return [...new Set([...own, ...Object.values(node).flatMap(keysOf)])];
}

/**
 * Finds a section by its heading.
 * @returns Its text, with its subsections.
 * @throws {Error} where there is none.
 */
export function sectionOf(markdown: string, heading: string): string {
  const lines = markdown.split("\n");
  const start = lines.indexOf(heading);
  if (start === -1) throw new Error(`there is no section ${heading}`);
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const length = lines
    .slice(start + 1)
    .findIndex((line) => new RegExp(`^#{1,${level}} `).test(line));
  return lines.slice(start, length === -1 ? undefined : start + 1 + length).join("\n");
}

/** Where GitHub shows `|` in a table, the file has `\|`. */
const spansOf = (markdown: string): string[] =>
  codeSpansIn(markdown).map((span) => span.replaceAll("\\|", "|"));

/** @returns Those of the names with which no code of a section begins. */
export function unexplained(section: string, names: readonly string[]): string[] {
  const spans = spansOf(section);
  return names.filter(
    (name) =>
      !spans.some((span) => span.startsWith(name) && /^(?![\w.-])/.test(span.slice(name.length))),
  );
}

/**
 * Code in the first column of a section's tables is quoted from a file.
 * @returns What the file does not have, or no longer.
 */
export function misquoted(section: string, file: string): string[] {
  const firstCells = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => /^\|((?:[^|\\]|\\.)*)\|/.exec(line)?.[1] ?? "");
  const said = file.replace(/\s+/g, " ");
  return spansOf(firstCells.join("\n")).filter((span) => !said.includes(span));
}

/**
 * A figure is measured in one place and repeated in others, which have to follow it.
 * @param sources The texts that hold the figures, and those that are explained.
 * @returns The figures in a text's tables that no source has; the first column is quoted, not measured.
 */
export function uncoveredFigures(markdown: string, sources: readonly string[]): string[] {
  const said = sources.join("\n").replace(/\s+/g, " ");
  const cells = markdown
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.replace(/^\|(?:[^|\\]|\\.)*\|/, ""));
  const figures = cells.flatMap((cell) =>
    Array.from(
      cell.matchAll(/(?<![\d.,])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)? (?:ms|MB))\b/g),
      ([, figure = ""]) => figure,
    ),
  );
  return figures.filter((figure) => !new RegExp(`(?<![\\d.,])${figure}\\b`).test(said));
}
