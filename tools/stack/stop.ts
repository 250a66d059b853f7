import { stopEngineIfIdle } from "../engine/engine";
import { commandLine, main } from "../lib/cli";
import { findStep, steps } from "../lib/course";
import { engineVersion } from "../lib/docker";
import { stopByHand } from "./by-hand";
import { stopWithCompose } from "./with-compose";

main(async () => {
  const program = commandLine("npm stop --")
    .description("Ends what npm start left running, and the engine if it is ours and idle.")
    .argument("[task]", "only this one")
    .parse();
  const [only] = program.processedArgs as [string | undefined];
  const chosen = only === undefined ? steps : [findStep(only)];

  const say = (line: string): boolean => process.stdout.write(`${line}\n`);
  if ((await engineVersion()) === undefined) {
    say("Nothing to stop: no Docker engine runs.");
    return undefined;
  }
  let count = 0;
  for (const { name, kind } of chosen) {
    const stop = { print: undefined, "by hand": stopByHand, compose: stopWithCompose }[kind];
    if (await stop?.(name)) {
      count += 1;
      say(`${name} is stopped`);
    }
  }
  if (count === 0) say("Nothing to stop: nothing is running.");
  if (await stopEngineIfIdle()) say("The Docker engine is stopped");
  return undefined;
});
