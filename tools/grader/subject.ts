import path from "node:path";
import { lastStage, type Stage } from "../lib/dockerfile";
import type { ComposeModel } from "./compose-model";
import { readStages, type Yaml } from "./read";
import { readText, type TaskFolder } from "./repository";
import type { Running, Sandbox } from "./sandbox";

/** What an image is for. */
export const roles = ["back-end", "front-end", "proxy"] as const;
export type Role = (typeof roles)[number];

/** One task under judgement: what it consists of, and what has been made of it so far. */
export interface Subject {
  folder: TaskFolder;
  sandbox: Sandbox;
  /** The folder of each role's image, from the task's folder; `.` is the task's folder itself. */
  contexts: Partial<Record<Role, string>>;
  images: Partial<Record<Role, string>>;
  running: Partial<Record<Role, Running>>;
  /** The front page in a browser, as PNG, once it has been seen. */
  picture?: Buffer;
  /** From task4 on, once the compose file has been read. */
  stack?: StackSubject;
}

export interface StackSubject {
  /** From the task's folder. */
  file: string;
  /** As it is written. */
  yaml: Yaml;
  /** As Compose reads it. */
  model: ComposeModel;
  /** The service of each role. */
  services: Partial<Record<Role, string>>;
  /** Once it has been started. */
  up?: Up;
}

/** A stack as the grader runs it: isolated, under a project name of its own. */
export interface Up {
  project: string;
  /** The isolated compose file. */
  file: string;
}

/** The text's name for nginx's configuration of the front-end. */
export const confName = "softy-pinko-front-end.conf";

/** @returns The front-end's conf, from the task's folder. */
export function findConf({ folder, contexts }: Subject): string | undefined {
  const context = contexts["front-end"] ?? "front-end";
  const wanted = path.posix.join(context, confName);
  if (folder.entries.get(wanted) === "file") return wanted;
  return [...folder.entries.keys()].find(
    (file) => file.startsWith(`${context}/`) && file.endsWith(".conf"),
  );
}

/** A path as the learner knows it, from the graded repository's root. */
export const shown = ({ folder }: Subject, ...parts: string[]): string =>
  path.posix.normalize(path.posix.join(folder.name, ...parts));

/**
 * Finds in the API's program what a finding is about.
 * @returns The first place in its files that matches; its folder where there is none.
 */
export function locateInProgram(
  subject: Subject,
  pattern: RegExp,
): { file: string; line?: number } {
  const context = subject.contexts["back-end"] ?? "back-end";
  const isOwn = (file: string): boolean => context === "." || file.startsWith(`${context}/`);
  for (const file of subject.folder.entries.keys()) {
    if (!isOwn(file) || !/\.(py|js|mjs|cjs|ts|mts|cts|go|rb|php|java|rs)$/.test(file)) continue;
    const lines = (readText(subject.folder, file) ?? "").split("\n");
    const index = lines.findIndex((line) => pattern.test(line));
    if (index !== -1) return { file: shown(subject, file), line: index + 1 };
  }
  return { file: shown(subject, context) };
}

/**
 * Finds where an image's Dockerfile copies a file to.
 * @param name The file's own name, without a folder.
 */
export function copyOf(
  subject: Subject,
  role: Role,
  name: string,
): { to: string; line: number } | undefined {
  const { stages } = readDockerfile(subject, role) ?? {};
  const copies = stages === undefined ? [] : lastStage(stages).instructions;
  for (const { keyword, args, line } of copies) {
    if (keyword !== "COPY" && keyword !== "ADD") continue;
    const [to = "", ...from] = args.toReversed();
    if (!from.some((source) => path.posix.basename(source) === name)) continue;
    return { to: to.endsWith("/") ? path.posix.join(to, name) : to, line };
  }
  return undefined;
}

/** @returns The line of the last such instruction of a role's Dockerfile. */
export function lineOfInstruction(
  subject: Subject,
  role: Role,
  ...keywords: string[]
): { line?: number } {
  const { stages } = readDockerfile(subject, role) ?? {};
  const found = stages
    ?.flatMap(({ instructions }) => instructions)
    .filter(({ keyword }) => keywords.includes(keyword))
    .at(-1);
  return found === undefined ? {} : { line: found.line };
}

/** @returns A role's Dockerfile and its stages; what it says where it is none. */
export function readDockerfile(
  subject: Subject,
  role: Role,
): { file: string; text: string; stages: [Stage, ...Stage[]] } | undefined {
  const context = subject.contexts[role];
  if (context === undefined) return undefined;
  const file = path.posix.join(context, "Dockerfile");
  const text = readText(subject.folder, file);
  if (text === undefined) return undefined;
  try {
    return { file, text, stages: readStages(text) };
  } catch {
    return undefined;
  }
}

/** @returns The image that a Dockerfile starts from in the end, followed through its stages. */
export function baseOf(stages: readonly [Stage, ...Stage[]]): string {
  let { base } = lastStage(stages);
  for (let step = 0; step < stages.length; step += 1) {
    const earlier = stages.find(({ name }) => name === base);
    if (earlier === undefined) break;
    ({ base } = earlier);
  }
  return base;
}

/** @returns An image's name without registry, tag and digest: `docker.io/library/nginx:1` is nginx. */
export const repositoryOf = (image: string): string =>
  image.replace(/^(docker\.io\/)?(library\/)?/, "").split(/[:@]/, 1)[0] ?? "";

/**
 * Finds the folders of a task's roles: by the course's names, otherwise by what is in them.
 */
export function findContexts({ task, entries, ...folder }: TaskFolder): Subject["contexts"] {
  if (task === "task0" || task === "task1") return { "back-end": "." };
  const whole = { task, entries, ...folder };
  const contexts: Subject["contexts"] = {};
  const candidates = [...entries.keys()]
    .filter((file) => path.posix.basename(file) === "Dockerfile" && file.includes("/"))
    .map((file) => path.posix.dirname(file))
    .filter((context) => context.split("/").length <= 2);
  for (const role of roles) {
    if (entries.has(role)) contexts[role] = role;
  }
  for (const context of candidates) {
    if (Object.values(contexts).includes(context)) continue;
    const role = roleOfContext(whole, context);
    contexts[role] ??= context;
  }
  return contexts;
}

/** Tells an image's role by its base and its files: nginx with pages, nginx without, or a program. */
export function roleOfContext(folder: TaskFolder, context: string): Role {
  const lines = (readText(folder, path.posix.join(context, "Dockerfile")) ?? "").split("\n");
  if (!lines.some((line) => /^\s*FROM\s+\S*nginx/i.test(line))) return "back-end";
  const hasPage = [...folder.entries.keys()].some(
    (file) => file.startsWith(`${context}/`) && file.endsWith(".html"),
  );
  const hasSite = [...folder.entries].some(
    ([file, kind]) => file.startsWith(`${context}/`) && kind !== "file" && /front/.test(file),
  );
  return hasPage || hasSite ? "front-end" : "proxy";
}
