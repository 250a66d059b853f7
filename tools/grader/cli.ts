import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { InvalidArgumentError } from "commander";
import { describeEngine, type Engine, engineStep, stopEngineIfIdle } from "../engine/engine";
import { commandLine, main } from "../lib/cli";
import { UserError } from "../lib/errors";
import { type Report, runSteps } from "../lib/progress";
import { requireWritable, writeReport } from "../lib/report-file";
import { type Grading, grading } from "./grade";
import { renderHtml } from "./render-html";
import { renderText, scoreLine, tally } from "./render-text";
import { openRepository, type Task, tasks } from "./repository";
import { newPrefix, tidyUp } from "./sandbox";

interface Options {
  task: Task[];
  json?: boolean;
  html?: string;
  keep?: boolean;
  timeout: number;
}

main(async (signal) => {
  const program = commandLine("npm run grade --")
    .description(
      "Builds and runs each task of a repository of the course, whatever it is written in, and says for every point whether it holds, why not, and what to do.",
    )
    .argument("[folder]", "the repository", ".")
    .option("--task <number>", "only this task; may be given more than once", addTask, [])
    .option("--json", "the report as JSON on stdout")
    .option("--html <file>", "the report as one page, with pictures, into a file as well")
    .option("--keep", "leave everything running for a look, until Ctrl-C")
    .option("--timeout <seconds>", "for one build", seconds, 600)
    .addHelpText(
      "after",
      "\nExit code: 0 nothing fails, 1 something does, 2 it could not be graded.\nThe report is described in docs/grader.md.",
    )
    .parse();
  const [folder] = program.processedArgs as [string];
  const { task: chosen, json, html, keep, timeout } = program.opts<Options>();

  const scratch = mkdtempSync(path.join(tmpdir(), "softy-pinko-grader-"));
  process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
  const folders = await openRepository(folder, scratch);
  if (html !== undefined) await requireWritable(html);
  const wanted = tasks.filter((task) => chosen.length === 0 || chosen.includes(task));
  const prefix = newPrefix();
  const silent = Object.assign(() => undefined, { detail: () => undefined });
  const sandbox = { prefix, signal, report: silent, buildTimeoutMs: timeout * 1_000 };
  const gradings = wanted.map((task) => grading(task, folders.get(task), sandbox));
  let engine: Engine | undefined;
  try {
    await runSteps([
      engineStep(signal, (ready) => {
        engine = ready;
      }),
      {
        title: "What can be read",
        run: async () => {
          for (const { read } of gradings) await read();
          return undefined;
        },
      },
      ...gradings.map((one) => ({
        title: one.task,
        run: async (report: Report) => {
          try {
            await one.run(report);
          } finally {
            if (!keep || signal.aborted) await one.takeDown();
          }
          const { points, seconds } = one.report();
          return `${one.task}: ${scoreLine(points)} (${seconds} s)`;
        },
      })),
    ]);
    const reports = gradings.map((one) => one.report());
    const facts = {
      repository: path.basename(path.resolve(folder)),
      graded: new Date(),
      engine: engine === undefined ? "" : describeEngine(engine),
      tasks: reports,
    };
    if (html !== undefined) {
      await writeReport(html, renderHtml({ ...facts, pictures: picturesOf(gradings) }));
    }
    process.stdout.write(
      json ? `${JSON.stringify({ version: 1, ...facts }, null, 2)}\n` : renderText(reports),
    );
    if (keep) await letLook(gradings, signal);
    return tally(reports.flatMap(({ points }) => points)).fail > 0 ? 1 : 0;
  } finally {
    if (keep) for (const { takeDown } of gradings) await takeDown();
    await tidyUp({ prefix });
    if (engine?.started) await stopEngineIfIdle();
  }
});

function picturesOf(gradings: readonly Grading[]): Map<Task, Buffer> {
  const pictures = new Map<Task, Buffer>();
  for (const { task, picture } of gradings) {
    const own = picture();
    if (own !== undefined) pictures.set(task, own);
  }
  return pictures;
}

/** Says where everything runs, and waits until Ctrl-C. */
async function letLook(gradings: readonly Grading[], signal: AbortSignal): Promise<void> {
  const addresses = await Promise.all(gradings.map((one) => one.addresses()));
  process.stderr.write(`\n${addresses.flat().join("\n")}\nCtrl-C ends it.\n`);
  // A signal that is waited for does not keep a process alive
  const alive = setInterval(() => undefined, 60_000);
  if (!signal.aborted) await once(signal, "abort");
  clearInterval(alive);
}

function addTask(value: string, before: Task[]): Task[] {
  const task = `task${value.replace(/^task/, "")}` as Task;
  if (!tasks.includes(task)) throw new UserError(`no task ${value}: choose 0 to 6.`);
  return [...before, task];
}

function seconds(value: string): number {
  if (!/^\d+$/.test(value) || Number(value) === 0) {
    throw new InvalidArgumentError("give a whole number of seconds.");
  }
  return Number(value);
}
