import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { root } from "../../tools/lib/course";
import { listFiles } from "../../tools/lib/git";
import { run } from "../../tools/lib/run";

/**
 * Gives the tests of a `describe` a copy of the working tree, without its history, that a command may
 * change. It is in a temporary folder; node_modules is a link.
 */
export function useCopy(): { folder: string } {
  const copy = { folder: "" };
  beforeAll(async () => {
    copy.folder = await mkdtemp(path.join(tmpdir(), "softy-pinko-copy-"));
    for (const file of await listFiles(root)) {
      await cp(path.join(root, file), path.join(copy.folder, file));
    }
    await symlink(path.join(root, "node_modules"), path.join(copy.folder, "node_modules"));
    await run("git", ["init", "--quiet"], { cwd: copy.folder });
  });
  afterAll(() => rm(copy.folder, { recursive: true }));
  return copy;
}
