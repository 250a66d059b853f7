import { Command, InvalidArgumentError } from "commander";
import { describeEngine, type Engine, ensureEngine, stopEngineIfIdle } from "../engine/engine";
import { main } from "../lib/cli";
import { UserError } from "../lib/errors";
import { type Report, runSteps } from "../lib/progress";
import { type Grading, grading } from "./grade";
import { renderText, scoreLine, tally } from "./render-text";
import { openRepository, type Task, tasks } from "./repository";
import { newPrefix, tidyUp } from "./sandbox";

interface Options {
  task: Task[];
  json?: boolean;
  timeout: number;
}

main(async (signal) => {
  const program = new Command("npm run grade --")
    .description(
      "Builds and runs each task of a repository of the course, whatever it is written in, and says for every point whether it holds, why not, and what to do.",
    )
    .argument("[folder]", "the repository", ".")
    .option("--task <number>", "only this task; may be given more than once", addTask, [])
    .option("--json", "the report as JSON on stdout")
    .option("--timeout <seconds>", "for one build", seconds, 600)
    .addHelpText("after", "\nExit code: 0 all holds, 1 something fails, 2 it could not be graded.")
    .parse();
  const [folder] = program.processedArgs as [string];
  const { task: chosen, json, timeout } = program.opts<Options>();

  const folders = await openRepository(folder);
  const wanted = tasks.filter((task) => chosen.length === 0 || chosen.includes(task));
  const prefix = newPrefix();
  const gradings: Grading[] = [];
  let engine: Engine | undefined;
  const silent = Object.assign(() => undefined, { detail: () => undefined });
  const sandbox = { prefix, signal, report: silent, buildTimeoutMs: timeout * 1_000 };
  try {
    await runSteps([
      {
        title: "Docker engine",
        run: async (report) => {
          engine = await ensureEngine(report, signal);
          return describeEngine(engine);
        },
      },
      {
        title: "Reading",
        run: async () => {
          for (const task of wanted) {
            const one = grading(task, folders.get(task), sandbox);
            await one.read();
            gradings.push(one);
          }
          return `Read ${folder}`;
        },
      },
      ...wanted.map((task) => ({
        title: task,
        run: async (report: Report) => {
          const one = gradings.find((candidate) => candidate.task === task);
          await one?.run(report);
          const { points, seconds } = one?.report() ?? { points: [], seconds: 0 };
          return `${task}: ${scoreLine(points)} (${seconds} s)`;
        },
      })),
    ]);
  } finally {
    await tidyUp({ prefix });
    if (engine?.started) await stopEngineIfIdle();
  }
  const reports = gradings.map((one) => one.report());
  process.stdout.write(
    json ? `${JSON.stringify({ version: 1, tasks: reports }, null, 2)}\n` : renderText(reports),
  );
  return tally(reports.flatMap(({ points }) => points)).fail > 0 ? 1 : 0;
});

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
