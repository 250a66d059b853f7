import { type Dirent, lstatSync, opendirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../lib/errors";
import { copyFolder, type Kind, type Usage } from "./snapshot";

/** Far more than a repository of the course needs. */
const max = { fileBytes: 1_000_000, searchedFolders: 2_000, listedEntries: 1_000 };

/** The seven folders of the course (spec, tasks 0 to 6). */
export const tasks = ["task0", "task1", "task2", "task3", "task4", "task5", "task6"] as const;
export type Task = (typeof tasks)[number];

/** The folder of one task, read once and never changed. */
export interface TaskFolder {
  task: Task;
  /** The path of its copy. */
  path: string;
  /** From the graded repository's root. */
  name: string;
  /** Everything in it, by the path from the folder. */
  entries: ReadonlyMap<string, Kind>;
  /** The size of all its files. */
  bytes: number;
  /** Why it must not be built, if so. */
  refusal: string | undefined;
}

/**
 * Copies the tasks of a repository, which are at its root or in one of its folders. From then on they
 * are read, built and run from the copy: nothing in the repository is used.
 * @param folder Where to look. It is not changed.
 * @param scratch An empty folder for the copies.
 * @returns The tasks that exist.
 * @throws {UserError} if the folder does not exist or contains no task.
 */
export async function openRepository(
  folder: string,
  scratch: string,
): Promise<ReadonlyMap<Task, TaskFolder>> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(`${folder} is not a folder: give the path of a repository of the course.`);
  }
  const root = realpathSync(folder);
  const home = findHome(root);
  if (home === undefined) {
    throw new UserError(`${folder} holds no task0 to task6: give the folder that does.`);
  }
  const usage: Usage = { entries: 0, bytes: 0 };
  const folders = new Map<Task, TaskFolder>();
  for (const task of tasks.filter((name) => isFolder(path.join(home, name)))) {
    const [from, to] = [path.join(home, task), path.join(realpathSync(scratch), task)];
    const copy = copyFolder(from, to, usage);
    folders.set(task, { task, path: to, name: path.relative(root, from), ...copy });
  }
  return folders;
}

const isFolder = (file: string): boolean =>
  lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

/** @returns The text of a task's file; undefined if it is not a regular file, or too large. */
export function readText(folder: TaskFolder, file: string): string | undefined {
  if (folder.entries.get(file) !== "file") return undefined;
  const fullPath = path.join(folder.path, file);
  return statSync(fullPath).size > max.fileBytes ? undefined : readFileSync(fullPath, "utf8");
}

/** @returns The folder that contains the tasks, at most two levels down. */
function findHome(root: string): string | undefined {
  let searched = 0;
  const search = (folder: string, levels: number): string | undefined => {
    searched += 1;
    if (tasks.some((task) => isFolder(path.join(folder, task)))) return folder;
    if (levels === 0) return undefined;
    for (const entry of list(folder)) {
      if (!entry.isDirectory() || /^(\.|node_modules$)/.test(entry.name)) continue;
      if (searched >= max.searchedFolders) return undefined;
      const home = search(path.join(folder, entry.name), levels - 1);
      if (home !== undefined) return home;
    }
    return undefined;
  };
  return search(root, 2);
}

/** @returns A folder's first entries; none if it cannot be read. */
function list(folder: string): Dirent[] {
  const entries: Dirent[] = [];
  try {
    const opened = opendirSync(folder);
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      if (entries.push(entry) === max.listedEntries) break;
    }
    opened.closeSync();
  } catch {
    return [];
  }
  return entries;
}
