import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { runFolder } from "./daemon";

/** Has a file for each process that uses the engine: named by its ID, with its start time. */
const users = path.join(runFolder, "users");

/** Makes this process a user of the engine until it exits. */
export function registerUser(): void {
  const file = path.join(users, String(process.pid));
  mkdirSync(users, { recursive: true });
  writeFileSync(file, startTime("self"));
  process.once("exit", () => rmSync(file, { force: true }));
}

/** @returns Whether another process of this project uses the engine. */
export function hasOtherUsers(): boolean {
  mkdirSync(users, { recursive: true });
  return readdirSync(users)
    .filter((pid) => pid !== String(process.pid))
    .some(
      (pid) => startTime(pid) !== "" && startTime(pid) === readIfPresent(path.join(users, pid)),
    );
}

/**
 * @returns When a process started, in ticks since the boot; empty if there is none. An ID alone is
 *   used again, and a thread's looks like a process's.
 */
function startTime(pid: string): string {
  // The 22nd field; the second, in parentheses, may have spaces: proc_pid_stat(5)
  const [, fields = ""] = readIfPresent(`/proc/${pid}/stat`).split(/\) (?=\S+ \d)/);
  return fields.split(" ")[19] ?? "";
}

function readIfPresent(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
