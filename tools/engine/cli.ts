import { commandLine, main } from "../lib/cli";
import { engineVersion } from "../lib/docker";
import { runSteps } from "../lib/progress";
import { daemonPid } from "./daemon";
import { engineStep, stopEngineIfIdle } from "./engine";

main(async (signal) => {
  const program = commandLine("npm run engine --").description(
    "The Docker engine that this project starts on a machine that has none.",
  );

  program
    .command("start")
    .description("use the engine that answers, or install and start one")
    .action(async () => {
      await runSteps([engineStep(signal)]);
    });

  program
    .command("stop")
    .description("end the engine if it is ours and idle")
    .action(async () => {
      const pid = daemonPid();
      const stopped = await stopEngineIfIdle();
      const kept =
        pid === undefined ? "no engine of ours runs" : "the engine is in use: left alone";
      process.stdout.write(`${stopped ? "the engine is stopped" : kept}\n`);
    });

  program
    .command("status")
    .description("say which engine answers")
    .action(async () => {
      const version = await engineVersion();
      const pid = daemonPid();
      const whose = pid === undefined ? "not ours" : `ours, process ${pid}`;
      process.stdout.write(
        version === undefined ? "no engine answers\n" : `Docker Engine ${version} (${whose})\n`,
      );
    });

  await program.parseAsync();
  return undefined;
});
