import { stopEngineIfIdle } from "../engine/engine";
import { commandLine, main } from "../lib/cli";
import { findStep, steps } from "../lib/course";
import { findEngine } from "../lib/find-docker";
import { stopByHand } from "./by-hand";
import { stopWithCompose } from "./with-compose";

main(async () => {
  const program = commandLine("npm stop --")
    .description(
      "Stops what npm start started, and the Docker engine if this project started it and no container runs in it.",
    )
    .argument("[task]", "stop only this one")
    .parse();
  const [only] = program.processedArgs as [string | undefined];
  const chosen = only === undefined ? steps : [findStep(only)];

  const print = (line: string): boolean => process.stdout.write(`${line}\n`);
  if ((await findEngine()) === undefined) {
    print("Nothing to stop: no Docker engine runs.");
    return undefined;
  }
  let count = 0;
  for (const { name, kind } of chosen) {
    const stop = { print: undefined, "by hand": stopByHand, compose: stopWithCompose }[kind];
    if (await stop?.(name)) {
      count += 1;
      print(`${name} is stopped`);
    }
  }
  if (count === 0) print("Nothing to stop: no step is up.");
  if (await stopEngineIfIdle()) print("The Docker engine is stopped");
  return undefined;
});
