import path from "node:path";
import { lastStage, type Stages } from "../lib/dockerfile";
import { type Directive, findDirectives } from "../lib/nginx-conf";
import { dockerfileOf } from "./external-files";
import { fail, type Place, settle } from "./point";
import { readDirectives, readOrFail, readStages } from "./read";
import { readText, type TaskFolder } from "./repository";
import type { Sandbox } from "./sandbox";

/** What an image is for. */
export const roles = ["back-end", "front-end", "proxy"] as const;
export type Role = (typeof roles)[number];
type NginxRole = keyof typeof confNames;

/** Names and paths of the text (spec, tasks 2 and 5). */
export const confNames = { "front-end": "softy-pinko-front-end.conf", proxy: "proxy.conf" };
export const siteFolder = "softy-pinko-front-end";
export const siteInImage = `/var/www/html/${siteFolder}`;
export const confInImage = "/etc/nginx/conf.d/default.conf";

/**
 * A task that is being graded: finds its files and places in them. Paths are relative to its folder.
 * What a check builds or starts of it is a value `perSubject`.
 */
export class Subject {
  /** The build context of each role; `.` is the task's folder itself. */
  readonly contexts: Readonly<Record<Role, string>>;
  /** The front page in a browser, as PNG, once it has been opened. */
  picture: Buffer | undefined;

  constructor(
    readonly folder: TaskFolder,
    readonly sandbox: Sandbox,
  ) {
    this.contexts = findContexts(folder);
  }

  /** @returns A path as the learner knows it, from the graded repository's root. */
  pathOf(file: string): string {
    return path.posix.normalize(path.posix.join(this.folder.name, file));
  }

  at(file: string, line?: number): Place {
    return { file: this.pathOf(file), ...(line !== undefined && { line }) };
  }

  /** @returns The first file for which this is true. */
  find(isWanted: (file: string) => boolean): string | undefined {
    return [...this.folder.entries.keys()].find(isWanted);
  }

  /** @throws {Judgement} if a role has no readable Dockerfile. */
  dockerfile(role: Role): { file: string; text: string; stages: Stages } {
    const context = this.contexts[role];
    const file = dockerfileIn(this.folder, context);
    const place = this.at(file);
    if (this.folder.entries.get(file) === "file") {
      const text = readText(this.folder, file);
      const read = () => readStages(text);
      const stages = readOrFail(this.pathOf(file), "Begin it with FROM.", read);
      return { file, text: text ?? "", stages };
    }
    const isSimilar = /^dockerfile(\.txt)?$/i;
    const similar = this.find((name) => {
      return path.posix.dirname(name) === context && isSimilar.test(path.posix.basename(name));
    });
    if (similar !== undefined) {
      fail(`${similar} is not called Dockerfile`, "Rename it: upper and lower case differ.", place);
    }
    fail(`there is no ${file}`, "Create it there, under exactly this name.", place);
  }

  /**
   * Finds where a role's Dockerfile copies a file or folder to.
   * @param name Without the folder that it is in.
   * @returns An absolute path in the image.
   */
  copyOf(role: Role, name: string): { to: string | undefined; place: Place } {
    const { file, stages } = this.dockerfile(role);
    let workdir = "/";
    for (const { keyword, args, line } of lastStage(stages).instructions) {
      if (keyword === "WORKDIR") workdir = path.posix.resolve(workdir, args[0] ?? "");
      if (keyword !== "COPY" && keyword !== "ADD") continue;
      const [to = "", ...sources] = args.toReversed();
      if (!sources.some((source) => path.posix.basename(source) === name)) continue;
      const isFolder = /(^|\/)\.?$/.test(to);
      const target = path.posix.resolve(workdir, to, isFolder ? name : "");
      return { to: target, place: this.at(file, line) };
    }
    return { to: undefined, place: this.at(file) };
  }

  /** @returns The last instruction with one of the keywords in the API's Dockerfile. */
  atInstruction(...keywords: string[]): Place {
    const { file, stages } = this.dockerfile("back-end");
    const instructions = stages.flatMap((stage) => stage.instructions);
    return this.at(file, instructions.findLast((it) => keywords.includes(it.keyword))?.line);
  }

  /** @returns The path of a role's conf: under the text's name, otherwise under another one. */
  confFile(role: NginxRole): string | undefined {
    const context = this.contexts[role];
    const wanted = `${context}/${confNames[role]}`;
    if (this.folder.entries.get(wanted) === "file") return wanted;
    const isInContext = (file: string): boolean =>
      role === "proxy" ? path.posix.dirname(file) === context : file.startsWith(`${context}/`);
    return this.find((file) => file.endsWith(".conf") && isInContext(file));
  }

