import path from "node:path";
import { type Instruction, lastStage, type Stage } from "../../../tools/lib/dockerfile";

type Stages = [Stage, ...Stage[]];

const of = (stage: Stage, keyword: string): Instruction[] =>
  stage.instructions.filter((instruction) => instruction.keyword === keyword);

/** A path without what does not matter: `./conf`, `conf` and `conf/` are the same. */
const plain = (file: string): string => path.posix.normalize(file).replace(/(?<=.)\/$/, "");

const baseProblems = (stages: Stages, base: string): string[] => {
  const found = lastStage(stages).base;
  return found === base ? [] : [`the last stage is from ${found}, not ${base}`];
};

/** What holds for each image of ours (spec, task 0: based on the latest ubuntu, updated, upgraded). */
export function ubuntuProblems(stages: Stages): string[] {
  const last = lastStage(stages);
  const shell = of(last, "RUN").map(({ args }) => args.join(" "));
  const update = shell.findIndex((command) => /\bapt-get update\b/.test(command));
  const upgrade = shell.findIndex((command) => /\bapt-get upgrade -y\b/.test(command));
  const commands = of(last, "CMD");
  return [
    ...baseProblems(stages, "ubuntu:latest"),
    ...(update === -1 ? ["apt-get update is missing"] : []),
    ...(upgrade === -1 ? ["apt-get upgrade -y is missing"] : []),
    ...(update > upgrade && upgrade !== -1 ? ["apt-get upgrade comes before update"] : []),
    ...(commands.length === 1 ? [] : [`there are ${commands.length} CMDs`]),
    ...commands
      .filter(({ execForm }) => !execForm)
      .map(({ line }) => `line ${line}: CMD is not in exec form, so a shell takes the signals`),
  ];
}

/** Spec, task 1: an ubuntu image, `/app` the working directory; and nobody is root, npm is not there. */
export function backEndProblems(stages: Stages): string[] {
  const last = lastStage(stages);
  const workdir = of(last, "WORKDIR").at(-1)?.args[0];
  const user = of(last, "USER").at(-1)?.args[0];
  return [
    ...ubuntuProblems(stages),
    ...(workdir === "/app" ? [] : [`the working directory is ${workdir}, not /app`]),
    ...(user === undefined || /^(root|0)(:|$)/.test(user) ? ["it runs as root"] : []),
    ...last.instructions.filter(bringsNpm).map(({ line }) => `line ${line}: brings npm along`),
  ];
}

/** Node's image keeps npm in /usr/local/lib/node_modules, with links to it in /usr/local/bin. */
function bringsNpm({ keyword, args, flags }: Instruction): boolean {
  if (args.some((arg) => /\b(npm|npx|corepack|yarn)\b/.test(arg))) return true;
  const sources = keyword === "COPY" && "from" in flags ? args.slice(0, -1).map(plain) : [];
  const homes = ["/usr/local/lib/node_modules", "/usr/local/bin/npm"];
  return sources.some((source) => {
    const folder = source === "/" ? "/" : `${source}/`;
    return homes.some((home) => `${home}/`.startsWith(folder));
  });
}

/**
 * An nginx image with what the course copies into it (spec, tasks 2 and 5).
 * @param copies What must be copied from the folder, and where to.
 */
export function nginxProblems(stages: Stages, copies: Record<string, string>): string[] {
  const found = of(lastStage(stages), "COPY")
    .filter(({ flags }) => !("from" in flags))
    .map(({ args }) => args.map(plain).join(" → "));
  return [
    ...baseProblems(stages, "nginx:latest"),
    ...Object.entries(copies)
      .map((copy) => copy.join(" → "))
      .filter((copy) => !found.includes(copy))
      .map((copy) => `${copy} is not copied`),
  ];
}

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
