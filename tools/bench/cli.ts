import { randomBytes } from "node:crypto";
import { InvalidArgumentError } from "commander";
import { describeMachine, type Engine, engineStep, stopEngineIfIdle } from "../engine/engine";
import { findChromium } from "../lib/chromium";
import { commandLine, main } from "../lib/cli";
import type { Report, Step } from "../lib/progress";
import { runSteps } from "../lib/progress";
import { requireWritable, writeReport } from "../lib/report-file";
import { type Bench, full, openBench, type Plan, quick } from "./bench";
import { measureBuilds } from "./builds";
import { renderCharts } from "./charts";
import { type ContenderName, contenderNames } from "./contenders";
import { serveOriginalPage } from "./original-page";
import { broadband, measurePage } from "./page";
import type { BenchReport } from "./report";
import { renderHtml } from "./report-html";
import { renderText } from "./report-text";
import { failures, judgeTargets } from "./targets";

interface Options {
  quick?: boolean;
  loadOnly?: boolean;
  only: ContenderName[];
  rounds?: number;
  soak?: number;
  json?: boolean;
  html?: string;
  svg?: string;
}

main(async (signal) => {
  const program = commandLine("npm run bench --")
    .description(
      "Measures the stack in production/ next to task6, the course's original, other proxies and the limit, in one run on this machine: the stacks take turns, and figures are medians over the rounds.",
    )
    .option("--quick", "a short look: one round, a second for each figure")
    .option("--load-only", "requests per second with two servers, and nothing else")
    .option("--only <stack>", "only this one; may be given more than once", collect, [])
    .option("--rounds <number>", `turns for each stack (default: ${full.rounds})`, count(1, 100))
    .option("--soak <seconds>", `load that goes on (default: ${full.soak})`, count(0, 86_400))
    .option("--json", "the report as JSON on stdout, raw figures and all")
    .option("--html <file>", "the report as one page, with charts, into a file as well")
    .option("--svg <file>", "the charts alone, into a file as well")
    .addHelpText(
      "after",
      `\nStacks: ${contenderNames.join(", ")}.\nExit code: 0 all answers were right, however slow, 1 some were not, 2 it could not be measured.\nWhat is measured and how: docs/benchmark.md.`,
    )
    .parse();
  const options = program.opts<Options>();
  const { json, html, svg } = options;
  const basis: Plan = options.quick ? quick : full;
  const plan: Plan = {
    ...basis,
    rounds: options.rounds ?? basis.rounds,
    soak: options.soak ?? basis.soak,
    ...(options.loadOnly && { allScales: false }),
  };
  const names = contenderNames.filter(
    (name) => options.only.length === 0 || options.only.includes(name),
  );
  for (const file of [html, svg]) if (file !== undefined) await requireWritable(file);

  const project = `softy-pinko-bench-${randomBytes(3).toString("hex")}`;
  const found: Pick<BenchReport, "rotation" | "builds" | "page" | "soak"> = {
    ...{ rotation: [], builds: undefined, page: undefined, soak: undefined },
  };
  let engine: Engine | undefined;
  let opened: Bench | undefined;
  const bench = (): Bench => {
    if (opened === undefined) throw new Error("the benchmark is not prepared");
    return opened;
  };
  const step = (title: string, run: (report: Report) => Promise<unknown>): Step => ({
    title,
    run: async (report) => {
      await run(report);
      return title;
    },
  });

  const ofProduction: Step[] = [
    step("rotation", async (report) => {
      found.rotation = await bench().rotation(report);
    }),
    step("front page", async (report) => {
      found.page = await measurePages(report);
    }),
    ...(plan.edits === 0
      ? []
      : [
          step("builds", async (report) => {
            found.builds = await measureBuilds(`${project}-build`, plan.edits, signal, report);
          }),
        ]),
    ...(plan.soak === 0
      ? []
      : [
          step(`soak of ${plan.soak} s`, async (report) => {
            found.soak = await bench().soak(report);
          }),
        ]),
  ];

  try {
    await runSteps([
      engineStep(signal, (ready) => {
        engine = ready;
      }),
      step("images", async (report) => {
        opened = await openBench(plan, project, signal);
        for (const name of names) {
          report(`building ${project}-${name}`);
          await opened.build(name, report);
        }
      }),
      ...Array.from({ length: plan.rounds }, (_, round) =>
        step(`round ${round + 1} of ${plan.rounds}`, async (report) => {
          for (const name of names) await bench().turn(name, report);
        }),
      ),
      ...(names.includes("production") && !options.loadOnly ? ofProduction : []),
    ]);
  } finally {
    await opened?.close();
    if (engine?.started) await stopEngineIfIdle();
  }

  const { rounds, seconds } = plan;
  const report: BenchReport = {
    machine: describeMachine(engine),
    date: new Date(),
    settings: { quick: options.quick === true, rounds, seconds },
    contenders: bench().reports(),
    ...found,
  };
  if (html !== undefined) await writeReport(html, renderHtml(report));
  if (svg !== undefined) await writeReport(svg, renderCharts(report));
  const wrong = failures(report);
  const told = { ...report, targets: judgeTargets(report), failures: wrong };
  process.stdout.write(json ? `${JSON.stringify(told, null, 2)}\n` : renderText(report));
  return wrong.length > 0 ? 1 : 0;

  async function measurePages(report: Report): Promise<BenchReport["page"]> {
    const chromium = await findChromium();
    if (chromium === undefined) {
      report("no Chromium here: install it, or name one in CHROMIUM; the page is left out");
      return undefined;
    }
    report("the original's weight");
    const original = await serveOriginalPage(`${project}-page`, signal);
    try {
      const theirs = await measurePage(chromium, original.url, plan.visits, signal, broadband);
      return await bench().whileUp(report, async (url) => ({
        ours: await measurePage(chromium, new URL("/", url).href, plan.visits, signal, broadband),
        original: theirs,
      }));
    } finally {
      await original.close();
    }
  }
});

function collect(value: string, before: ContenderName[]): ContenderName[] {
  const name = contenderNames.find((candidate) => candidate === value);
  if (name === undefined) {
    throw new InvalidArgumentError(`choose from ${contenderNames.join(", ")}.`);
  }
  return [...before, name];
}

/** A whole number between two others. */
function count(fewest: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : -1;
    if (number < fewest || number > most) {
      throw new InvalidArgumentError(`give a whole number from ${fewest} to ${most}.`);
    }
    return number;
  };
}