  /** @throws {Judgement} if a role's conf is missing or unreadable. */
  conf(role: NginxRole): { file: string; text: string; directives: Directive[] } {
    const file = this.confFile(role);
    if (file === undefined) {
      const place = this.at(`${this.contexts[role]}/${confNames[role]}`);
      fail(`there is no ${confNames[role]}`, "Create it.", place);
    }
    const text = readText(this.folder, file);
    const hint = "nginx ends each directive with a semicolon and each block with a brace.";
    const directives = readOrFail(this.pathOf(file), hint, () => readDirectives(text));
    return { file, text: text ?? "", directives };
  }

  /** @returns The first directive of that name in the front-end's conf. */
  atDirective(name: string): Place {
    const { file, directives } = this.conf("front-end");
    return this.at(file, findDirectives(directives, name)[0]?.line);
  }

  /** @returns The ports on which a role's nginx listens; none if its conf does not tell. */
  listens(role: Role): { port: number; place: Place }[] {
    const conf = role === "back-end" ? undefined : settle(() => this.conf(role)).value;
    if (conf === undefined) return [];
    return findDirectives(conf.directives, "listen").flatMap(({ args, line }) => {
      const port = /^(?:.*:)?(\d+)$/.exec(args[0] ?? "")?.[1];
      return port === undefined ? [] : [{ port: Number(port), place: this.at(conf.file, line) }];
    });
  }

  /**
   * Finds the front page: the outermost index.html of the front-end.
   * @throws {Judgement} if there is none.
   */
  page(): string {
    const context = this.contexts["front-end"];
    const [page] = [...this.folder.entries.keys()]
      .filter((file) => file.startsWith(`${context}/`) && /(^|\/)index\.html?$/.test(file))
      .sort((a, b) => a.split("/").length - b.split("/").length);
    if (page !== undefined) return page;
    fail("there is no index.html", "Clone the site there.", this.at(`${context}/${siteFolder}`));
  }

  /** @returns The first line of the API's program that matches; its folder if no line does. */
  atProgram(pattern: RegExp): Place {
    const context = this.contexts["back-end"];
    for (const file of this.folder.entries.keys()) {
      if (context !== "." && !file.startsWith(`${context}/`)) continue;
      if (!/\.(py|js|mjs|cjs|ts|mts|cts|go|rb|php|java|rs)$/.test(file)) continue;
      const lines = readText(this.folder, file)?.split("\n") ?? [];
      const index = lines.findIndex((line) => pattern.test(line));
      if (index !== -1) return this.at(file, index + 1);
    }
    return this.at(context);
  }
}

/** @returns The path of a context's Dockerfile, whether or not it exists. */
function dockerfileIn(folder: TaskFolder, context: string): string {
  const file = dockerfileOf({ context: path.join(folder.path, context) });
  return path.relative(folder.path, file);
}

/** Finds the build contexts of a task: by the text's names, otherwise by their contents. */
function findContexts(folder: TaskFolder): Subject["contexts"] {
  const names = { "back-end": "back-end", "front-end": "front-end", proxy: "proxy" };
  if (folder.task === "task0" || folder.task === "task1") return { ...names, "back-end": "." };
  const contexts: Partial<Record<Role, string>> = {};
  for (const role of roles) if (folder.entries.has(role)) contexts[role] = role;
  for (const file of folder.entries.keys()) {
    if (!/^[^/]+(\/[^/]+)?\/[Dd]ockerfile$/.test(file)) continue;
    const context = path.posix.dirname(file);
    if (Object.values(contexts).includes(context)) continue;
    contexts[roleOfContext(folder, context)] ??= context;
  }
  return { ...names, ...contexts };
}

/** Infers a role from a Dockerfile: nginx with a site, nginx without one, or another program. */
export function roleOfContext(folder: TaskFolder, context: string): Role {
  const text = readText(folder, dockerfileIn(folder, context)) ?? "";
  if (!/^[ \t]*FROM[ \t]+\S*nginx/im.test(text)) return "back-end";
  const isOfSite = ([file, kind]: [string, string]): boolean =>
    file.startsWith(`${context}/`) &&
    (file.endsWith(".html") || (kind !== "file" && file.includes("front")));
  return [...folder.entries].some(isOfSite) ? "front-end" : "proxy";
}
