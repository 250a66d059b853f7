import { Argument } from "commander";
import { describeMachine, withEngine } from "../engine/engine";
import { darkFile, writeChart } from "../lib/chart";
import { collect, commandLine, main, wholeNumber } from "../lib/cli";
import { UserError } from "../lib/errors";
import type { Step } from "../lib/progress";
import { requireWritable } from "../lib/report-file";
import type { TemporaryProject } from "../lib/temporary-project";
import { cases, chooseCases, type FaultCase } from "./cases";
import { faultChart } from "./chart";
import { buildLab, openLab, runCase } from "./lab";
import { inFlightLimit } from "./load";
import type { CaseReport, LabReport } from "./report";
import { renderText } from "./report-text";
import { type StackName, stackNames } from "./stacks";

interface Options {
  fault: string[];
  list?: boolean;
  rounds: number;
  rate: number;
  json?: boolean;
  svg?: string;
}

const help = `
Exit code: 0 nothing was lost, 1 requests were lost, 2 the lab could not run.
The faults are described in docs/faults.md.`;

main(async (signal) => {
  const names = cases.map(({ name }) => name);
  const program = commandLine("npm run faults --")
    .description("Runs a stack under load, injects faults into it, and counts lost requests.")
    .addArgument(
      new Argument("[stack]", "the stack to test").choices(stackNames).default("production"),
    )
    .option("--fault <name>", "inject only this fault (repeatable)", collect(names), [])
    .option("--list", "list the faults")
    .option("--rounds <number>", "inject each fault this many times", wholeNumber(1, 100), 1)
    .option("--rate <number>", "requests per second", wholeNumber(10, 5_000), 500)
    .option("--json", "print the report as JSON")
    .option("--svg <file>", "also write a chart of the one fault, and a dark one next to it")
    .addHelpText("after", help)
    .parse();
  const [stack] = program.processedArgs as [StackName];
  const { fault, list, rounds, rate, json, svg } = program.opts<Options>();
  const chosen = chooseCases(fault, stack);
  if (list) {
    const width = Math.max(...names.map(({ length }) => length));
    for (const { name, about } of chosen) console.log(`${name.padEnd(width)}  ${about}`);
    return 0;
  }
  if (svg !== undefined) {
    const count = chosen.length * rounds;
    if (count > 1) throw new UserError(`--svg draws one fault, not ${count}: name it by --fault.`);
    for (const file of [svg, darkFile(svg)]) await requireWritable(file);
  }

  const reports: CaseReport[] = [];
  let project: TemporaryProject | undefined;
  const build: Step = {
    title: stack,
    run: async (report) => {
      project = await openLab(stack);
      await buildLab(project, chosen, signal, report);
      return `${stack} is built`;
    },
  };
  const stepFor = (faultCase: FaultCase, round: number): Step => {
    const title = rounds === 1 ? faultCase.name : `${faultCase.name}, round ${round}`;
    return {
      title,
      run: async (report) => {
        const settings = { round, rate };
        const stack = project as TemporaryProject;
        const result = await runCase(stack, faultCase, settings, signal, report);
        reports.push(result);
        return `${title}: ${result.lost} of ${result.sent} lost`;
      },
    };
  };
  const steps = Array.from({ length: rounds }, (_, index) =>
    chosen.map((faultCase) => stepFor(faultCase, index + 1)),
  );
  const engine = await withEngine(signal, [build, ...steps.flat()], {
    cleanUp: async () => project?.remove(),
  });
  const machine = describeMachine(engine);
  const settings = { stack, rounds, rate, inFlightLimit };
  const report: LabReport = { ...settings, machine, date: new Date(), cases: reports };
  if (svg !== undefined) await writeChart(svg, faultChart(reports[0] as CaseReport, report));
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : renderText(report));
  return reports.some(({ lost }) => lost > 0) ? 1 : 0;
});
