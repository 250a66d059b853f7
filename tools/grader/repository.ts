import { type Dirent, lstatSync, opendirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../lib/errors";
import { attempt } from "../lib/run";

/** Bounds on what is looked at: far more than the course asks for, far less than does harm. */
const most = {
  depth: 24,
  entries: 20_000,
  fileBytes: 1_000_000,
  taskBytes: 200_000_000,
  /** Of a folder that is not looked at, but that a build may take: what `npm install` has left. */
  aside: { depth: 40, entries: 200_000, bytes: 1_000_000_000 },
};

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
  const inside = list(folder, 1_000)
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

/**
 * Reads a folder's first entries.
 * @param limit How many at most; the rest is not even read.
 * @returns None where it cannot be read.
 */
function list(folder: string, limit: number): Dirent[] {
  const entries: Dirent[] = [];
  try {
    const opened = opendirSync(folder);
    for (let entry = opened.readSync(); entry !== null && entries.length < limit; ) {
      entries.push(entry);
      entry = opened.readSync();
    }
    opened.closeSync();
  } catch {
    return [];
  }
  return entries;
}

/**
 * @returns The git links under a folder, on this machine; none where it is in no git repository. Git
 *   obeys that repository's own configuration, which may name programs: none of them is run.
 */
async function listGitLinks(folder: string): Promise<Set<string>> {
  const options = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "safe.bareRepository=explicit",
  ];
  const staged = await attempt(
    "git",
    [...options.flatMap((option) => ["-c", option]), "ls-files", "--stage", "-z"],
    {
      cwd: folder,
      env: { GIT_ALLOW_PROTOCOL: "none", GIT_NO_LAZY_FETCH: "1", GIT_OPTIONAL_LOCKS: "0" },
      timeoutMs: 10_000,
      maxOutputBytes: 20_000_000,
    },
  );
  const links = staged.stdout.split("\0").filter((entry) => entry.startsWith("160000 "));
  return new Set(links.map((entry) => path.join(folder, entry.split("\t")[1] ?? "")));
}

/** Not part of the course: of these folders only the size counts, and whether they can be read. */
const isAside = (name: string): boolean => name === ".git" || name === "node_modules";

function readFolder(
  folder: string,
  gitLinks: ReadonlySet<string>,
): Pick<TaskFolder, "path" | "entries" | "bytes" | "refusal"> {
  const entries = new Map<string, Kind>();
  let [bytes, asideEntries, asideBytes] = [0, 0, 0];
  let refusal: string | undefined;
  const refuse = (why: string): void => {
    refusal ??= why;
  };
  const walk = (inside: string, depth: number, beside: boolean): void => {
    const { depth: deepest, entries: mostEntries } = beside ? most.aside : most;
    if (depth > deepest) refuse(`its folders are more than ${deepest} levels deep`);
    if (refusal !== undefined) return;
    for (const entry of list(path.join(folder, inside), mostEntries + 1)) {
      if (refusal !== undefined) return;
      const name = path.posix.join(inside, entry.name);
      const full = path.join(folder, name);
      const kind = kindOf(entry, full, gitLinks);
      const size = kind === "file" ? (lstatSync(full, { throwIfNoEntry: false })?.size ?? 0) : 0;
      // Docker would wait for what comes out of it
      if (kind === "special file") refuse(`${name} is neither a file nor a folder`);
      const isBeside = beside || isAside(entry.name);
      if (isBeside) {
        [asideEntries, asideBytes] = [asideEntries + 1, asideBytes + size];
        if (asideEntries > most.aside.entries) refuse(`it holds more than ${mostEntries} files`);
      } else {
        entries.set(name, kind);
        bytes += size;
        if (entries.size > most.entries) refuse(`it holds more than ${most.entries} files`);
      }
      if (kind === "folder") walk(name, depth + 1, isBeside);
    }
  };
  walk("", 1, false);
  if (bytes > most.taskBytes) refuse(`it holds more than ${most.taskBytes / 1e6} MB`);
  if (asideBytes > most.aside.bytes) refuse(`it holds more than ${most.aside.bytes / 1e6} MB`);
  return { path: folder, entries, bytes, refusal };
}

function kindOf(entry: Dirent, full: string, gitLinks: ReadonlySet<string>): Kind {
  if (entry.isFile()) return "file";
  if (entry.isSymbolicLink()) return "link";
  if (!entry.isDirectory()) return "special file";
  if (list(full, 2).some(({ name }) => name !== ".git")) return "folder";
  return gitLinks.has(full) ? "git link" : "empty folder";
}
