import path from "node:path";
import { Option } from "commander";
import { describeEngine, withEngine } from "../engine/engine";
import { collect, commandLine, main, wholeNumber } from "../lib/cli";
import type { Report } from "../lib/progress";
import { requireWritable, writeReport } from "../lib/report-file";
import { addClassOptions, classCommand } from "./class/command";
import { copyRepository, gradeCopy } from "./grade-repository";
import { type HintLevel, hintLevels, withhold } from "./hints";
import { nameOfCommand, pathOfDocs } from "./invocation";
import { leaveRepository } from "./leave";
import { machineNames } from "./machine";
import { renderHtml } from "./render-html";
import { renderText } from "./render-text";
import { tasks as allTasks, type Task } from "./repository";
import { exitCodeOf } from "./score";
import type { Graded } from "./session";
import { watchCommand } from "./watch/watch";

interface Options {
  task: Task[];
  json?: boolean;
  html?: string;
  hints: HintLevel;
  strict?: boolean;
  watch?: boolean;
  timeout: number;
}

/** The exit code if there is no result: after an interrupt as for a missing folder. */
const unfinished = 2;

const addTask = collect(allTasks);

main(
  async (signal) => {
    const program = commandLine(nameOfCommand(process.argv[1] as string, process.env))
      .description(
        "Builds and runs a repository of the course, and reports what holds and what not.",
      )
      .argument("[folders...]", 'the repository; several are a class (default: ".")')
      .option(
        "--task <number>",
        "grade only this task; can be repeated",
        (value: string, previous: Task[]) => addTask(`task${value.replace(/^task/, "")}`, previous),
        [],
      )
      .option("--json", "print the report as JSON")
      .option("--html <file>", "also write the report as one page, with pictures")
      .addOption(
        new Option(
          "--hints <level>",
          "none: only the verdicts; where: also causes and places; what: all",
        )
          .choices(hintLevels)
          .default("what"),
      )
      .addOption(
        new Option("--watch", "grade again whatever is saved, until Ctrl-C").conflicts([
          "json",
          "html",
          "strict",
          "class",
          "out",
        ]),
      )
      .option("--strict", "exit with 2 if points could not be judged, and none fails")
      .option("--timeout <seconds>", "for one build", wholeNumber(1, 86_400), 600)
      .addHelpText(
        "after",
        `\nExit code: 0 no point fails, 1 a point fails, 2 no result. See ${pathOfDocs()}.`,
      );
    addClassOptions(program).parse();
    const options = program.opts<Options>();
    const tasks = allTasks.filter(
      (task) => options.task.length === 0 || options.task.includes(task),
    );
    const { hints } = options;
    const buildTimeoutMs = options.timeout * 1_000;
    const exitCode = await classCommand(program, { tasks, buildTimeoutMs, hints }, signal);
    if (exitCode !== undefined) return exitCode;
    const folder = path.resolve(program.args[0] ?? ".");
    const page = options.html === undefined ? undefined : path.resolve(options.html);
    leaveRepository(folder);
    if (options.watch) {
      return watchCommand(folder, { chosen: tasks, hints, buildTimeoutMs, signal });
    }

    const copy = await copyRepository(folder);
    let graded: Graded = { reports: [], pictures: new Map() };
    const run = async (report: Report): Promise<undefined> => {
      graded = await gradeCopy(copy, {
        tasks,
        buildTimeoutMs,
        machineNames: machineNames(),
        report,
        signal,
      });
    };
    if (page !== undefined) await requireWritable(page);
    const engine = await withEngine(signal, [{ title: "Grading", run }], {
      needs: { ports: false },
      cleanUp: copy.remove,
    });

    const { pictures } = graded;
    const reports = withhold(graded.reports, hints);
    const facts = {
      repository: path.basename(folder),
      graded: new Date(),
      engine: describeEngine(engine),
      tasks: reports,
    };
    if (page !== undefined) await writeReport(page, renderHtml({ ...facts, pictures }));
    const json = JSON.stringify({ version: 1, ...facts }, null, 2);
    process.stdout.write(options.json ? `${json}\n` : renderText(reports));
    const points = reports.flatMap((report) => report.points);
    return exitCodeOf(points, options.strict ?? false);
  },
  { unfinished },
);
