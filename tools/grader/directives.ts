import { readFile, writeFile } from "node:fs/promises";
import { DockerfileParser } from "dockerfile-ast";

/**
 * Removes the directives of a Dockerfile, in every form that a version of BuildKit accepts. With
 * `syntax`, BuildKit would download and run a frontend, a program that could change the layers that
 * other builds get from the cache. https://docs.docker.com/build/buildkit/frontend/
 * @returns The same instructions on the same lines; of the directives, only `# escape` stays.
 */
export function withoutDirectives(dockerfile: string): string {
  // BuildKit removes one byte order mark; any other one must go, too
  const lines = dockerfile.replace(/^\uFEFF+/, "").split("\n");
  const first = lines.findIndex((line) => !/^[\s\x85]*(#|\/\/|\{|$)/.test(line));
  const leading = first === -1 ? lines.length : first;
  const isBacktick = DockerfileParser.parse(dockerfile).getEscapeCharacter() === "`";
  const comments = Array.from({ length: leading }, () => "#");
  if (isBacktick) comments[0] = "# escape=`";
  return [...comments, ...lines.slice(leading)].join("\n");
}

/** Removes the directives of a Dockerfile in the grader's copy. */
export async function removeDirectives(file: string): Promise<void> {
  await writeFile(file, withoutDirectives(await readFile(file, "utf8")));
}
