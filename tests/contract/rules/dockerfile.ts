import path from "node:path";
import type { Stage } from "../../../tools/lib/dockerfile";

type Stages = [Stage, ...Stage[]];

/** A path without what does not matter: `./conf`, `conf` and `conf/` are the same. */
const plain = (file: string): string => path.posix.normalize(file).replace(/(?<=.)\/$/, "");

const manifest = /^package(-lock)?\.json$/;

/**
 * Where npm is used: as locked (`npm ci`), before the sources are copied, so that the layer is
 * built anew only when the packages change.
 * https://docs.docker.com/build/cache/optimize/#order-your-layers
 */
export function npmProblems(stages: Stages, dockerignore: string | undefined): string[] {
  const problems: string[] = [];
  const copied = new Map<string, string[]>();
  let usesNpm = false;
  for (const stage of stages) {
    const files = [...(copied.get(stage.base) ?? [])];
    if (stage.name !== undefined) copied.set(stage.name, files);
    for (const { keyword, args, flags, line } of stage.instructions) {
      if (keyword === "COPY" && !("from" in flags)) files.push(...args.slice(0, -1).map(plain));
      const command = keyword === "RUN" ? args.join(" ") : "";
      if (!/\bnpm (ci|i|install|add)\b/.test(command)) continue;
      usesNpm = true;
      if (!/\bnpm ci\b/.test(command)) problems.push(`line ${line}: installs without the lock`);
      if (!files.includes("package-lock.json")) problems.push(`line ${line}: no lock file yet`);
      const sources = files.filter((file) => !manifest.test(file));
      if (sources.length > 0) problems.push(`line ${line}: installs after copying ${sources}`);
    }
  }
  const ignored = (dockerignore ?? "").split("\n").map((line) => line.trim());
  if (usesNpm && !ignored.includes("node_modules")) {
    problems.push(".dockerignore does not name node_modules");
  }
  return problems;
}

/** Each task folder stands alone: nothing is copied from outside the build context. */
export function contextProblems(stages: Stages): string[] {
  const isOutside = (source: string): boolean =>
    source.includes("://") || plain(source).split("/")[0] === "..";
  return stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword, flags }) => /^(COPY|ADD)$/.test(keyword) && !("from" in flags))
    .filter(({ args }) => args.slice(0, -1).some(isOutside))
    .map(({ line }) => `line ${line}: takes files from outside the folder`);
}
