/** An instruction whose arguments are not parsed yet. */
export interface Statement {
  /** In capitals. */
  keyword: string;
  /** Such as `--from=build`, in order. */
  flags: string[];
  /** What follows the flags, on one line. */
  rest: string;
  /** The lines of its here-documents. */
  heredoc: string;
  /** Counted from 1. */
  line: number;
  /** The part of it that versions of BuildKit may interpret differently. */
  unclear?: string | undefined;
}

/**
 * Splits a Dockerfile into statements as BuildKit does, in linear time.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerfile/parser/parser.go
 */
export function readStatements(text: string): Statement[] {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => line.replace(/(?<!\r)\r+$/, ""));
  const mark = escapeOf(lines);
  const statements: Statement[] = [];
  let index = 0;
  while (index < lines.length) {
    const first = index;
    let [joined, isOpen, isDoubtful] = ["", true, false];
    while (isOpen && index < lines.length) {
      const line = lines[index] ?? "";
      const content = trimStart(line);
      const isFirst = index === first;
      index += 1;
      const isComment = content === "" || content.startsWith("#");
      if (isComment && isFirst) break;
      if (isComment) continue;
      const whole = isFirst ? content : line;
      const end = whole.replace(/(?<![ \t])[ \t]+$/, "");
      isOpen = end.endsWith(mark);
      isDoubtful ||= end.endsWith(mark + mark);
      joined += isOpen ? end.slice(0, -1) : whole;
    }
    if (trimStart(joined) === "") continue;
    const statement = splitStatement(joined, first + 1);
    if (isDoubtful) statement.unclear ??= `a line that ends in ${mark}${mark}`;
    statements.push(statement);
    index = takeHeredocs(statement, joined, lines, index);
  }
  return statements;
}

/** Go's unicode.IsSpace, which differs from JavaScript's `\s`. */
const leadingBlanks = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
export const trimStart = (text: string): string => text.replace(leadingBlanks, "");

/** @returns The character that continues a line, from the parser directives at the top. */
export function escapeOf(lines: readonly string[]): "\\" | "`" {
  for (const line of lines) {
    const [, name = "", value] =
      /^#\s*(syntax|escape|check)\s*=\s*(\S+)/i.exec(trimStart(line)) ?? [];
    if (value === undefined) break;
    if (name.toLowerCase() === "escape") return value === "`" ? "`" : "\\";
  }
  return "\\";
}

/** Splits a statement into its keyword, its flags and the rest. */
export function splitStatement(joined: string, line: number): Statement {
  const [, keyword = "", after = ""] =
    /^([^\t\v\f\r ]*)[\t\v\f\r ]*(.*)$/s.exec(trimStart(joined)) ?? [];
  const flags: string[] = [];
  const flag = /[\t-\r ]*(--[^\t-\r ]*)/y;
  let end = 0;
  for (let match = flag.exec(after); match !== null; match = flag.exec(after)) {
    flags.push(match[1] ?? "");
    end = flag.lastIndex;
  }
  // BuildKit removes quotes and escapes from a flag, and compares bytes, not characters
  const isDoubtful = (word: string): boolean => word === "--" || /[^!-~]|["'\\]/.test(word);
  const doubtful = /^[!-~]*$/.test(keyword) ? flags.find(isDoubtful) : keyword;
  return {
    keyword: keyword.toUpperCase(),
    flags,
    rest: after.slice(end).trim(),
    heredoc: "",
    line,
    ...(doubtful !== undefined && { unclear: doubtful }),
  };
}

/**
 * Reads the lines of a statement's here-documents into it.
 * @param joined The whole statement.
 * @param index The line after it.
 * @returns The line after its here-documents.
 */
function takeHeredocs(
  statement: Statement,
  joined: string,
  lines: readonly string[],
  index: number,
): number {
  const { keyword, rest } = statement;
  if (!/^(ADD|COPY|RUN|ONBUILD)$/.test(keyword) || !joined.includes("<<")) return index;
  if (execFormOf(rest) !== undefined) return index;
  const words = joined.split(/\s+/);
  const delimiter = /^\d*<<(-?)(["']?)([A-Za-z][A-Za-z\d]*)\2$/;
  const others = words.filter((word) => !delimiter.test(word)).join(" ");
  // Within quotes, or after an open quote, it does not begin a here-document
  const isDoubtful = /<<|["'\\$`]/.test(others) || /[^\t-\r -~]/.test(joined);
  if (isDoubtful || keyword === "ONBUILD") statement.unclear ??= "<<";
  let next = index;
  for (const [, dash, , name] of words.map((word) => delimiter.exec(word) ?? [])) {
    if (name === undefined) continue;
    const body: string[] = [];
    const isEnd = (line: string): boolean => (dash ? line.replace(/^\t+/, "") : line) === name;
    while (next < lines.length && !isEnd(lines[next] ?? "")) body.push(lines[next++] ?? "");
    if (next === lines.length) statement.unclear ??= `<<${name} without its end`;
    next += 1;
    statement.heredoc += `${body.join("\n")}\n`;
  }
  return next;
}

/** To Docker, anything but a JSON array of strings is a shell command. */
export function execFormOf(content: string): string[] | undefined {
  if (!content.startsWith("[")) return undefined;
  try {
    const parsed: unknown = JSON.parse(content);
    const isExecForm = Array.isArray(parsed) && parsed.every((word) => typeof word === "string");
    return isExecForm ? parsed : undefined;
  } catch {
    return undefined;
  }
}
