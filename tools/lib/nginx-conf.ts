/**
 * One directive of an nginx conf: a simple one ends with `;`, a block directive holds others.
 * https://nginx.org/en/docs/beginners_guide.html#conf_structure
 */
export interface Directive {
  name: string;
  /** Without their quotes and escapes. */
  args: string[];
  /** Of its name, counted from 1. */
  line: number;
  block?: Directive[];
}

interface Token {
  kind: "word" | "punctuation";
  text: string;
  line: number;
}

/** nginx itself nests three or four levels. The limit bounds recursion over the blocks. */
const maxDepth = 50;

/**
 * Parses an nginx conf, or a file that one includes, without knowing any directive by name.
 * @returns Its directives, in order.
 * @throws {Error} that names the line, if braces, quotes or semicolons do not match.
 */
export function parseNginxConf(text: string): Directive[] {
  const top: Directive[] = [];
  const open: Directive[] = [];
  let words: Token[] = [];
  const requireNoPendingWords = (): void => {
    const [name] = words;
    if (name !== undefined) fail(name.line, `"${name.text}" lacks its ";"`);
  };

  for (const token of tokenize(text)) {
    if (token.kind === "word") {
      words.push(token);
    } else if (token.text === "}") {
      requireNoPendingWords();
      if (open.pop() === undefined) fail(token.line, '"}" closes nothing');
    } else {
      const [name, ...args] = words;
      if (name === undefined) fail(token.line, `"${token.text}" without a directive`);
      const directive: Directive = {
        name: name.text,
        args: args.map((word) => word.text),
        line: name.line,
      };
      (open.at(-1)?.block ?? top).push(directive);
      if (token.text === "{") open.push(Object.assign(directive, { block: [] }));
      if (open.length > maxDepth) fail(name.line, `blocks are more than ${maxDepth} deep`);
      words = [];
    }
  }
  requireNoPendingWords();
  const unclosed = open.at(-1);
  if (unclosed !== undefined) fail(unclosed.line, `"${unclosed.name} {" is never closed`);
  return top;
}

/** @returns The directives of that name, at any depth. */
export function findDirectives(directives: readonly Directive[], name: string): Directive[] {
  return directives.flatMap((directive) => [
    ...(directive.name === name ? [directive] : []),
    ...findDirectives(directive.block ?? [], name),
  ]);
}

/** Names that begin a line of a conf like the course's, and are never a value in one. */
const lineStarts = new Set(
  "listen server_name root index location proxy_pass proxy_set_header try_files".split(" "),
);

/** @returns A directive without a semicolon: to nginx the next line is more of its arguments. */
export function findUnterminated(directives: readonly Directive[]): Directive | undefined {
  for (const directive of directives) {
    const { name, args, block = [] } = directive;
    // root is a user, too
    if (name !== "user" && args.some((arg) => lineStarts.has(arg))) return directive;
    const nested = findUnterminated(block);
    if (nested !== undefined) return nested;
  }
  return undefined;
}

/**
 * As in nginx's own parser, a quote or `#` is special only at the beginning of a word, and `${`
 * does not open a block. https://github.com/nginx/nginx/blob/master/src/core/ngx_conf_file.c
 */
const tokenPattern =
  /(?<blank>\s+|#[^\n]*)|(?<punctuation>[;{}])|(?<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?<word>(?!["'])(?:\\.|\$\{|[^\s;{\\])+)/sy;

const escapes: Record<string, string> = { t: "\t", r: "\r", n: "\n" };
const withoutEscapes = (text: string): string =>
  text.replace(/\\(["'\\trn])/g, (_, letter: string) => escapes[letter] ?? letter);

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let [offset, line] = [0, 1];
  while (offset < text.length) {
    tokenPattern.lastIndex = offset;
    const match = tokenPattern.exec(text);
    if (match === null) fail(line, `${text[offset]} has no end`);
    const { punctuation, quoted, word } = match.groups ?? {};
    offset += match[0].length;
    if (quoted !== undefined && /[^\s;{)]/.test(text[offset] ?? " ")) {
      fail(line, `nothing may follow ${quoted} without a space`);
    }
    const content = quoted?.slice(1, -1) ?? word;
    if (content !== undefined) tokens.push({ kind: "word", text: withoutEscapes(content), line });
    if (punctuation !== undefined) tokens.push({ kind: "punctuation", text: punctuation, line });
    line += match[0].split("\n").length - 1;
  }
  return tokens;
}

function fail(line: number, problem: string): never {
  throw new Error(`line ${line}: ${problem}`);
}
