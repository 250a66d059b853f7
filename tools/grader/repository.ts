import { lstatSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../lib/errors";
import { attempt } from "../lib/run";

/** Bounds on what is looked at: far more than the course asks for, far less than does harm. */
const most = { depth: 24, entries: 20_000, fileBytes: 1_000_000, taskBytes: 200_000_000 };

/** The seven folders of the course (spec, tasks 0 to 6). */
export const tasks = ["task0", "task1", "task2", "task3", "task4", "task5", "task6"] as const;
export type Task = (typeof tasks)[number];

/** What stands at a path. A git link is the place of another repository that was not fetched. */
export type Kind = "file" | "folder" | "empty folder" | "git link" | "link" | "special file";

/** The folder of one task, read once and never changed. */
export interface TaskFolder {
  task: Task;
  /** On this machine. */
  path: string;
  /** From the graded repository's root. */
  name: string;
  /** Everything in it, by its path from the folder. */
  entries: ReadonlyMap<string, Kind>;
  /** Bytes of all its files. */
  bytes: number;
  /** Why it is not to be built, if so. */
  refusal: string | undefined;
}

/**
 * Finds the tasks of a repository: at its root, or in the one folder that holds them.
 * @param folder Where to look.
 * @returns Those there are, by name.
 * @throws {UserError} where there is no such folder, or no task in it.
 */
export async function openRepository(folder: string): Promise<ReadonlyMap<Task, TaskFolder>> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(`${folder} is no folder: give the path of a repository of the course.`);
  }
  const root = realpathSync(folder);
  const home = findHome(root, 2);
  if (home === undefined) {
    throw new UserError(`${folder} holds no task0 to task6: give the folder that does.`);
  }
  const gitLinks = await listGitLinks(home);
  const found = new Map<Task, TaskFolder>();
  for (const task of tasks) {
    const own = path.join(home, task);
    if (lstatSync(own, { throwIfNoEntry: false })?.isDirectory()) {
      found.set(task, { task, ...readFolder(own, gitLinks), name: path.relative(root, own) });
    }
  }
  return found;
}

/**
 * Reads a text file of a task.
 * @returns Nothing where it is no regular file, or too large to be a text of the course.
 */
export function readText(folder: TaskFolder, file: string): string | undefined {
  if (folder.entries.get(file) !== "file") return undefined;
  const full = path.join(folder.path, file);
  return statSync(full).size > most.fileBytes ? undefined : readFileSync(full, "utf8");
}

/** @returns The folder that holds the tasks, at most so many levels down. */
function findHome(folder: string, levels: number): string | undefined {
  const inside = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(\.|node_modules$)/.test(entry.name))
    .map(({ name }) => name);
  if (inside.some((name) => tasks.includes(name as Task))) return folder;
  if (levels === 0) return undefined;
  for (const name of inside) {
    const found = findHome(path.join(folder, name), levels - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @returns The git links under a folder, on this machine; none where it is in no git repository. */
async function listGitLinks(folder: string): Promise<Set<string>> {
  const staged = await attempt("git", ["ls-files", "--stage", "-z"], { cwd: folder });
  const links = staged.stdout.split("\0").filter((entry) => entry.startsWith("160000 "));
  return new Set(links.map((entry) => path.join(folder, entry.split("\t")[1] ?? "")));
}

function readFolder(
  folder: string,
  gitLinks: ReadonlySet<string>,
): Pick<TaskFolder, "path" | "entries" | "bytes" | "refusal"> {
  const entries = new Map<string, Kind>();
  let bytes = 0;
  let refusal: string | undefined;
  const walk = (inside: string, depth: number): void => {
    for (const entry of readdirSync(path.join(folder, inside), { withFileTypes: true })) {
      const name = path.posix.join(inside, entry.name);
      const full = path.join(folder, name);
      if (depth > most.depth) refusal = `its folders are more than ${most.depth} levels deep`;
      if (entries.size >= most.entries) refusal = `it holds more than ${most.entries} files`;
      if (refusal !== undefined || entry.name === ".git" || entry.name === "node_modules") continue;
      if (entry.isDirectory()) {
        const isEmpty = readdirSync(full).every((content) => content === ".git");
        const kind = gitLinks.has(full) && isEmpty ? "git link" : "empty folder";
        entries.set(name, isEmpty ? kind : "folder");
        walk(name, depth + 1);
      } else if (entry.isFile()) {
        entries.set(name, "file");
        bytes += lstatSync(full).size;
      } else {
        entries.set(name, entry.isSymbolicLink() ? "link" : "special file");
      }
    }
  };
  walk("", 1);
  if (bytes > most.taskBytes) refusal ??= `it holds more than ${most.taskBytes / 1e6} MB`;
  return { path: folder, entries, bytes, refusal };
}
