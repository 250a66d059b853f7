import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { root } from "../../tools/lib/course";
import { listFiles } from "../../tools/lib/git";
import { run } from "../../tools/lib/run";

/** A copy of the repository as it is, without its history, in which a command may do what it likes. */
export interface Copy {
  folder: string;
  remove(): Promise<void>;
}

/** Makes one in a temporary folder; it uses the packages that are installed here. */
export async function copyRepository(): Promise<Copy> {
  const folder = await mkdtemp(path.join(tmpdir(), "softy-pinko-copy-"));
  for (const file of await listFiles(root)) {
    await cp(path.join(root, file), path.join(folder, file));
  }
  await symlink(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  await run("git", ["init", "--quiet"], { cwd: folder });
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
