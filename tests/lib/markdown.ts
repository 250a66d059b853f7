import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";

/** All nodes of a Markdown text, in order. https://github.com/syntax-tree/mdast */
function nodesOf(node: Nodes): Nodes[] {
  return [node, ...("children" in node ? node.children.flatMap(nodesOf) : [])];
}

/** @returns The texts of code blocks and of code between backticks. */
export function codeIn(markdown: string): string[] {
  return nodesOf(fromMarkdown(markdown)).flatMap((node) =>
    node.type === "code" || node.type === "inlineCode" ? [node.value] : [],
  );
}

/** A block of shell commands that the tests run, from the repository's root. */
export interface Runnable {
  script: string;
  line: number | undefined;
  /** What it must print; a line `…` stands for any number of lines. */
  output: string | undefined;
}

/** What stands in the comment before a block, as in `<!-- test: run -->`. */
export type Mark = "run" | "run on an engine" | "output";

/**
 * Finds the `sh` blocks directly after a comment with the mark; the next block may show the output.
 * @throws {Error} if a comment that looks like a mark has no effect.
 */
export function runnablesIn(markdown: string, mark: Mark): Runnable[] {
  const nodes = nodesOf(fromMarkdown(markdown));
  const isMark = (index: number, ...wanted: Mark[]): boolean => {
    const node = nodes[index];
    return node?.type === "html" && wanted.some((name) => node.value === `<!-- test: ${name} -->`);
  };
  const blocks = nodes.flatMap((node, index) => (node.type === "code" ? [{ node, index }] : []));
  let marks = 0;
  const runnables = blocks.flatMap(({ node, index }, position): Runnable[] => {
    if (node.lang !== "sh" || !isMark(index - 1, "run", "run on an engine")) return [];
    const next = blocks[position + 1];
    const isShown = next !== undefined && isMark(next.index - 1, "output");
    marks += isShown ? 2 : 1;
    if (!isMark(index - 1, mark)) return [];
    const output = isShown ? next.node.value : undefined;
    return [{ script: node.value, line: node.position?.start.line, output }];
  });
  const comments = nodes.filter((node) => node.type === "html" && /<!--\s*test/i.test(node.value));
  if (comments.length !== marks) throw new Error(`${comments.length - marks} marks have no effect`);
  return runnables;
}

/** @returns Whether a program's stdout is what a block shows. */
export function isShownAs(stdout: string, output: string): boolean {
  const escaped = output.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = escaped.replace(/^ *…\n/gm, "(?:.*\n)*").replace(/\n *…$/, "(?:\n.*)*");
  return new RegExp(`^${pattern}$`).test(stdout.trim());
}
