import { escapeOf, trimStart } from "../lib/dockerfile-statements";

/** @returns The lines, and how many of them come before the first instruction. */
function split(dockerfile: string): { lines: string[]; leading: number } {
  // BuildKit takes off one byte order mark: another would be next
  const lines = dockerfile.replace(/^\uFEFF+/, "").split("\n");
  const first = lines.findIndex((line) => !/^(#|\/\/|\{|$)/.test(trimStart(line)));
  return { lines, leading: first === -1 ? lines.length : first };
}

/**
 * Takes the directives off a Dockerfile, whatever form they have: with `syntax`, BuildKit would fetch
 * a program and run it, and that program decides what the build may do.
 * https://docs.docker.com/build/buildkit/frontend/
 * @returns The same instructions on the same lines, of which only `# escape` is still in force.
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
 * Finds a Dockerfile's wish to be read by another program than Docker's own, in every form that any
 * version of BuildKit knows, and in some that none does.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerfile/parser/directives.go
 * @returns The program's image, or what there is in its place.
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
