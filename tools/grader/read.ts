import { type CheerioAPI, load } from "cheerio/slim";
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { withDeadline } from "../lib/deadline";
import { parseDockerfile, type Stages } from "../lib/dockerfile";
import { type Directive, findUnterminated, parseNginxConf } from "../lib/nginx-conf";
import { fail, Judgement } from "./point";

/** Far more than a file of the course has. */
const max = { characters: 100_000, page: 1_000_000, values: 100_000 };

const saveAsUtf8 = "Save it as UTF-8.";

/** What is wrong with a file, and what to do about it: `--hints where` shows only the former. */
class Unreadable extends Error {
  constructor(
    cause: string,
    readonly hint: string,
  ) {
    super(cause);
  }
}

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
    if (/^%/m.test(known)) throw new Error("a line begins with %: Compose has no directives");
    const lines = new LineCounter();
    const options = {
      lineCounter: lines,
      logLevel: "silent",
      merge: true,
      // Both take quadratic time; Compose itself rejects a duplicate key
      prettyErrors: false,
      uniqueKeys: false,
      // Compose and the yaml package resolve tags such as !!binary differently
      resolveKnownTags: false,
    } as const;
    const documents: Document[] = parseAllDocuments(known, options);
    for (const { errors, warnings } of documents) {
      const tags = warnings.filter(({ code }) => code === "TAG_RESOLVE_FAILED");
      const [problem] = [...errors, ...tags];
      if (problem === undefined) continue;
      rejectOddCharacters(known);
      const { line } = lines.linePos(problem.pos[0]);
      throw new Error(`line ${line}: it is not valid YAML: ${problem.message}`);
    }
    const values = documents.map((document) => document.toJS({ maxAliasCount: -1 }) as unknown);
    // Compose expands them, which takes minutes and gigabytes
    if (countValues(values) > max.values) throw new Error("its aliases expand to too many values");
    return { documents, values, lines };
  });
}

/** @returns The number of values with every alias expanded; infinite for a cycle. */
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

/** Parses a Dockerfile; throws as {@link readYaml} does. */
export const readStages = (text: string | undefined): Stages =>
  bounded(text, max.characters, "parsing it", (known) => parseDockerfile(withPlainSpaces(known)));

/** @returns A text that a shell reads; throws as {@link readYaml} does. */
export const readCommands = (text: string | undefined): string =>
  bounded(text, max.characters, "reading it", withPlainSpaces);

/** Parses an nginx conf; throws as {@link readYaml} does, for a missing semicolon too. */
export const readDirectives = (text: string | undefined): Directive[] =>
  bounded(text, max.characters, "parsing it", (known) => {
    if (known.startsWith("\uFEFF")) {
      const cause = "it begins with a byte order mark, which nginx does not read";
      throw new Unreadable(cause, "Save it as UTF-8 without a byte order mark.");
    }
    const directives = parseNginxConf(withPlainSpaces(known));
    const open = findUnterminated(directives);
    if (open !== undefined) throw new Error(`line ${open.line}: "${open.name}" lacks its ";"`);
    return directives;
  });

/**
 * Parses a page, and inspects it within the same bounds.
 * @throws {Error} as {@link readYaml} does; what `inspect` throws.
 */
export const readHtml = <T>(text: string | undefined, inspect: (page: CheerioAPI) => T): T =>
  bounded(text, max.page, "reading the page", (known) => inspect(load(known)));

/** @throws {Error} for what looks right in an editor: Latin-1, or a space that is none. */
export function rejectOddCharacters(text: string): void {
  for (const [index, line] of text.split("\n").entries()) {
    const it = `line ${index + 1}: it`;
    if (line.includes("\uFFFD")) throw new Unreadable(`${it} is not UTF-8`, saveAsUtf8);
    if (!line.includes("\u00A0")) continue;
    throw new Unreadable(`${it} has a non-breaking space`, "Type a space instead.");
  }
}

/** @returns The text, if it has no non-breaking space outside comments and quotes. */
function withPlainSpaces(text: string): string {
  const read = text.split("\n").map((line) => (/^\s*#|["'].*\u00A0/.test(line) ? "" : line));
  rejectOddCharacters(read.join("\n").replaceAll("\uFFFD", ""));
  return text;
}

/**
 * Calls one of the functions above; if the file is unreadable, that is the check's finding.
 * @param hint What to do, unless the error has a better hint.
 */
export function readOrFail<T>(file: string, hint: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Judgement) throw error;
    const { message, hint: better = hint } = error as Partial<Unreadable> & Error;
    const [, line, problem] = /^line (\d+): (.*)$/s.exec(message) ?? [];
    const cause = (problem ?? message).slice(0, 300);
    fail(cause, better, { file, ...(line && { line: Number(line) }) });
  }
}

/** Bounds the size of a text, and the time and the stack that reading it takes. */
function bounded<T>(
  text: string | undefined,
  maxCharacters: number,
  what: string,
  read: (text: string) => T,
): T {
  if (text === undefined || text.length > maxCharacters) {
    throw new Error(`it is larger than ${maxCharacters / 1_000} kB`);
  }
  // What the byte order marks of UTF-16 become when they are read as UTF-8
  if (text.startsWith("\u{fffd}\u{fffd}")) throw new Unreadable("it is UTF-16", saveAsUtf8);
  if (text.includes("\0")) {
    throw new Unreadable("it contains NUL bytes, as UTF-16 does", saveAsUtf8);
  }
  try {
    return withDeadline(() => read(text), what);
  } catch (error) {
    throw error instanceof RangeError ? new Error("it is nested too deep") : error;
  }
}
