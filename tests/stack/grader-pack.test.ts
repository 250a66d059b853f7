import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { attempt, type Outcome, run } from "../../tools/lib/run";
import { describeOnEngine, ownName } from "../lib/stacks";

describeOnEngine("the grader from a packed tarball", () => {
  let scratch: string;
  const grade = (...args: string[]): Promise<Outcome> =>
    attempt(path.join(scratch, "node_modules/.bin/softy-pinko-grade"), args, { cwd: tmpdir() });

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), ownName("pack")));
    const packed = await run("npm", ["pack", "--silent", "--pack-destination", scratch], {
      cwd: root,
    });
    const tarball = path.join(scratch, packed.split("\n").at(-1) ?? "");
    await run("npm", ["install", "--silent", "--prefer-offline", "--prefix", scratch, tarball], {
      cwd: scratch,
    });
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it("brings what it needs, and neither the tasks nor the tests", async () => {
    const inside = await run("ls", [path.join(scratch, "node_modules/softy-pinko-docker")]);
    expect(inside.split("\n")).toEqual(
      ["LICENSE", "README.md", "bin", "package.json", "tools", "tsconfig.json"].sort(),
    );
  });

  it("explains itself", async () => {
    const { exitCode, stdout, stderr } = await grade("--help");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("Builds and runs each task of a repository of the course");
  });

  it("says in one line what is wrong with a path", async () => {
    const { exitCode, stdout, stderr } = await grade(path.join(scratch, "nowhere"));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^error: \S+nowhere is not a folder: [^\n]*$/);
  });

  it("grades this repository", { timeout: 300_000 }, async () => {
    const { exitCode, stdout } = await grade(root, "--task", "0");
    expect(stdout).toContain("running it prints exactly Hello, World!");
    expect(exitCode).toBe(0);
  });
});
