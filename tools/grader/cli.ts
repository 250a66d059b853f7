import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { InvalidArgumentError } from "commander";
import { describeEngine, type Engine, engineStep, stopEngineIfIdle } from "../engine/engine";
import { commandLine, main, onEnd } from "../lib/cli";
import { UserError } from "../lib/errors";
import { runSteps } from "../lib/progress";
import { requireWritable, writeReport } from "../lib/report-file";
import { baseImages } from "./base-images";
import { leaveRepository } from "./leave";
import { lendImages, type Machine, openMachine } from "./machine";
import { follow } from "./progress";
import { renderHtml } from "./render-html";
import { renderText, scoreLine, tally } from "./render-text";
import { openRepository, type Task, tasks } from "./repository";
import { type Graded, gradeIn } from "./session";

interface Options {
  task: Task[];
  json?: boolean;
  html?: string;
  timeout: number;
}

/** Whatever is not a result: an interruption as much as a folder that is not there. */
const unfinished = 2;

main(
  async (signal) => {
    const program = commandLine("npm run grade --")
      .description(
        "Builds and runs each task of a repository of the course, whatever it is written in, and says for every point whether it holds, why not, and what to do.",
      )
      .argument("[folder]", "the repository", ".")
      .option("--task <number>", "only this task; may be given more than once", addTask, [])
      .option("--json", "the report as JSON on stdout")
      .option("--html <file>", "the report as one page, with pictures, into a file as well")
      .option("--timeout <seconds>", "for one build", seconds, 600)
      .addHelpText(
        "after",
        "\nExit code: 0 nothing fails, 1 something does, 2 it could not be graded.\nThe report is described in docs/grader.md.",
      )
      .parse();
    const { task: chosen, json, html, timeout } = program.opts<Options>();
    const folder = path.resolve(program.processedArgs[0] as string);
    const page = html === undefined ? undefined : path.resolve(html);
    leaveRepository(folder);

    const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-grader-"));
    let engine: Engine | undefined;
    let machine: Machine | undefined;
    let graded: Promise<Graded> | undefined;
    const cleanUp = async (): Promise<void> => {
      await machine?.close();
      await rm(scratch, { recursive: true, force: true });
      if (engine?.started) await stopEngineIfIdle();
    };
    const forget = onEnd(cleanUp);
    try {
      const folders = await openRepository(folder, scratch);
      if (page !== undefined) await requireWritable(page);
      const wanted = tasks.filter((task) => chosen.length === 0 || chosen.includes(task));
      const { steps, onMessage, end } = follow(wanted, ({ points, seconds }) => {
        return `${scoreLine(points)} (${seconds} s)`;
      });
      await runSteps([
        engineStep(signal, (ready) => {
          engine = ready;
        }),
        {
          title: "A machine to grade in",
          run: async (report) => {
            machine = await openMachine({ name: process.env.GRADER_MACHINE, report, signal });
            await lendImages(machine, baseImages(folders), { signal });
            const session = { tasks: wanted, folders, scratch, signal, onMessage };
            graded = gradeIn(machine, { ...session, buildTimeoutMs: timeout * 1_000 });
            graded.then(() => end(), end);
            return undefined;
          },
        },
        ...steps,
      ]);
      if (graded === undefined) throw new Error("the steps have not run");
      const { reports, pictures } = await graded;
      const facts = {
        repository: path.basename(folder),
        graded: new Date(),
        engine: engine === undefined ? "" : describeEngine(engine),
        tasks: reports,
      };
      if (page !== undefined) await writeReport(page, renderHtml({ ...facts, pictures }));
      process.stdout.write(
        json ? `${JSON.stringify({ version: 1, ...facts }, null, 2)}\n` : renderText(reports),
      );
      return tally(reports.flatMap(({ points }) => points)).fail > 0 ? 1 : 0;
    } finally {
      await cleanUp();
      forget();
    }
  },
  { unfinished },
);

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
