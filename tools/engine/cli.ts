import { commandLine, main } from "../lib/cli";
import { engineVersion } from "../lib/docker";
import { runSteps } from "../lib/progress";
import { daemonPid } from "./daemon";
import { engineStep, stopEngineIfIdle } from "./engine";

main(async (signal) => {
  const program = commandLine("npm run engine --").description(
    "The Docker engine that this project starts on a machine without one.",
  );
  const print = (line: string): boolean => process.stdout.write(`${line}\n`);

  program
    .command("start")
    .description("use the running engine, or install and start one")
    .action(() => runSteps([engineStep(signal)]));

  program
    .command("stop")
    .description("stop the engine if this project started it and no container runs in it")
    .action(async () => {
      const isRunning = daemonPid() !== undefined;
      if (await stopEngineIfIdle()) print("The Docker engine is stopped");
      else print(isRunning ? "The Docker engine is in use" : "No engine of this project runs");
    });

  program
    .command("status")
    .description("show the running engine")
    .action(async () => {
      const version = await engineVersion();
      const pid = daemonPid();
      const starter = pid === undefined ? "" : ` (started by this project, process ${pid})`;
      print(version === undefined ? "No Docker engine runs" : `Docker Engine ${version}${starter}`);
    });

  await program.parseAsync();
  return undefined;
});
