import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { gradeAll, grading } from "../../tools/grader/grade";
import type { Point } from "../../tools/grader/point";
import { openRepository, type Task, type TaskFolder } from "../../tools/grader/repository";
import type { Sandbox } from "../../tools/grader/sandbox";
import { argv } from "../../tools/lib/argv";
import { run } from "../../tools/lib/run";
import { filesOf } from "./grader-files";
import { ownName } from "./stacks";

/** A progress report that is not shown. */
export const silent = Object.assign(() => undefined, { detail: () => undefined });

/**
 * A small port of the course in a temporary folder, without a mistake until one is made. Paths are
 * relative to it.
 */
export class Port {
  private constructor(
    /** Also starts the name of everything that is made from it. */
    readonly name: string,
    readonly folder: string,
  ) {}

  /** @returns A repository of these tasks. */
  static async of(...tasks: readonly Task[]): Promise<Port> {
    const name = ownName("graded");
    const port = new Port(name, await mkdtemp(path.join(tmpdir(), `${name}-`)));
    for (const task of tasks) await port.write(filesOf(task));
    return port;
  }

  async write(files: Record<string, string | Buffer>): Promise<void> {
    for (const [file, text] of Object.entries(files)) {
      const target = path.join(this.folder, file);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, text);
    }
  }

  /**
   * Replaces every occurrence of a text in a file.
   * @throws {Error} if there is none: the mistake would not be made.
   */
  async replace(file: string, text: string, by: string): Promise<void> {
    const before = await readFile(path.join(this.folder, file), "utf8");
    if (!before.includes(text)) throw new Error(`${file} has no ${JSON.stringify(text)}`);
    await this.write({ [file]: before.replaceAll(text, by) });
  }

  async append(file: string, text: string): Promise<void> {
    await writeFile(path.join(this.folder, file), text, { flag: "a" });
  }

  async remove(file: string): Promise<void> {
    await rm(path.join(this.folder, file), { recursive: true });
  }

  async move(from: string, to: string): Promise<void> {
    await mkdir(path.dirname(path.join(this.folder, to)), { recursive: true });
    await rename(path.join(this.folder, from), path.join(this.folder, to));
  }

  async empty(folder: string): Promise<void> {
    await this.remove(folder);
    await mkdir(path.join(this.folder, folder));
  }

  async read(task: Task): Promise<readonly Point[]> {
    return readPoints(this.folder, task);
  }

  async grade(tasks: readonly Task[], buildTimeoutMs?: number): Promise<Point[]> {
    return gradePoints(this.folder, tasks, this.name, buildTimeoutMs);
  }
}

/** @returns Makes ports that are removed after the tests of the file or the `describe`. */
export function usePorts(): typeof Port.of {
  const ports: Port[] = [];
  afterAll(async () => {
    for (const { folder } of ports) await rm(folder, { recursive: true, force: true });
  });
  return async (...tasks) => {
    const port = await Port.of(...tasks);
    ports.push(port);
    return port;
  };
}

export const sandboxOf = (prefix: string, buildTimeoutMs = 300_000): Sandbox => {
  return { prefix, signal: new AbortController().signal, report: silent, buildTimeoutMs };
};

/** @returns The points of a task after the reading phase; those that need a build are skipped. */
export async function readPoints(folder: string, task: Task): Promise<readonly Point[]> {
  return withTasks(folder, async (folders) => {
    const { read, report } = grading(task, folders.get(task), sandboxOf(ownName("read")));
    await read();
    return report().points;
  });
}

/**
 * Builds and runs tasks of any repository in the engine of this machine.
 * @param prefix Starts the name of everything that is made from it.
 */
export async function gradePoints(
  folder: string,
  tasks: readonly Task[],
  prefix: string,
  buildTimeoutMs?: number,
): Promise<Point[]> {
  return withTasks(folder, async (folders) => {
    const reports = await gradeAll(tasks, folders, sandboxOf(prefix, buildTimeoutMs));
    return reports.flatMap(({ points }) => points);
  });
}

/** Opens a repository for as long as its tasks are in use. */
export async function withTasks<T>(
  folder: string,
  use: (folders: ReadonlyMap<Task, TaskFolder>) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-copy-"));
  try {
    return await use(await openRepository(folder, scratch));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @returns The engine's containers, networks, volumes and images whose names start with a prefix. */
export async function namesInEngine(prefix: string): Promise<string[]> {
  const lists = await Promise.all([
    run("docker", argv`ps --all --format={{.Names}} --filter=name=^${prefix}`),
    run("docker", argv`network ls --format={{.Name}} --filter=name=^${prefix}`),
    run("docker", argv`volume ls --format={{.Name}} --filter=name=^${prefix}`),
    run("docker", argv`image ls --format={{.Repository}} --filter=reference=${prefix}*`),
  ]);
  return lists.join("\n").split("\n").filter(Boolean);
}
