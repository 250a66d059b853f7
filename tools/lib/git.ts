import { existsSync } from "node:fs";
import path from "node:path";
import { run } from "./run";

/**
 * Lists the files of a folder in a git repository: those that git tracks or would track, so not
 * what .gitignore names.
 * @param folder An absolute path.
 * @returns Paths from that folder; a file that is deleted but not yet committed is none.
 */
export async function listFiles(folder: string): Promise<string[]> {
  const options = ["--cached", "--others", "--exclude-standard", "--deduplicate"];
  const listed = await run("git", ["ls-files", "-z", ...options, "."], { cwd: folder });
  return listed.split("\0").filter((file) => file !== "" && existsSync(path.join(folder, file)));
}
