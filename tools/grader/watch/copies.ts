import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { baseImages } from "../base-images";
import { lendImages, type Machine, putFolder } from "../machine";
import { copyTask, type Task, type TaskFolder } from "../repository";
import type { Usage } from "../snapshot";
import { installationsIn, type Scan } from "./scan";

/** The copies of a repository's tasks in a machine: whichever changes is copied again. */
export class Copies {
  /** With their paths in the machine. */
  readonly folders = new Map<Task, TaskFolder>();
  private readonly usages = new Map<Task, Usage>();
  private readonly installations = new Map<Task, ReadonlyMap<string, string>>();
  private readonly lent = new Set<string>();

  /** @param scratch A folder on the host, for the time in which they are made. */
  constructor(
    private readonly machine: Machine,
    private readonly scratch: string,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Copies tasks again; those that do not exist any more have no copy then. The copies before stay in
   * the machine until the grader there removes them.
   * @returns What that grader first moves from them, since it has not changed: copying thousands of
   *   files of installed packages would take seconds.
   * @throws {UserError} if the machine does not take the copies.
   */
  async renew(seen: Scan, tasks: readonly Task[]): Promise<[from: string, to: string][]> {
    const temporary = await mkdtemp(path.join(this.scratch, "copy-"));
    const target = `/graded-${randomBytes(3).toString("hex")}`;
    const moved: [string, string][] = [];
    try {
      const copied = tasks.flatMap((task) => {
        const from = this.folders.get(task)?.path ?? "";
        const to = path.posix.join(target, task);
        const kept = this.unchangedIn(seen, task);
        this.folders.delete(task);
        // What is kept of it still counts
        if (kept.length === 0) this.usages.delete(task);
        if (!seen.home.folders.has(task)) return [];
        const copy = this.copy(seen, task, temporary, new Set(kept));
        for (const folder of kept) {
          if (!hasParent(copy, folder)) continue;
          moved.push([path.posix.join(from, folder), path.posix.join(to, folder)]);
        }
        return [{ ...copy, to }];
      });
      if (copied.length === 0) return [];
      await this.lend(new Map(copied.map((copy) => [copy.task, copy])));
      await putFolder(this.machine, temporary, target, { signal: this.signal });
      for (const { to, ...copy } of copied) this.folders.set(copy.task, { ...copy, path: to });
      return moved;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  /** @returns The folders of installed packages that are as they are in a task's complete copy. */
  private unchangedIn(seen: Scan, task: Task): string[] {
    const before = this.installations.get(task);
    const now = installationsIn(seen, task);
    this.installations.set(task, now);
    const copy = this.folders.get(task);
    if (copy === undefined || copy.refusal !== undefined) return [];
    return [...now.keys()].filter((folder) => before?.get(folder) === now.get(folder));
  }

  /** Limits the copies of all tasks together, as for a single grading. */
  private copy(seen: Scan, task: Task, temporary: string, kept: ReadonlySet<string>): TaskFolder {
    const all = { entries: 0, bytes: 0 };
    for (const { entries, bytes } of this.usages.values()) {
      all.entries += entries;
      all.bytes += bytes;
    }
    const before = { ...all };
    const copy = copyTask(seen.home, task, temporary, all, kept);
    const usage = { entries: all.entries - before.entries, bytes: all.bytes - before.bytes };
    if (kept.size === 0) this.usages.set(task, usage);
    return copy;
  }

  /** Lends the machine the base images that it was not lent before. */
  private async lend(copied: ReadonlyMap<Task, TaskFolder>): Promise<void> {
    const images = baseImages(copied).filter((image) => !this.lent.has(image));
    if (images.length === 0) return;
    await lendImages(this.machine, images, { signal: this.signal });
    for (const image of images) this.lent.add(image);
  }
}

/** Whether a copy has the folder that a path is in: it may be incomplete, or have a link there now. */
function hasParent({ entries }: TaskFolder, file: string): boolean {
  const parent = path.posix.dirname(file);
  return parent === "." || entries.get(parent) === "folder";
}
