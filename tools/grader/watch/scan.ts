import { lstatSync, type Stats } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findTasks, type Home, type Task } from "../repository";
import { listNames } from "../source";

/** The copy refuses a task with more: see snapshot.ts. */
const max = { depth: 24, entries: 20_000 };

/** The files of a repository's tasks at one time. */
export interface Scan {
  home: Home;
  /** Of each task, what tells a version of a file from another, by the path from the repository. */
  files: ReadonlyMap<Task, ReadonlyMap<string, string>>;
}

/**
 * What package managers write into node_modules at the end of an installation. Of the thousands of
 * other files in it, each of which would look like a saved one, none is scanned.
 */
const installed = ["node_modules/.package-lock.json", "node_modules/.yarn-integrity"];

/** What Vim, Emacs, JetBrains and the Finder write next to a file while it is open or being saved. */
const isOfEditor = /^(\.#|#.*#$|4913$|\.DS_Store$)|(~|\.sw[a-z]|___jb_(tmp|old)___)$/;

/**
 * Looks at every file of a repository's tasks, without opening any and without following links.
 *
 * `fs.watch` would not do. With `recursive`, Node.js 20 on Linux watches a file rather than its name,
 * so that it misses what is saved by a rename; it follows links; and it is out of watches in a large
 * node_modules. In a folder that a virtual machine shares with Docker, it misses everything.
 * @param root An absolute path without links.
 */
export function scan(root: string): Scan {
  const home = findTasks(root);
  const files = Array.from(home.folders, ([task, folder]) => {
    const found = new Map<string, string>();
    scanFolder(folder, path.relative(root, folder), 1, found);
    return [task, found] as const;
  });
  return { home, files: new Map(files) };
}

function scanFolder(folder: string, name: string, depth: number, found: Map<string, string>): void {
  if (depth > max.depth) return;
  try {
    for (const entry of listNames(folder, max.entries).filter((name) => !isOfEditor.test(name))) {
      if (found.size > max.entries) return;
      for (const part of entry === "node_modules" ? installed : [entry]) {
        const stat = lstatSync(path.join(folder, part), { throwIfNoEntry: false });
        if (stat === undefined) continue;
        const file = path.join(name, part);
        found.set(file, versionOf(stat));
        if (stat.isDirectory()) scanFolder(path.join(folder, part), file, depth + 1, found);
      }
    }
  } catch {
    // The folder cannot be read; the copy says why
  }
}

/** The time at which a folder changed says nothing that its files do not say. */
const versionOf = (stat: Stats): string =>
  stat.isDirectory()
    ? `${stat.mode}`
    : [stat.mode, stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs].join();

/**
 * Finds where the packages of a task are installed.
 * @returns What tells an installation from another, by the folder's path from the task.
 */
export function installationsIn({ home, files }: Scan, task: Task): Map<string, string> {
  const name = path.relative(home.root, home.folders.get(task) ?? home.root);
  const versions = new Map<string, string>();
  for (const [file, version] of files.get(task) ?? []) {
    const folder = path.dirname(path.relative(name, file));
    if (path.basename(folder) === "node_modules") versions.set(folder, version);
  }
  return versions;
}

/**
 * Compares two scans of a repository.
 * @returns The paths that were added, changed or removed, by the task that they concern. The files of a
 *   task that was moved are both removed and added.
 */
export function differences(before: Scan, after: Scan): Map<Task, string[]> {
  const changed = new Map<Task, string[]>();
  for (const task of new Set([...before.files.keys(), ...after.files.keys()])) {
    const [old, now] = [before, after].map(({ files }) => files.get(task));
    const names = [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])].filter(
      (name) => old?.get(name) !== now?.get(name),
    );
    const isMoved = before.home.folders.get(task) !== after.home.folders.get(task);
    if (names.length > 0 || isMoved) changed.set(task, names);
  }
  return changed;
}

/** Between two scans, while nothing and while something changes. They take at most a tenth of the time. */
const pauseMs = { quiet: 200, unrest: 100 };

/** For files that are saved without a pause: then they are graded as they are. */
const maxUnrestMs = 2_000;

/**
 * Waits until files have changed, and then until no more do: while one is being written, or a branch
 * checked out, there is nothing to grade.
 */
export async function nextChange(root: string, seen: Scan, signal: AbortSignal): Promise<Scan> {
  let last = seen;
  let unrestSince: number | undefined;
  for (let durationMs = 0; ; ) {
    const least = unrestSince === undefined ? pauseMs.quiet : pauseMs.unrest;
    await sleep(Math.max(least, 10 * durationMs), undefined, { signal });
    const start = performance.now();
    const now = scan(root);
    const isQuiet = differences(last, now).size === 0;
    last = now;
    durationMs = performance.now() - start;
    if (isQuiet && unrestSince === undefined) continue;
    unrestSince ??= start;
    if (isQuiet || start - unrestSince > maxUnrestMs) return now;
  }
}
