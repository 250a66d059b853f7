import { createHash, type Hash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { root } from "../../lib/course";
import type { RepositoryCopy } from "../grade-repository";
import type { HintLevel } from "../hints";
import type { Task } from "../repository";

/** The options that a result depends on. */
export interface Grading {
  tasks: readonly Task[];
  /** For one build. */
  buildTimeoutMs: number;
  hints: HintLevel;
}

/**
 * @returns A hash of the copy, the grader and its options: while it is the same, so is the result,
 *   except for the machine and its base images.
 */
export function digestOf(
  copy: Pick<RepositoryCopy, "folders" | "scratch">,
  { tasks, buildTimeoutMs, hints }: Grading,
): string {
  const hash = createHash("sha256").update(digestOfGrader());
  const folders = Array.from(copy.folders.values(), ({ task, name, refusal }) => {
    return [task, name, refusal ?? null];
  });
  hash.update(JSON.stringify([tasks, buildTimeoutMs, hints, folders]));
  addFolder(hash, copy.scratch);
  return hash.digest("hex");
}

let graderDigest: string | undefined;

/** @returns A hash of the grader's files: its version does not tell two checkouts apart. */
function digestOfGrader(): string {
  if (graderDigest !== undefined) return graderDigest;
  const hash = createHash("sha256").update(readFileSync(path.join(root, "package.json")));
  for (const part of ["tools/grader", "tools/lib"]) addFolder(hash, path.join(root, part));
  graderDigest = hash.digest("hex");
  return graderDigest;
}

/** Adds each file's name, kind, mode and content, in the order of the names. */
function addFolder(hash: Hash, folder: string, inner = ""): void {
  for (const name of readdirSync(path.join(folder, inner)).sort()) {
    const file = path.join(inner, name);
    const source = path.join(folder, file);
    const stat = lstatSync(source);
    const link = stat.isSymbolicLink() ? readlinkSync(source) : null;
    // With the size, no content can pass for the next entry
    const size = stat.isFile() ? stat.size : null;
    hash.update(JSON.stringify([file, link, size, link === null ? stat.mode & 0o777 : 0]));
    if (stat.isFile()) hash.update(readFileSync(source));
    if (stat.isDirectory()) addFolder(hash, folder, file);
  }
}
