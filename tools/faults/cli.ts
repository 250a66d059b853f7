import { InvalidArgumentError } from "commander";
import { describeMachine, type Engine, engineStep, stopEngineIfIdle } from "../engine/engine";
import { commandLine, main } from "../lib/cli";
import { UserError } from "../lib/errors";
import { type Report, runSteps, type Step } from "../lib/progress";
import { requireWritable, writeReport } from "../lib/report-file";
import { cases, chooseCases, type FaultCase } from "./cases";
import { type Lab, openLab } from "./lab";
import { findProfile, profileNames } from "./profiles";
import type { CaseReport, LabReport } from "./report";
import { renderHtml } from "./report-html";
import { renderText } from "./report-text";
import { renderTimeline } from "./timeline";

interface Options {
  fault: string[];
  list?: boolean;
  rounds: number;
  connections: number;
  json?: boolean;
  html?: string;
  svg?: string;
}

main(async (signal) => {
  const program = commandLine("npm run faults --")
    .description(
      "Starts a stack of its own, keeps it under load, breaks one thing after the other in it, and counts the requests that are lost.",
    )
    .argument("[stack]", profileNames, "production")
    .option("--fault <name>", "only this fault; may be given more than once", collect, [])
    .option("--list", "list the faults")
    .option("--rounds <number>", "try each fault so many times", count(100), 1)
    .option("--connections <number>", "load over so many connections", count(256), 8)
    .option("--json", "the report as JSON on stdout")
    .option("--html <file>", "the report as one page, with timelines, into a file as well")
    .option("--svg <file>", "the timeline of the one fault that is tried, into a file as well")
    .addHelpText(
      "after",
      "\nExit code: 0 nothing was lost, 1 something was, 2 it could not be tried.\nThe faults are described in docs/faults.md.",
    )
    .parse();
  const [name] = program.processedArgs as [string];
  const { fault, list, rounds, connections, json, html, svg } = program.opts<Options>();
  const profile = findProfile(name);
  const chosen = chooseCases(fault, profile);
  if (list) {
    process.stdout.write(listOf(chosen));
    return 0;
  }
  if (svg !== undefined && (chosen.length > 1 || rounds > 1)) {
    throw new UserError(
      `--svg draws one case, not ${chosen.length * rounds}: name it with --fault.`,
    );
  }
  for (const file of [html, svg]) if (file !== undefined) await requireWritable(file);

  const reports: CaseReport[] = [];
  let engine: Engine | undefined;
  let lab: Lab | undefined;
  try {
    await runSteps([
      engineStep(signal, (ready) => {
        engine = ready;
      }),
      {
        title: profile.name,
        run: async (report) => {
          lab = await openLab(profile, connections, signal);
          await lab.build(chosen, report);
          return `${profile.name} is built`;
        },
      },
      ...Array.from({ length: rounds }, (_, round) =>
        chosen.map((one) => stepFor(one, round + 1)),
      ).flat(),
    ]);
  } finally {
    await lab?.close();
    if (engine?.started) await stopEngineIfIdle();
  }
  const report: LabReport = {
    stack: profile.name,
    machine: describeMachine(engine),
    date: new Date(),
    ...{ rounds, connections, cases: reports },
  };
  if (html !== undefined) await writeReport(html, renderHtml(report));
  const [only] = reports;
  if (svg !== undefined && only !== undefined) await writeReport(svg, renderTimeline(only, report));
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : renderText(report));
  return reports.some(({ lost }) => lost > 0) ? 1 : 0;

  function stepFor(one: FaultCase, round: number): Step {
    const title = rounds === 1 ? one.name : `${one.name}, round ${round}`;
    return {
      title,
      run: async (report: Report) => {
        if (lab === undefined) return undefined;
        const tried = await lab.tryOut(one, round, report);
        reports.push(tried);
        return `${title}: ${tried.lost} of ${tried.sent} lost`;
      },
    };
  }
});

function listOf(chosen: readonly FaultCase[]): string {
  const width = Math.max(...cases.map(({ name }) => name.length));
  return chosen.map(({ name, about }) => `${name.padEnd(width)}  ${about}\n`).join("");
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** A whole number from 1 to some most. */
function count(most: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
    if (number < 1 || number > most) {
      throw new InvalidArgumentError(`give a whole number from 1 to ${most}.`);
    }
    return number;
  };
}
