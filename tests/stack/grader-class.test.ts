import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { filesOf, upgraded } from "../lib/grader-files";
import { namesInEngine, usePorts } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

describeOnEngine("the grader for a class", () => {
  const machine = ownName("class");
  const portOf = usePorts();
  let scratch: string;

  afterEach(endScripts);
  afterAll(async () => {
    await attempt("docker", argv`volume rm --force ${machine}`);
    await rm(scratch, { recursive: true, force: true });
  });

  it("keeps what is graded when it is interrupted, and later grades only the rest", {
    timeout: 480_000,
  }, async () => {
    scratch = await mkdtemp(path.join(tmpdir(), ownName("scratch")));
    const [temporary, out] = [path.join(scratch, "tmp"), path.join(scratch, "out")];
    await mkdir(temporary);
    const port = await portOf();
    const hostile = "=1+1<script>alert(1)\n..";
    const sleep = `sleep ${7000 + Math.floor(Math.random() * 1e6) / 1000}`;
    await port.write({
      [`${hostile}/task0/Dockerfile`]: filesOf("task0")["task0/Dockerfile"] ?? "",
      "broken/README.md": "",
      "slow/task0/Dockerfile": `${upgraded}RUN ${sleep}\n`,
    });
    const grade = (): Child =>
      startScript(
        [
          path.join(root, "tools/grader/cli.ts"),
          ...argv`--class=${port.folder} --out=${out} --task=0`,
        ],
        { cwd: root, env: { GRADER_MACHINE: machine, TMPDIR: temporary } },
      );
    const isRunning = async () => (await run("ps", argv`-A -o args=`)).includes(sleep);
    const table = async () =>
      (await readFile(path.join(out, "class.csv"), "utf8")).split("\r\n").slice(1, -1);
    const graded = /^"'=1\+1<script>alert\(1\) \.\.",6,6,0,0,0,6,/;
    const broken = /^"broken",,.*holds no task0 to task6/;

    const interrupted = grade();
    await waitUntil(isRunning, { for: "the second build", timeoutMs: 360_000 });
    interrupted.process.kill("SIGINT");
    expect(await interrupted.ended).toBe(2);
    expect(await isRunning()).toBe(false);
    // The disk stays for the next time
    expect(await namesInEngine(machine)).toEqual([machine]);
    expect((await readdir(temporary)).filter((file) => file.startsWith("softy"))).toEqual([]);
    const waiting = /^"slow",,.*"not graded yet"/;
    expect(await table()).toEqual(
      [graded, broken, waiting].map((line) => expect.stringMatching(line)),
    );
    await port.write({ "slow/task0/Dockerfile": `${upgraded}CMD ["echo", "Hello"]\n` });
    const [before] = await table();
    const resumed = grade();
    expect([await resumed.ended, resumed.output.stderr]).toEqual([
      2,
      expect.stringMatching(/2 of 3 to grade[\s\S]*1 of 2: broken: not graded/),
    ]);
    const failing = /^"slow",6,5,0,1,0,5,.*"task0.output"/;
    expect(await table()).toEqual([
      before,
      ...[broken, failing].map((line) => expect.stringMatching(line)),
    ]);
    const page = await readFile(path.join(out, "index.html"), "utf8");
    expect(page).toContain("2 of 3 repositories graded");
  });
});
