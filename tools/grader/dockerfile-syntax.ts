import { escapeOf, trimStart } from "../lib/dockerfile-statements";

/** @returns The lines, and how many of them come before the first instruction. */
function split(dockerfile: string): { lines: string[]; leading: number } {
  // BuildKit removes one byte order mark; any other one must go, too
  const lines = dockerfile.replace(/^\uFEFF+/, "").split("\n");
  const first = lines.findIndex((line) => !/^(#|\/\/|\{|$)/.test(trimStart(line)));
  return { lines, leading: first === -1 ? lines.length : first };
}

/**
 * Removes the directives of a Dockerfile, in every form. With `syntax`, BuildKit would download and
 * run a frontend, a program that decides what the build may do.
 * https://docs.docker.com/build/buildkit/frontend/
 * @returns The same instructions on the same lines; of the directives, only `# escape` stays.
 */
export function neutralize(dockerfile: string): string {
  const { lines, leading } = split(dockerfile);
  const first = escapeOf(lines) === "`" ? "# escape=`" : "#";
  const blank = lines
    .slice(0, leading)
    .map((line, index) => (index === 0 ? first : trimStart(line) && "#"));
  return [...blank, ...lines.slice(leading)].join("\n");
}

/**
 * Finds the frontend that a Dockerfile asks for, in every form that a version of BuildKit accepts
 * and in some that none does.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerfile/parser/directives.go
 * @returns Its image, or the unreadable text; undefined for Docker's own frontend.
 */
export function foreignSyntax(dockerfile: string): string | undefined {
  if (/^\uFFFD\uFFFD|\0/.test(dockerfile)) return "something that is not UTF-8";
  const { lines, leading } = split(dockerfile);
  const line = lines
    .slice(0, leading)
    .map((text) => trimStart(text).trimEnd())
    .find((text) => /^\{|^\/\/|syntax.*=/i.test(text) && !isDockersOwn(text));
  if (line === undefined) return undefined;
  if (line.startsWith("{")) return "JSON";
  return (/=\s*(\S+)/.exec(line)?.[1] ?? line).slice(0, 100);
}

function isDockersOwn(line: string): boolean {
  const image = /^#[ \t]*syntax[ \t]*=[ \t]*(\S+)$/i.exec(line)?.[1] ?? "";
  return /^(docker\.io\/)?docker\/dockerfile(-upstream)?([:@][\w.:-]+)?$/.test(image);
}
