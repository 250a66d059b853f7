import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Option } from "commander";
import { describeEngine, withEngine } from "../engine/engine";
import { collect, commandLine, main, onEnd, wholeNumber } from "../lib/cli";
import type { Report } from "../lib/progress";
import { requireWritable, writeReport } from "../lib/report-file";
import { baseImages } from "./base-images";
import { type HintLevel, hintLevels, withhold } from "./hints";
import { nameOfCommand, pathOfDocs } from "./invocation";
import { leaveRepository } from "./leave";
import { lendImages, type Machine, openMachine } from "./machine";
import type { Message } from "./messages";
import { renderHtml } from "./render-html";
import { renderText } from "./render-text";
import { openRepository, type Task, tasks } from "./repository";
import { scoreLine, tally, unjudged } from "./score";
import { type Graded, gradeIn } from "./session";
import { watchCommand } from "./watch/command";

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

const addTask = collect(tasks);

main(
  async (signal) => {
    const program = commandLine(nameOfCommand(process.argv[1] as string, process.env))
      .description(
        "Builds and runs a repository of the course, and reports what holds and what not.",
      )
      .argument("[folder]", "the repository", ".")
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
        ]),
      )
      .option("--strict", "exit with 2 if points could not be judged, and none fails")
      .option("--timeout <seconds>", "for one build", wholeNumber(1, 86_400), 600)
      .addHelpText(
        "after",
        `\nExit code: 0 no point fails, 1 a point fails, 2 no result. See ${pathOfDocs()}.`,
      )
      .parse();
    const options = program.opts<Options>();
    const folder = path.resolve(program.processedArgs[0] as string);
    const page = options.html === undefined ? undefined : path.resolve(options.html);
    const chosen = tasks.filter((task) => options.task.length === 0 || options.task.includes(task));
    const buildTimeoutMs = options.timeout * 1_000;
    leaveRepository(folder);
    if (options.watch) {
      return watchCommand(folder, { chosen, hints: options.hints, buildTimeoutMs, signal });
    }

    const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-grader-"));
    let machine: Machine | undefined;
    const cleanUp = async (): Promise<void> => {
      await machine?.close();
      await rm(scratch, { recursive: true, force: true });
      forget();
    };
    const forget = onEnd(cleanUp);
    const folders = await openRepository(folder, scratch);
    if (page !== undefined) await requireWritable(page);
    let graded: Graded = { reports: [], pictures: new Map() };
    const run = async (report: Report): Promise<undefined> => {
      machine = await openMachine({ name: process.env.GRADER_MACHINE, report, signal });
      await lendImages(machine, baseImages(folders), { signal });
      graded = await gradeIn(machine, {
        tasks: chosen,
        folders,
        scratch,
        buildTimeoutMs,
        signal,
        onMessage: (message) => show(message, report),
      });
    };
    const engine = await withEngine(signal, [{ title: "Grading", run }], cleanUp);

    const { pictures } = graded;
    const reports = withhold(graded.reports, options.hints);
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
    if (tally(points).fail > 0) return 1;
    return options.strict && unjudged(points).length > 0 ? unfinished : 0;
  },
  { unfinished },
);

/** Shows what the grader in the machine does. */
function show(message: Message, report: Report): void {
  if (message.kind === "detail") report.detail(message.line);
  if (message.kind === "milestone") report(`${message.part}: ${message.line}`);
  if (message.kind !== "done" || message.part === "reading") return;
  const { task, points, seconds } = message.report;
  report(`${task}: ${scoreLine(points)} (${seconds} s)`);
}
