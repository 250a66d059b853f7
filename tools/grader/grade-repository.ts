import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { onEnd } from "../lib/cli";
import { baseImages } from "./base-images";
import { lendImages, openMachine } from "./machine";
import { openRepository, type Task, type TaskFolder } from "./repository";
import { type Graded, gradeIn, type SessionOptions } from "./session";

/** The grader's copy of a repository. */
export interface RepositoryCopy {
  folders: ReadonlyMap<Task, TaskFolder>;
  /** The folder of the copy. */
  scratch: string;
  /** Removes the copy. */
  remove(): Promise<void>;
}

/**
 * Copies the tasks of a repository into a temporary folder.
 * @throws {UserError} if the folder does not exist or contains no task; nothing is left then.
 */
export async function copyRepository(folder: string): Promise<RepositoryCopy> {
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-grader-"));
  const remove = async (): Promise<void> => {
    await rm(scratch, { recursive: true, force: true });
    forget();
  };
  const forget = onEnd(remove);
  try {
    return { folders: await openRepository(folder, scratch), scratch, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

interface GradingOptions extends SessionOptions {
  /** Names of machines: the first that is free is used. */
  machineNames: readonly string[];
  /** The machine's image, if it is built. */
  image?: string;
}

/**
 * Grades a copy in a machine of its own, which is removed afterwards.
 * @throws {UserError} if the machine cannot start or fails.
 */
export async function gradeCopy(copy: RepositoryCopy, options: GradingOptions): Promise<Graded> {
  const { machineNames: names, image, report, signal } = options;
  const machine = await openMachine({ names, image, report, signal });
  const forget = onEnd(machine.close);
  try {
    await lendImages(machine, baseImages(copy.folders), { signal });
    return await gradeIn(machine, copy, options);
  } finally {
    await machine.close();
    forget();
  }
}
