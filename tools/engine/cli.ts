import { commandLine, main } from "../lib/cli";
import { type Report, runSteps } from "../lib/progress";
import { daemonPid } from "./daemon";
import { describeEngine, ensureEngine, stopEngineIfIdle } from "./engine";

main(async (signal) => {
  const program = commandLine("npm run engine --").description(
    "The Docker engine that this project starts on a machine without one.",
  );
  const print = (line: string): boolean => process.stdout.write(`${line}\n`);

  program
    .command("start")
    .description("use the running engine, or install and start one")
    .action(() => {
      const run = async (report: Report) => describeEngine(await ensureEngine(report, signal));
      return runSteps([{ title: "Docker engine", run }]);
    });

  program
    .command("stop")
    .description("stop the engine if this project started it and no container runs in it")
    .action(async () => {
      const isRunning = daemonPid() !== undefined;
      if (await stopEngineIfIdle()) print("The Docker engine is stopped");
      else print(isRunning ? "The Docker engine is in use" : "No engine of this project runs");
    });

  await program.parseAsync();
  return undefined;
});
