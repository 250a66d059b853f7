import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/course";
import { listFiles } from "../../tools/lib/git";

const sites = ["task2", "task3", "task4", "task5", "task6", "production"];

/** Folders from the repository's root, by what they hold (spec, tasks 0 to 6). */
export const folders = {
  backEnds: ["task1", ...sites.map((task) => `${task}/back-end`)],
  frontEnds: sites.map((task) => `${task}/front-end`),
  proxies: ["task5/proxy", "task6/proxy", "production/proxy"],
};

/**
 * Reads a text file of the repository.
 * @param parts Its path, from the repository's root.
 * @throws where there is no such file.
 */
export function readRepositoryFile(...parts: string[]): string {
  return readFileSync(path.join(root, ...parts), "utf8");
}

/** {@link listFiles} of a folder from the repository's root; of all of it without one. */
export const listRepositoryFiles = (folder = "."): Promise<string[]> =>
  listFiles(path.join(root, folder));
