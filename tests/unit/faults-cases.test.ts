import { describe, expect, it } from "vitest";
import { cases, chooseCases, targetOf } from "../../tools/faults/cases";
import { findProfile } from "../../tools/faults/profiles";
import { root } from "../../tools/lib/course";
import { startScript } from "../lib/child";
import { readRepositoryFile } from "../lib/task-files";

const [production, task6] = [findProfile("production"), findProfile("task6")];
const task5 = findProfile("task5");
const namesOf = (names: string[], profile = production): string[] =>
  chooseCases(names, profile).map(({ name }) => name);

describe("the faults", () => {
  it("are all tried on production, in the order of the table", () => {
    expect(namesOf([])).toEqual(cases.map(({ name }) => name));
  });

  it("are chosen by name, a fault with all its cases or a case alone", () => {
    expect(namesOf(["hang"])).toEqual(["hang"]);
    expect(namesOf(["crash"])).toEqual(["crash:500", "crash:reset"]);
    expect(namesOf(["crash:reset"])).toEqual(["crash:reset"]);
    expect(namesOf(["rolling", "kill"])).toEqual(["kill", "rolling:waiting", "rolling:at-once"]);
    expect(namesOf(["kill", "kill"])).toEqual(["kill"]);
  });

  it("leave out on another stack what it has no means for", () => {
    const names = namesOf([], task5);
    expect(names).toContain("kill-two");
    for (const name of ["all-down", "front-end", "limits", "redeploy"]) {
      expect(names).not.toContain(name);
      expect(namesOf([], task6)).not.toContain(name);
    }
  });

  it("have to be met in half a second, but for those that say otherwise", () => {
    const slow = cases.filter((one) => targetOf(one).worstMs !== 500).map(({ name }) => name);
    expect(slow).toEqual(["hang", "cut"]);
    expect(new Set(cases.map((one) => targetOf(one).evenS))).toEqual(new Set([3]));
  });

  it("each have a name of their own", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it.each(cases.map(({ name }) => name.split(":")[0] ?? ""))("%s is described in docs", (name) => {
    expect(readRepositoryFile("docs/faults.md")).toContain(`\`${name}\``);
  });
});

describe("npm run faults", () => {
  const run = async (
    args: string[],
  ): Promise<{ code: unknown; stdout: string; stderr: string }> => {
    const file = `${root}/tools/faults/cli.ts`;
    // What is refused too late would meet no engine, and start none
    const child = startScript([file, ...args], {
      cwd: root,
      env: { DOCKER_HOST: "tcp://127.0.0.1:1" },
    });
    return { code: await child.ended, ...child.output };
  };

  it.each([
    [["task9"], /^error: no stack "task9" in the lab: choose production, task6, or task5\.\n$/],
    [["--fault", "flood"], /^error: no fault "flood": choose one of those that --list shows\.\n$/],
    [["--fault", "crash:"], /^error: no fault "crash:": .*\n$/],
    [["task5", "--fault", "all-down"], /^error: task5 has no error pages: .*all-down.*\n$/],
    [["task6", "--fault", "redeploy"], /^error: task6 has no X-Served-By headers: .*redeploy.*\n$/],
    [["--rounds", "0"], /^error: .*--rounds.* give a whole number from 1 to 100\.\n$/],
    [["--rounds", "1.5"], /^error: .*--rounds.* give a whole number from 1 to 100\.\n$/],
    [["--connections", "many"], /^error: .*--connections.* give a whole number from 1 to 256\.\n$/],
    [["--svg", "/tmp/a.svg", "--fault", "crash"], /^error: --svg draws one case, not 2: .*\n$/],
    [["--svg", "/tmp/a.svg", "--fault", "kill", "--rounds", "3"], /^error: --svg .* not 3: .*\n$/],
    [["--fault", "kill", "--html", "/nonexistent/a.html"], /^error: .*cannot be written.*\n$/],
    [["production", "task5"], /^error: too many arguments.*\n$/],
  ])("%j is one line and exit code 2", async (args, line) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(line);
  });

  it("lists every fault with a sentence, without an engine", async () => {
    const { code, stdout } = await run(["--list"]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual(
      cases.map(({ name, about }) => [name, about]),
    );
  });

  it("says where there is no engine, and exits with 2", async () => {
    const { code, stdout, stderr } = await run(["--fault", "kill"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("error: no Docker engine responds at tcp://127.0.0.1:1");
  });
});
