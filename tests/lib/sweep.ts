import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The prefix of everything that a test run creates: containers, networks, images, folders. */
export const runPrefix = (run: number): string => `softy-pinko-test-${run}-`;

/**
 * Removes what a test run has left behind, for example after Ctrl-C. Synchronous, so that it can run
 * while the process exits.
 * @param run The process id of Vitest.
 */
export function sweep(run: number): void {
  const prefix = runPrefix(run);
  // An interrupted `docker compose up` may still be running
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const removed = [
      removeAll(["ps", "--all", "--quiet", `--filter=name=^${prefix}`], ["rm", "--force"]),
      removeAll(["network", "ls", "--quiet", `--filter=name=^${prefix}`], ["network", "rm"]),
      removeAll(["volume", "ls", "--quiet", `--filter=name=^${prefix}`], ["volume", "rm"]),
      removeAll(["image", "ls", "--quiet", `--filter=reference=${prefix}*`], ["rmi", "--force"]),
    ];
    if (!removed.includes(true)) break;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
  for (const folder of readdirSync(tmpdir()).filter((name) => name.startsWith(prefix))) {
    rmSync(path.join(tmpdir(), folder), { recursive: true, force: true });
  }
}

/** @returns Whether there was anything to remove. */
function removeAll(list: readonly string[], remove: readonly string[]): boolean {
  const ids = spawnSync("docker", list).stdout.toString().split("\n").filter(Boolean);
  if (ids.length > 0) spawnSync("docker", [...remove, ...ids]);
  return ids.length > 0;
}
