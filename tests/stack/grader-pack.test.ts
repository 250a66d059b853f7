import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { attempt, run } from "../../tools/lib/run";
import { usePorts } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

describeOnEngine("the grader from a packed tarball", () => {
  const portOf = usePorts();
  let scratch: string;
  let tarball: string;
  const grade = (args: readonly string[]) =>
    attempt(path.join(scratch, "node_modules/.bin/softy-pinko-grade"), args, {
      cwd: tmpdir(),
      // npm sets it for the tests
      env: { npm_lifecycle_event: "" },
    });

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), ownName("pack")));
    const pack = argv`pack --silent --pack-destination ${scratch}`;
    const packed = await run("npm", pack, { cwd: root });
    tarball = path.join(scratch, packed.split("\n").at(-1) as string);
    const install = argv`install --silent --prefer-offline --prefix ${scratch} ${tarball}`;
    await run("npm", install, { cwd: scratch });
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it("contains what it needs, and neither the tasks nor the tests", async () => {
    const files = await readdir(path.join(scratch, "node_modules/softy-pinko-docker"));
    expect(files.sort()).toEqual(argv`LICENSE README.md bin docs package.json tools tsconfig.json`);
    const { exitCode, stdout, stderr } = await grade(["--help"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: softy-pinko-grade /);
    const [, docs = ""] = /See (.*)\.$/m.exec(stdout) ?? [];
    expect(await readFile(path.join(tmpdir(), docs), "utf8")).toMatch(/^# The grader/);
  });

  it("starts with BusyBox's env, as on Alpine, which has no -S", async () => {
    const program = path.join(scratch, "node_modules/softy-pinko-docker/bin/grade.cjs");
    const [shebang] = (await readFile(program, "utf8")).split("\n", 1);
    expect(shebang).toBe("#!/usr/bin/env node");
  });

  it.each([
    ["an unknown level of hints", argv`--hints all`, "Allowed choices are none, where, what."],
    ["a report of what is watched", argv`--watch --json`, "cannot be used with option '--json'"],
  ])("rejects %s in one line and exits with 2", async (_, args, message) => {
    const { exitCode, stderr } = await grade(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) });
    expect(stderr).toMatch(/^error: .*$/);
  });

  it("grades this repository", { timeout: 300_000 }, async () => {
    const { exitCode, stdout } = await grade([root, "--task", "0"]);
    expect(stdout).toContain("prints exactly Hello, World!");
    expect(exitCode).toBe(0);
  });

  it("says that it could not judge a point, and with --strict exits with 2", async () => {
    const port = await portOf("task0");
    await port.append("task0/Dockerfile", "COPY --from=registry.invalid/a /b /b\n");
    const { exitCode, stdout } = await grade([port.folder, "--task", "0", "--strict"]);
    expect(stdout).toMatch(/task0\.build: Docker fails here: .*registry\.invalid/);
    expect(stdout).toMatch(/\n1 point could not be judged on this machine\.$/);
    expect(exitCode).toBe(2);
  });

  it("grades a submission to Classroom 50 as its documentation says", {
    timeout: 300_000,
  }, async ({ skip }) => {
    const hasPython = (await attempt("python3", ["--version"])).ok;
    skip(!hasPython && process.env.CI === undefined, "there is no Python");
    const port = await portOf("task0");
    await port.replace("task0/Dockerfile", "Hello, World!", "Hello");
    // npm must not obey it
    await port.write({ ".npmrc": "registry=http://127.0.0.1:1/\n" });
    const bundle = path.join(scratch, "bundle");
    const { exitCode, stderr } = await runAutograder(port.folder, bundle, tarball);
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
    const [result = "", page] = await Promise.all(
      ["result.json", "report.html"].map((file) => readFile(path.join(port.folder, file), "utf8")),
    );
    const facts = { classroom: "docker", owner: "alice", submission: "submit/1" };
    expect(JSON.parse(result)).toMatchObject({ ...facts, score: 5, "max-score": 122 });
    expect(page).toContain("task0.output");
  });
});

/** Runs the autograder.py of docs/grader.md as Classroom 50's runner does, with its files in a bundle. */
async function runAutograder(repository: string, bundle: string, tarball: string) {
  const docs = await readFile(path.join(root, "docs/grader.md"), "utf8");
  const [, program = ""] = /```python\n(.*?)```/s.exec(docs) ?? [];
  await mkdir(bundle);
  await copyFile(tarball, path.join(bundle, "grader.tgz"));
  await writeFile(path.join(bundle, "autograder.py"), program);
  return attempt("python3", [path.join(bundle, "autograder.py")], {
    cwd: repository,
    env: {
      CLASSROOM: "docker",
      OWNER: "alice",
      SUBMISSION_TAG: "submit/1",
      npm_config_prefer_offline: "true",
      npm_lifecycle_event: "",
    },
  });
}
