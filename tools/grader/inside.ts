import { once } from "node:events";
import { createInterface } from "node:readline";
import { grading } from "./grade";
import type { Message, Part, Request } from "./messages";
import { newPrefix } from "./sandbox";

/*
 * The grader in the machine: reads one request from standard input, judges, and sends messages on
 * standard output. It ends with its standard input.
 */

const tell = (message: Message): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

const reportOn = (part: Part) =>
  Object.assign((line: string) => tell({ kind: "milestone", part, line }), {
    detail: (line: string) => tell({ kind: "detail", part, line }),
  });

async function grade({ tasks, folders, buildTimeoutMs }: Request): Promise<void> {
  const ending = new AbortController();
  process.stdin.once("end", () => ending.abort());
  const sandbox = {
    prefix: newPrefix(),
    signal: ending.signal,
    report: reportOn("reading"),
    buildTimeoutMs,
  };
  const gradings = tasks.map((task) => {
    const folder = folders.find((candidate) => candidate.task === task);
    return grading(task, folder && { ...folder, entries: new Map(folder.entries) }, sandbox);
  });
  for (const { read } of gradings) await read();
  tell({ kind: "done", part: "reading" });
  for (const { task, run, takeDown, report, picture } of gradings) {
    await run(reportOn(task)).finally(takeDown);
    tell({ kind: "done", part: task, report: report() });
    const image = picture();
    if (image !== undefined) {
      tell({ kind: "picture", part: task, picture: image.toString("base64") });
    }
  }
}

async function main(): Promise<void> {
  // The grader outside takes silence for a hang
  const alive = setInterval(() => tell({ kind: "alive" }), 5_000);
  const [line] = (await once(createInterface(process.stdin), "line")) as [string];
  await grade(JSON.parse(line) as Request);
  clearInterval(alive);
  process.stdout.write("", () => process.exit(0));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
