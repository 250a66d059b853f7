import { type CheerioAPI, load } from "cheerio/slim";
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { withDeadline } from "../lib/deadline";
import { parseDockerfile, type Stage } from "../lib/dockerfile";
import { type Directive, parseNginxConf } from "../lib/nginx-conf";
import { type Finding, failed } from "./point";

/** Far more than a file of the course has. The depth of YAML and HTML bounds our stack. */
const max = {
  characters: 100_000,
  page: 1_000_000,
  levels: 200,
  values: 100_000,
  yaml: { brackets: 200, indentation: 100, indicators: 100 },
};

/** A compose file, as its documents and as plain values. */
export interface Yaml {
  documents: readonly Document[];
  values: readonly unknown[];
  lines: LineCounter;
}

/**
 * Parses YAML.
 * @param text Undefined if the file is too large to be read.
 * @throws {Error} that says in the learner's terms what is wrong, after `line 5: ` if that is known.
 */
export function readYaml(text: string | undefined): Yaml {
  return bounded(text, max.characters, "parsing its YAML", (known) => {
    requireShallow(known);
    const lines = new LineCounter();
    const options = {
      lineCounter: lines,
      logLevel: "silent",
      merge: true,
      // Both take quadratic time; Compose itself refuses a key that is there twice
      prettyErrors: false,
      uniqueKeys: false,
      // What Compose makes of !!binary and the like is not what yaml makes of it
      resolveKnownTags: false,
    } as const;
    const documents: Document[] = parseAllDocuments(known, options);
    for (const { errors, warnings } of documents) {
      const [problem] = [
        ...errors,
        ...warnings.filter(({ code }) => code === "TAG_RESOLVE_FAILED"),
      ];
      if (problem === undefined) continue;
      const { line } = lines.linePos(problem.pos[0]);
      throw new Error(`line ${line}: it is no YAML: ${problem.message}`);
    }
    const values = documents.map(toPlain);
    // Compose unfolds them, and takes minutes and gigabytes for it
    if (countValues(values) > max.values) throw new Error("its aliases unfold without measure");
    return { documents, values, lines };
  });
}

function toPlain(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: -1 });
  } catch (error) {
    throw new Error(`it is no YAML: ${(error as Error).message}`);
  }
}

/** @returns How many values there are, with every alias unfolded; no end of them in a cycle. */
function countValues(value: unknown, known = new Map<unknown, number>()): number {
  if (typeof value !== "object" || value === null) return 1;
  let count = known.get(value);
  if (count === undefined) {
    known.set(value, Number.POSITIVE_INFINITY);
    count = 1;
    for (const inner of Object.values(value)) count += countValues(inner, known);
    known.set(value, count);
  }
  return count;
}

/** Bounds how deep the parser can get, whatever the text turns out to mean. */
function requireShallow(text: string): void {
  const { brackets, indentation, indicators } = max.yaml;
  if (/^%/m.test(text))
    throw new Error("it begins a line with %: Compose files have no directives");
  if (text.split(/[[{]/, brackets + 2).length > brackets + 1) {
    throw new Error(`it has more than ${brackets} opening brackets`);
  }
  for (const [index, line] of text.split("\n").entries()) {
    const at = `line ${index + 1}: it`;
    if (line.search(/[^ \t]/) > indentation) throw new Error(`${at} is indented too deep`);
    // A collection can begin behind each of them
    if (line.split(/[-?:](?=\s|$)/, indicators + 2).length > indicators + 1) {
      throw new Error(`${at} has more than ${indicators} keys or list items`);
    }
  }
}

/**
 * Parses a Dockerfile.
 * @returns Its stages, see {@link parseDockerfile}.
 * @throws {Error} as {@link readYaml} does.
 */
export const readStages = (text: string | undefined): [Stage, ...Stage[]] =>
  bounded(text, max.characters, "parsing it", parseDockerfile);

/**
 * Parses an nginx conf.
 * @throws {Error} as {@link readYaml} does.
 */
export const readDirectives = (text: string | undefined): Directive[] =>
  bounded(text, max.characters, "parsing it", parseNginxConf);

/**
 * Parses a page, and looks at it within the same bounds.
 * @returns What `look` returns.
 * @throws {Error} as {@link readYaml} does.
 */
export function readHtml<T>(html: string | undefined, look: ($: CheerioAPI, html: string) => T): T {
  return bounded(html, max.page, "reading the page", (known) => {
    const $ = load(known);
    let nodes = $.root().contents().toArray();
    for (let level = 1; nodes.length > 0; level += 1) {
      if (level > max.levels)
        throw new Error(`its elements are more than ${max.levels} levels deep`);
      nodes = nodes.flatMap((node) => ("children" in node ? node.children : []));
    }
    return look($, known);
  });
}

/** The verdict on a file that one of the functions above cannot read. */
export function unreadable(error: unknown, hint: string, file: string): Finding {
  const { message } = error as Error;
  const [, line, problem] = /^line (\d+): (.*)$/s.exec(message) ?? [];
  const cause = (problem ?? message).slice(0, 300);
  return failed(cause, hint, { file, ...(line && { line: Number(line) }) });
}

function bounded<T>(
  text: string | undefined,
  maxCharacters: number,
  what: string,
  parse: (text: string) => T,
): T {
  if (text === undefined || text.length > maxCharacters) {
    throw new Error(`it is larger than ${maxCharacters / 1_000} kB`);
  }
  // What the byte order marks of UTF-16 become when they are read as UTF-8
  if (text.startsWith("\u{fffd}\u{fffd}")) throw new Error("it is UTF-16; save it as UTF-8");
  if (text.includes("\0")) throw new Error("it holds zero bytes; save it as text, in UTF-8");
  return withDeadline(() => parse(text), { for: what });
}
