/**
 * One directive of an nginx conf: a simple one ends with `;`, a block directive holds others.
 * https://nginx.org/en/docs/beginners_guide.html#conf_structure
 */
export interface Directive {
  name: string;
  /** Without their quotes and escapes. */
  args: string[];
  /** Where its name stands, counted from 1. */
  line: number;
  block?: Directive[];
}

interface Token {
  kind: "word" | "punctuation";
  text: string;
  line: number;
}

/** nginx itself knows three or four levels. It keeps whoever walks the blocks from recursing deep. */
const maxDepth = 50;

/**
 * Reads an nginx conf, or a file that one includes. Knows no directive by name.
 * @returns Its directives, in order.
 * @throws {Error} that names the line, where braces, quotes or semicolons do not pair up.
 */
export function parseNginxConf(text: string): Directive[] {
  const top: Directive[] = [];
  const open: Directive[] = [];
  let words: Token[] = [];
  const noWordsMayWait = (): void => {
    const [name] = words;
    if (name !== undefined) fail(name.line, `"${name.text}" lacks its ";"`);
  };

  for (const token of tokenize(text)) {
    if (token.kind === "word") {
      words.push(token);
    } else if (token.text === "}") {
      noWordsMayWait();
      if (open.pop() === undefined) fail(token.line, '"}" closes nothing');
    } else {
      const [name, ...args] = words;
      if (name === undefined) fail(token.line, `"${token.text}" stands without a directive`);
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
  noWordsMayWait();
  const unclosed = open.at(-1);
  if (unclosed !== undefined) fail(unclosed.line, `"${unclosed.name} {" is never closed`);
  return top;
}

/** @returns Those of the directives, at any depth, that have a name. */
export function findDirectives(directives: readonly Directive[], name: string): Directive[] {
  return directives.flatMap((directive) => [
    ...(directive.name === name ? [directive] : []),
    ...findDirectives(directive.block ?? [], name),
  ]);
}

/**
 * As nginx's own reader does: a quote or `#` means something only where a word begins, and `${`
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
