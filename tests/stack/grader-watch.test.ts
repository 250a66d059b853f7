import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { attempt } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { namesInEngine, usePorts } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

describeOnEngine("the grader while it watches a repository", () => {
  const portOf = usePorts();
  const machine = ownName("watch");
  afterEach(endScripts);
  afterAll(() => attempt("docker", argv`volume rm --force ${machine}`));

  /** Waits for a line after those that were read before. */
  function readerOf({ output, process }: Child) {
    let from = 0;
    return async (line: RegExp): Promise<string> => {
      const find = () => {
        if (process.exitCode !== null) throw new Error(output.stderr);
        return line.exec(output.stdout.slice(from)) ?? undefined;
      };
      const wait = { for: `${line}`, timeoutMs: 120_000, intervalMs: 10 };
      const { index, 0: found } = await waitUntil(find, wait);
      const start = from;
      from += index + found.length;
      return output.stdout.slice(start, from);
    };
  }

  it("marks what a save mends, grades nothing else, and leaves nothing after Ctrl-C", {
    timeout: 240_000,
  }, async () => {
    const port = await portOf("task0", "task4");
    await port.replace("task0/Dockerfile", "Hello, World!", "Hello");
    // Not copied again after a save, because it is the same installation
    await port.append("task0/Dockerfile", "COPY node_modules/a /a\n");
    await port.write({ "task0/node_modules/a": "", "task0/node_modules/.package-lock.json": "" });
    await port.replace("task4/docker-compose.yml", "9000:9000", "9000:80");
    const scratch = (await portOf()).folder;
    const child = startScript([path.join(root, "tools/grader/cli.ts"), port.folder, "--watch"], {
      cwd: root,
      env: { GRADER_MACHINE: machine, TMPDIR: scratch },
    });
    const until = readerOf(child);
    expect(await until(/^task4: .* s\)\n.*\n.*\n/m)).toMatch(
      /^task0: .* 1 fails .*\n {2}✘ task0\.output: .*\n.*\ntask4: .* 1 fails, .*\n {2}✘ task4\.ports: /,
    );

    // What can be read, before anything is built
    await port.replace("task4/docker-compose.yml", "9000:80", "9000:9000");
    expect(await until(/✔ task4\.ports.*\n/)).toMatch(
      /^saved: task4\/docker-compose\.yml\ntask4: read\n {2}✘ → ✔ task4\.ports: /,
    );
    // A save gives up what is being graded, and it is graded afterwards
    const text = await readFile(path.join(port.folder, "task0/Dockerfile"), "utf8");
    await port.write({ "task0/Dockerfile.new": text.replace("Hello", "Hello, World!") });
    await port.move("task0/Dockerfile.new", "task0/Dockerfile");
    expect(await until(/^task4: .* s\)\n( {2}.*\n)+/m)).toMatch(
      /^saved: .*\n(task4:.*\n)?task0: 6 of 6 hold .*\n {2}✘ → ✔ task0\.output: .*\ntask4: 19 of 19 hold .*\n {2}– → ✔ task4\.hello: /,
    );

    child.process.kill("SIGINT");
    expect(await child.ended).toBe(2);
    // The disk with base images and build layers
    expect(await namesInEngine(machine)).toEqual([machine]);
    const left = (await readdir(scratch)).filter((name) => name.startsWith("softy-pinko"));
    expect(left).toEqual([]);
  });
});
