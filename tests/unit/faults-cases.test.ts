import { describe, expect, it } from "vitest";
import { cases, chooseCases } from "../../tools/faults/cases";
import type { StackName } from "../../tools/faults/stacks";
import { root } from "../../tools/lib/course";
import { startScript } from "../lib/child";
import { readRepositoryFile } from "../lib/task-files";

const namesOf = (names: string[], stack: StackName = "production"): string[] =>
  chooseCases(names, stack).map(({ name }) => name);
const all = cases.map(({ name }) => name);

describe("the faults", () => {
  it("are chosen by name, in their usual order", () => {
    expect(namesOf([])).toEqual(all);
    expect(namesOf(["stop", "kill", "kill"])).toEqual(["kill", "stop"]);
  });

  it.each(["task6", "task5"] as const)("are without those that need more than %s has", (stack) => {
    const missing = ["redeploy", "kill-front-end", "out-of-memory", "stop-all"];
    expect(namesOf([], stack)).toEqual(all.filter((name) => !missing.includes(name)));
    expect(() => namesOf(["stop-all"], stack)).toThrow(`${stack} has no error pages`);
  });

  it("have different names, and each is in the documentation", () => {
    expect(new Set(all).size).toBe(all.length);
    const document = readRepositoryFile("docs/faults.md");
    expect(all.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("npm run faults", () => {
  async function run(args: string[]) {
    // Without an engine: the options are checked before one is looked for
    const env = { DOCKER_HOST: "tcp://127.0.0.1:1" };
    const child = startScript([`${root}/tools/faults/cli.ts`, ...args], { cwd: root, env });
    return { code: await child.ended, ...child.output };
  }

  it.each([
    [["task9"], /^error: .*'task9' is invalid.* production, production-https, task6, task5\.\n$/],
    [["--fault", "flood"], /^error: .*'flood' is invalid\. choose from kill, stop, .*\n$/],
    [["--rate", "9"], /^error: .*--rate.* give a whole number from 10 to 5000\.\n$/],
    [["--rate", "5001"], /^error: .*--rate.* give a whole number from 10 to 5000\.\n$/],
    [["--svg", "/tmp/a.svg"], /^error: --svg draws one fault, not 16: .*\n$/],
    [["--svg", "/nonexistent/a.svg", "--fault", "kill"], /^error: .*cannot be written.*\n$/],
    [["--fault", "kill"], /error: no Docker engine responds at tcp:\/\/127\.0\.0\.1:1/],
  ])("%j is an error with exit code 2", async (args, line) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(line);
  });

  it("lists the faults of a stack, without an engine", async () => {
    const lines = cases.map(({ name, about }) => `${name.padEnd(15)}  ${about}\n`);
    expect(await run(["--list"])).toMatchObject({ code: 0, stdout: lines.join("") });
  });
});
