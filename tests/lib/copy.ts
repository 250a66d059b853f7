import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { root } from "../../tools/lib/course";
import { listFiles } from "../../tools/lib/git";
import { run } from "../../tools/lib/run";

/** A copy of the working tree, without its history, that a command may change. */
export interface Copy {
  folder: string;
  remove(): Promise<void>;
}

/** Copies into a temporary folder; node_modules is a link. */
export async function copyRepository(): Promise<Copy> {
  const folder = await mkdtemp(path.join(tmpdir(), "softy-pinko-copy-"));
  for (const file of await listFiles(root)) {
    await cp(path.join(root, file), path.join(folder, file));
  }
  await symlink(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  await run("git", ["init", "--quiet"], { cwd: folder });
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
