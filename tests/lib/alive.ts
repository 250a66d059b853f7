import { existsSync, readFileSync } from "node:fs";

/** Whether a process runs; one that only waits for its parent to take note of its end does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\tZ/m.test(readFileSync(status, "utf8"));
}
