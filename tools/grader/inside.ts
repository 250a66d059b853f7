import { once } from "node:events";
import { createInterface } from "node:readline";
import { gradeAll } from "./grade";
import type { Message, Part, Request } from "./messages";
import { newPrefix } from "./sandbox";

/*
 * The grader in the machine: reads one request from standard input, judges, and sends messages on
 * standard output. It ends with its standard input.
 */

const send = (message: Message): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

const reportOn = (part: Part) =>
  Object.assign((line: string) => send({ kind: "milestone", part, line }), {
    detail: (line: string) => send({ kind: "detail", part, line }),
  });

async function grade({ tasks, folders, buildTimeoutMs }: Request): Promise<void> {
  const ending = new AbortController();
  process.stdin.once("end", () => ending.abort());
  const { signal } = ending;
  const sandbox = { prefix: newPrefix(), signal, report: reportOn("reading"), buildTimeoutMs };
  const byTask = folders.map((folder) => {
    return [folder.task, { ...folder, entries: new Map(folder.entries) }] as const;
  });
  await gradeAll(tasks, new Map(byTask), sandbox, {
    reportOn,
    onRead: () => send({ kind: "done", part: "reading" }),
    onGraded: (report, png) => {
      const part = report.task;
      send({ kind: "done", part, report });
      if (png !== undefined) send({ kind: "picture", part, picture: png.toString("base64") });
    },
  });
}

async function main(): Promise<void> {
  // The grader outside takes silence for a hang
  const alive = setInterval(() => send({ kind: "alive" }), 5_000);
  const [line] = (await once(createInterface(process.stdin), "line")) as [string];
  await grade(JSON.parse(line) as Request);
  clearInterval(alive);
  process.stdout.write("", () => process.exit(0));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
