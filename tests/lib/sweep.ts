import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** What everything that a test run makes is named after: containers, networks, images, folders. */
export const runPrefix = (run: number): string => `softy-pinko-test-${run}-`;

/**
 * Removes what a test run has left behind, after Ctrl-C above all; after an orderly end there is
 * nothing. It works synchronously, so that it can run while the process exits.
 * @param run The run's number, the process id of Vitest itself.
 */
export function sweep(run: number): void {
  const prefix = runPrefix(run);
  // A `docker compose up` that was cut off may go on for a moment
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const found = [
      removeAll(["ps", "--all", "--quiet", `--filter=name=^${prefix}`], ["rm", "--force"]),
      removeAll(["network", "ls", "--quiet", `--filter=name=^${prefix}`], ["network", "rm"]),
      removeAll(["volume", "ls", "--quiet", `--filter=name=^${prefix}`], ["volume", "rm"]),
      removeAll(["image", "ls", "--quiet", `--filter=reference=${prefix}*`], ["rmi", "--force"]),
    ];
    if (!found.includes(true)) break;
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
