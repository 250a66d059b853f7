import { Command } from "commander";
import { stopEngineIfIdle } from "../engine/engine";
import { main } from "../lib/cli";
import { steps } from "../lib/course";
import { engineVersion } from "../lib/docker";
import { stopByHand } from "./by-hand";
import { stopWithCompose } from "./with-compose";

main(async () => {
  new Command("npm stop --")
    .description(
      "Ends every step that npm start left running, and the engine if it is ours and idle.",
    )
    .parse();

  const say = (line: string): boolean => process.stdout.write(`${line}\n`);
  if ((await engineVersion()) === undefined) {
    say("Nothing to stop: no Docker engine runs.");
    return;
  }
  let count = 0;
  for (const { name, kind } of steps) {
    const stop = { print: undefined, "by hand": stopByHand, compose: stopWithCompose }[kind];
    if (await stop?.(name)) {
      count += 1;
      say(`${name} is stopped`);
    }
  }
  if (count === 0) say("Nothing to stop: no step is running.");
  if (await stopEngineIfIdle()) say("The Docker engine is stopped");
});
