import { afterAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { attempt } from "../../tools/lib/run";
import { itRuns } from "../lib/runnables";
import { describeOnEngine, ownName } from "../lib/stacks";

/** Gives a document's images and containers other names, and takes no terminal. */
const isolated = (script: string, prefix: string): string =>
  script.replaceAll("softy-pinko", prefix).replaceAll(" -it ", " ");

describeOnEngine("the commands in the documents that need an engine", () => {
  const prefix = ownName("docs");
  itRuns("run on an engine", (script) => isolated(script, prefix));

  afterAll(async () => {
    const images = await attempt("docker", argv`image ls --quiet --filter=reference=${prefix}*`);
    await attempt("docker", argv`image rm --force ${images.stdout.split("\n")}`);
  });
});

it("runs nothing under the documents' names", () => {
  const script = "docker run -it --rm --name softy-pinko-task0 softy-pinko:task0";
  expect(isolated(script, "x-1")).toBe("docker run --rm --name x-1-task0 x-1:task0");
});
