import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { baseImages } from "../base-images";
import { lendImages, type Machine, putFolder } from "../machine";
import { copyTask, type Home, type Task, type TaskFolder } from "../repository";
import type { Usage } from "../snapshot";

/** The copies of a repository's tasks in a machine: whichever changes is copied again. */
export class Copies {
  /** With their paths in the machine. */
  readonly folders = new Map<Task, TaskFolder>();
  private readonly usages = new Map<Task, Usage>();
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
   * @throws {UserError} if the machine does not take them.
   */
  async renew(home: Home, tasks: Iterable<Task>): Promise<void> {
    const renewed = [...tasks];
    const temporary = await mkdtemp(path.join(this.scratch, "copy-"));
    const target = `/graded-${randomBytes(3).toString("hex")}`;
    for (const task of renewed) {
      this.folders.delete(task);
      this.usages.delete(task);
    }
    try {
      const copied = renewed
        .filter((task) => home.folders.has(task))
        .map((task) => this.copy(home, task, temporary));
      if (copied.length === 0) return;
      await this.lend(new Map(copied.map((copy) => [copy.task, copy])));
      await putFolder(this.machine, temporary, target, { signal: this.signal });
      for (const copy of copied) {
        this.folders.set(copy.task, { ...copy, path: path.posix.join(target, copy.task) });
      }
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  /** Limits the copies of all tasks together, as for a single grading. */
  private copy(home: Home, task: Task, temporary: string): TaskFolder {
    const all = { entries: 0, bytes: 0 };
    for (const { entries, bytes } of this.usages.values()) {
      all.entries += entries;
      all.bytes += bytes;
    }
    const before = { ...all };
    const copy = copyTask(home, task, temporary, all);
    const usage = { entries: all.entries - before.entries, bytes: all.bytes - before.bytes };
    this.usages.set(task, usage);
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
