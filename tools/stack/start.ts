import { withEngine } from "../engine/engine";
import { commandLine, main } from "../lib/cli";
import { checkPortVariables, findStep, type Step } from "../lib/course";
import type { Report } from "../lib/progress";
import { runOnce, startByHand } from "./by-hand";
import { startWithCompose } from "./with-compose";

main(async (signal) => {
  const program = commandLine("npm start --")
    .description("Builds a step, starts it and waits until it responds. It runs until npm stop.")
    .argument("[task]", "task0 to task6, production or visitor-counter", "task6")
    .addHelpText(
      "after",
      "\nEnvironment variables set the host ports: PROXY_PORT=8080 npm start\n" +
        "(PROXY_PORT 80, FRONT_END_PORT 9000, BACK_END_PORT 5252, WEB_PORT 5002)",
    )
    .parse();
  const [name] = program.processedArgs as [string];
  const step = findStep(name);
  checkPortVariables(step);

  let lines: string[] = [];
  const run = async (report: Report): Promise<string> => {
    lines = await start(step, report, signal);
    return step.kind === "print" ? `${step.name} ran` : `${step.name} is up`;
  };
  await withEngine(signal, [{ title: step.name, run }], { needs: { temporaryFolder: false } });
  if (step.kind !== "print") lines.push("", "Stop it with: npm stop");
  process.stdout.write(`${lines.join("\n")}\n`);
  return undefined;
});

function start(step: Step, report: Report, signal: AbortSignal): Promise<string[]> {
  switch (step.kind) {
    case "print":
      return runOnce(step.name, step.image, report, signal);
    case "by hand":
      return startByHand(step.name, step.parts, report, signal);
    case "compose":
      return startWithCompose(step, report, signal);
  }
}
