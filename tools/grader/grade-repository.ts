import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { onEnd } from "../lib/cli";
import type { Report } from "../lib/progress";
import { baseImages } from "./base-images";
import { lendImages, openMachine } from "./machine";
import type { Message } from "./messages";
import { openRepository, type Task, type TaskFolder } from "./repository";
import { scoreLine } from "./score";
import { type Graded, gradeIn } from "./session";

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

interface GradingOptions {
  tasks: readonly Task[];
  /** For one build. */
  buildTimeoutMs: number;
  /** Names of machines: the first that is free is used. */
  machineNames: readonly string[];
  /** The machine's image, if it is built. */
  image?: string;
  report: Report;
  signal: AbortSignal;
}

/**
 * Grades a copy in a machine of its own, which is removed afterwards.
 * @throws {UserError} if the machine cannot start or fails.
 */
export async function gradeCopy(copy: RepositoryCopy, options: GradingOptions): Promise<Graded> {
  const { folders, scratch } = copy;
  const { machineNames: names, image, report, signal, ...session } = options;
  const machine = await openMachine({ names, image, report, signal });
  const forget = onEnd(machine.close);
  try {
    await lendImages(machine, baseImages(folders), { signal });
    const onMessage = (message: Message): void => show(message, report);
    return await gradeIn(machine, { ...session, folders, scratch, signal, onMessage });
  } finally {
    await machine.close();
    forget();
  }
}

/** Shows what the grader in the machine does. */
function show(message: Message, report: Report): void {
  if (message.kind === "detail") report.detail(message.line);
  if (message.kind === "milestone") report(`${message.part}: ${message.line}`);
  if (message.kind !== "done" || message.part === "reading") return;
  const { task, points, seconds } = message.report;
  report(`${task}: ${scoreLine(points)} (${seconds} s)`);
}
