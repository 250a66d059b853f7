import { renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { gradeAll } from "./grade";
import type { Message, Part, Request } from "./messages";
import { newPrefix } from "./sandbox";

/*
 * The grader in the machine: reads requests from standard input, judges, and sends messages on
 * standard output. It ends after a request without a number, or with its standard input.
 */

const senderFor =
  ({ number }: Pick<Request, "number">) =>
  (message: Message): void => {
    process.stdout.write(`${JSON.stringify({ ...message, number })}\n`);
  };

/** @param before Settles when what an earlier request has started is removed. */
async function grade(request: Request, signal: AbortSignal, before?: Promise<void>): Promise<void> {
  const { tasks, folders, buildTimeoutMs, number } = request;
  const send = senderFor(request);
  const reportOn = (part: Part) =>
    Object.assign((line: string) => send({ kind: "milestone", part, line }), {
      // While a repository is watched, days of output would fill the memory of the grader outside
      detail: (line: string) => number === undefined && send({ kind: "detail", part, line }),
    });
  const sandbox = { prefix: newPrefix(), signal, report: reportOn("reading"), buildTimeoutMs };
  const byTask = folders.map((folder) => {
    return [folder.task, { ...folder, entries: new Map(folder.entries) }] as const;
  });
  await gradeAll(tasks, new Map(byTask), sandbox, {
    reportOn,
    onTaskRead: (report) => {
      signal.throwIfAborted();
      if (number !== undefined) send({ kind: "read", part: report.task, report });
    },
    onRead: async () => {
      send({ kind: "done", part: "reading" });
      await before;
      signal.throwIfAborted();
    },
    onGraded: (report, png) => {
      const part = report.task;
      send({ kind: "done", part, report });
      if (png === undefined || number !== undefined) return;
      send({ kind: "picture", part, picture: png.toString("base64") });
    },
  });
}

/** The grading of the latest request. */
let current: { ending: AbortController; ended: Promise<void>; homes: Set<string> } | undefined;

/** Ends the grading of the request before, and starts another. */
function replace(request: Request): void {
  const before = current;
  before?.ending.abort();
  for (const [from, to] of request.moved ?? []) renameSync(from, to);
  const ending = new AbortController();
  const homes = new Set(request.folders.map((folder) => path.posix.dirname(folder.path)));
  const graded = grade(request, ending.signal, before?.ended);
  const settled = graded.catch((error: unknown) => {
    if (!ending.signal.aborted) fail(error);
  });
  const ended = settled.then(async () => {
    if (request.number === undefined) process.stdout.write("", () => process.exit(0));
    await before?.ended;
    for (const home of before?.homes ?? []) {
      if (!homes.has(home)) await rm(home, { recursive: true, force: true });
    }
  });
  current = { ending, ended, homes };
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

// The grader outside takes silence for a hang
setInterval(() => senderFor({})({ kind: "alive" }), 5_000);
createInterface(process.stdin)
  .on("line", (line) => replace(JSON.parse(line) as Request))
  .on("close", async () => {
    current?.ending.abort();
    await current?.ended;
    process.exit(1);
  });
