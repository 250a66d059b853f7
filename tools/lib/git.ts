import { existsSync } from "node:fs";
import path from "node:path";
import { argv } from "./argv";
import { run } from "./run";

/**
 * Lists the files in a folder of a git repository that git tracks or would track; what .gitignore
 * names is left out.
 * @param folder An absolute path.
 * @returns Paths relative to the folder.
 */
export async function listFiles(folder: string): Promise<string[]> {
  const list = argv`ls-files -z --cached --others --exclude-standard --deduplicate .`;
  const files = (await run("git", list, { cwd: folder })).split("\0");
  // Git still lists files that are deleted but not committed
  return files.filter((file) => file !== "" && existsSync(path.join(folder, file)));
}
