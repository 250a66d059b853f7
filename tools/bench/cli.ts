import { randomBytes } from "node:crypto";
import { cpus } from "node:os";
import { describeMachine, withEngine } from "../engine/engine";
import { darkFile, writeChart } from "../lib/chart";
import { collect, commandLine, main, wholeNumber } from "../lib/cli";
import type { Report, Step } from "../lib/progress";
import { requireWritable } from "../lib/report-file";
import { Bench } from "./bench";
import { benchChart } from "./bench-chart";
import { type ContenderName, contenderNames } from "./contenders";
import { failures } from "./failures";
import { fullPlan, type Plan, quickPlan } from "./plan";
import type { BenchReport } from "./report";
import { renderText } from "./report-text";
import { targetsOf } from "./targets";

type Measure = (logs: boolean, round: number, report: Report) => Promise<void>;

interface Options {
  quick: boolean;
  only: ContenderName[];
  rounds?: number;
  json: boolean;
  svg?: string;
}

const description = `\
Compares the stack in production/ with task6, the course's original, other proxies and an upper limit,
in one run on this machine, with and without access logs. The stacks are measured in turn, in several
rounds.`;
const help = `
Stacks: ${contenderNames.join(", ")}.
Exit code: 0 every response was right, however slow; 1 some were not; 2 it could not be measured.
What is measured, and how: docs/benchmark.md.`;

main(async (signal) => {
  const { quick, only, rounds, json, svg } = commandLine("npm run bench --")
    .description(description)
    .option("--quick", "a short run: one round, one second for each figure", false)
    .option("--only <stack>", "only this stack; repeatable", collect(contenderNames), [])
    .option("--rounds <number>", `rounds (default: ${fullPlan.rounds})`, wholeNumber(1, 100))
    .option("--json", "print the report as JSON, raw figures included", false)
    .option("--svg <file>", "also draw a chart, as FILE.svg and FILE-dark.svg")
    .addHelpText("after", help)
    .parse()
    .opts<Options>();
  if (svg !== undefined) for (const file of [svg, darkFile(svg)]) await requireWritable(file);
  const basis = quick ? quickPlan : fullPlan;
  const plan = { ...basis, rounds: rounds ?? basis.rounds };
  const project = `softy-pinko-bench-${randomBytes(3).toString("hex")}`;
  const bench = new Bench(plan, project, signal);
  const engine = await withEngine(signal, stepsOf(bench, plan, only), {
    cleanUp: () => bench.close(),
  });
  const report: BenchReport = {
    machine: describeMachine(engine),
    date: new Date(),
    cores: cpus().length,
    settings: { quick, rounds: plan.rounds, seconds: plan.seconds },
    ...bench.results,
  };
  if (svg !== undefined) await writeChart(svg, benchChart(report));
  const problems = failures(report);
  const judged = { ...report, targets: targetsOf(report), failures: problems };
  process.stdout.write(json ? `${JSON.stringify(judged, null, 2)}\n` : renderText(report));
  return problems.length > 0 ? 1 : 0;
});

function stepsOf(bench: Bench, plan: Plan, only: readonly ContenderName[]): Step[] {
  const names = contenderNames.filter((name) => only.length === 0 || only.includes(name));
  const inRounds = (count: number, what: string, measure: Measure): Step[] =>
    Array.from({ length: count }, (_, round) => `${what}: round ${round + 1} of ${count}`).flatMap(
      (title, round) => [
        step(title, (report) => measure(true, round, report)),
        step(`${title}, without logs`, (report) => measure(false, round, report)),
      ],
    );
  return [
    step("images", (report) => bench.build(names, report)),
    ...inRounds(plan.rounds, "full load", (...each) => bench.measureRound(...each)),
    ...inRounds(Math.min(plan.rounds, plan.clock.rounds), "by the clock", (logs, _, report) =>
      bench.measureByTheClock(logs, report),
    ),
  ];
}

function step(title: string, work: (report: Report) => Promise<void>): Step {
  return { title, run: (report) => work(report).then(() => undefined) };
}
