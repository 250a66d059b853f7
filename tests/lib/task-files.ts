import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../tools/lib/course";
import { listFiles } from "../../tools/lib/git";

/**
 * Reads a text file of the repository.
 * @param parts Its path, from the repository's root.
 * @throws {Error} if there is no such file.
 */
export function readRepositoryFile(...parts: string[]): string {
  return readFileSync(path.join(root, ...parts), "utf8");
}

/** {@link listFiles} of a folder from the repository's root; of all of it without one. */
export const listRepositoryFiles = (folder = "."): Promise<string[]> =>
  listFiles(path.join(root, folder));
