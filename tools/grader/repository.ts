import { lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../lib/errors";
import { copyFolder, type Snapshot, type Usage } from "./snapshot";
import { listNames } from "./source";

/** Far more than a repository of the course needs. */
const max = { fileBytes: 1_000_000, listedNames: 500, searchedFolders: 2_000 };

/** The seven folders of the course (spec, tasks 0 to 6). */
export const tasks = ["task0", "task1", "task2", "task3", "task4", "task5", "task6"] as const;
export type Task = (typeof tasks)[number];

/** The folder of one task, read once and never changed. */
export interface TaskFolder extends Snapshot {
  task: Task;
  /** The path of its copy. */
  path: string;
  /** From the graded repository's root. */
  name: string;
}

/** Where the tasks of a repository are. */
export interface Home {
  /** The repository's folder. */
  root: string;
  /** Of each task that exists. */
  folders: ReadonlyMap<Task, string>;
}

/**
 * Copies the tasks of a repository, which are at its root or in one of its folders. From then on
 * they are read, built and run from the copy: nothing in the repository is used or changed.
 * @param scratch An empty folder for the copies.
 * @returns The tasks that exist.
 * @throws {UserError} if the folder does not exist or contains no task.
 */
export async function openRepository(
  folder: string,
  scratch: string,
): Promise<ReadonlyMap<Task, TaskFolder>> {
  const home = requireTasks(folder);
  const usage: Usage = { entries: 0, bytes: 0 };
  const copies = [...home.folders.keys()].map((task) => copyTask(home, task, scratch, usage));
  return new Map(copies.map((copy) => [copy.task, copy]));
}

/**
 * Finds the tasks of a repository.
 * @throws {UserError} if the folder does not exist or contains no task.
 */
export function requireTasks(folder: string): Home {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(`${folder} is not a folder: give the path of a repository of the course.`);
  }
  const root = realpathSync(folder);
  const home = findTasks(root);
  if (home.folders.size > 0) return home;
  throw new UserError(`${folder} holds no task0 to task6: give the folder that does.`);
}

/**
 * Copies one task.
 * @param home Has this task.
 * @param scratch Where the copy is made, under the task's name.
 * @param usage What has been copied of the same repository; this copy is added.
 * @param skipped Paths from the task's folder that are not copied.
 */
export function copyTask(
  home: Home,
  task: Task,
  scratch: string,
  usage: Usage,
  skipped?: ReadonlySet<string>,
): TaskFolder {
  const from = home.folders.get(task) as string;
  const to = path.join(realpathSync(scratch), task);
  const copy = copyFolder(from, to, usage, skipped);
  return { task, path: to, name: path.relative(home.root, from), ...copy };
}

const isFolder = (file: string): boolean =>
  lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * Reads a task's file.
 * @param decode How its bytes are read; by default as UTF-8.
 * @returns Undefined if it is not a regular file, or too large.
 */
export function readText(
  folder: TaskFolder,
  file: string,
  decode = (bytes: Buffer): string => bytes.toString(),
): string | undefined {
  if (folder.entries.get(file) !== "file") return undefined;
  const fullPath = path.join(folder.path, file);
  return statSync(fullPath).size > max.fileBytes ? undefined : decode(readFileSync(fullPath));
}

/** Decodes a text as Compose and browsers do: as UTF-16 if its byte order mark says so. */
export function decodeByMark(bytes: Buffer): string {
  const mark = bytes.toString("latin1", 0, 2);
  const encoding = mark === "\xFF\xFE" ? "utf-16le" : mark === "\xFE\xFF" ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/**
 * Finds the folder of each task, at most two levels down.
 * @param root An absolute path without links.
 */
export function findTasks(root: string): Home {
  let folders = [root];
  for (let level = 0; level <= 2; level += 1) {
    const found = folders.map(tasksIn).find((home) => home.length > 0);
    if (found !== undefined) return { root, folders: new Map(found) };
    folders = folders.flatMap(foldersIn).slice(0, max.searchedFolders);
  }
  return { root, folders: new Map() };
}

/** @returns The folder of each task in a folder; one in capitals counts, too. */
function tasksIn(folder: string): [Task, string][] {
  const inner = foldersIn(folder);
  return tasks.flatMap((task): [Task, string][] => {
    const exact = path.join(folder, task);
    const isSimilar = (other: string): boolean => path.basename(other).toLowerCase() === task;
    const found = isFolder(exact) ? exact : inner.find(isSimilar);
    return found === undefined ? [] : [[task, found]];
  });
}

/** @returns The visible folders in a folder; none if it cannot be read. */
function foldersIn(folder: string): string[] {
  try {
    return listNames(folder, max.listedNames)
      .filter((name) => !/^(\.|node_modules$|__MACOSX$)/.test(name))
      .map((name) => path.join(folder, name))
      .filter(isFolder);
  } catch {
    return [];
  }
}
