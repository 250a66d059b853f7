import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Readable } from "node:stream";
import { argv } from "../lib/argv";
import { UserError } from "../lib/errors";
import { lastLine } from "../lib/lines";
import { printable } from "../lib/printable";
import type { Report } from "../lib/progress";
import { attempt } from "../lib/run";
import { type Machine, putFolder } from "./machine";
import { type Message, type Request, readMessage, type TaskReport } from "./messages";
import type { Task, TaskFolder } from "./repository";
import { scoreLine } from "./score";

export interface SessionOptions {
  tasks: readonly Task[];
  /** For one build. */
  buildTimeoutMs: number;
  report: Report;
  signal: AbortSignal;
}

export interface Graded {
  /** In the order of the tasks. */
  reports: TaskReport[];
  /** Each front page in a browser, as PNG. */
  pictures: Map<Task, Buffer>;
}

/** The grader in the machine sends a message at least every five seconds. */
const maxSilenceMs = 60_000;

/**
 * Has the tasks of a repository graded in a machine.
 * @param copy The repository's tasks, and the folder that they have been copied into.
 * @throws {UserError} when the grader in the machine ends without a report on each of them, hangs or
 *   prints without end: a repository can bring that about.
 */
export async function gradeIn(
  machine: Machine,
  { folders, scratch }: { folders: ReadonlyMap<Task, TaskFolder>; scratch: string },
  { tasks, buildTimeoutMs, report, signal }: SessionOptions,
): Promise<Graded> {
  const target = `/graded-${randomBytes(3).toString("hex")}`;
  await putFolder(machine, scratch, target, { signal });
  const moved = Array.from(folders.values(), (folder) => {
    return { ...folder, path: path.posix.join(target, folder.task) };
  });
  const input = lineOf({ tasks, folders: moved, buildTimeoutMs });
  const { stdout, reason } = await runInside(machine, {
    input,
    signal,
    onMessage: (message) => show(message, report),
  });
  signal.throwIfAborted();
  const { reports, pictures } = resultsIn(stdout);
  const missing = tasks.find((task) => !reports.has(task));
  if (missing === undefined) {
    return { reports: tasks.flatMap((task) => reports.get(task) ?? []), pictures };
  }
  throw new UserError(`${missing} could not be graded: ${reason}.`);
}

/** Shows what the grader in the machine does. */
function show(message: Message, report: Report): void {
  if (message.kind === "detail") report.detail(message.line);
  if (message.kind === "milestone") report(`${message.part}: ${message.line}`);
  if (message.kind !== "done" || message.part === "reading") return;
  const { task, points, seconds } = message.report;
  report(`${task}: ${scoreLine(points)} (${seconds} s)`);
}

/** @returns A request as the grader in the machine reads it. */
export function lineOf(request: Omit<Request, "folders"> & { folders: TaskFolder[] }): string {
  const folders = request.folders.map((folder) => ({ ...folder, entries: [...folder.entries] }));
  return `${JSON.stringify({ ...request, folders } satisfies Request)}\n`;
}

interface InsideOptions {
  /** The requests, as {@link lineOf} writes them. */
  input: string | Readable;
  signal: AbortSignal;
  /** Called for each message that is not too long, and with the line that it was. */
  onMessage(message: Message, line: string): void;
}

/**
 * Runs the grader in the machine until it ends, hangs, or prints without end.
 * @returns All that it printed; `reason` says why it failed, if it did.
 */
export async function runInside(
  machine: Machine,
  { input, signal, onMessage }: InsideOptions,
): Promise<{ stdout: string; reason: string }> {
  const silence = new AbortController();
  const watchdog = setTimeout(() => silence.abort(), maxSilenceMs);
  const { stdout, stderr } = await attempt(
    "docker",
    argv`exec --interactive ${machine.name} node tools/grader/inside.js`,
    {
      input,
      holdStdin: true,
      signal: AbortSignal.any([signal, silence.signal]),
      onLine: (line) => {
        const message = readMessage(line);
        if (message === undefined) return;
        watchdog.refresh();
        onMessage(message, line);
      },
    },
  );
  clearTimeout(watchdog);
  const reason = silence.signal.aborted
    ? `it was silent for ${maxSilenceMs / 1000} s`
    : printable(lastLine(stderr)).slice(0, 300) || "it ended";
  return { stdout, reason: `the grader's machine failed (${reason})` };
}

/** Reads the results once the program has ended: a picture is longer than `onLine` passes on. */
function resultsIn(output: string) {
  const reports = new Map<Task, TaskReport>();
  const pictures = new Map<Task, Buffer>();
  for (const message of output.split("\n").map(readMessage)) {
    if (message?.kind === "picture") {
      pictures.set(message.part, Buffer.from(message.picture, "base64"));
    } else if (message?.kind === "done" && message.part !== "reading") {
      reports.set(message.part, message.report);
    }
  }
  return { reports, pictures };
}
