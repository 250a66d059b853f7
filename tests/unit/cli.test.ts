import { afterEach, describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { type Child, endScripts, startScript, waitForOutput } from "../lib/child";

const command = (way: string): Child =>
  startScript(["tests/unit/fixtures/command.ts", way], { cwd: root });

afterEach(endScripts);

const scripts = [
  ...["stack/start", "stack/stop", "stack/redeploy", "engine/cli", "lineage/cli", "grader/cli"],
  ...["faults/cli", "bench/cli"],
];

describe.each(scripts)("the command line of tools/%s.ts", (script) => {
  const run = (argument: string): Child =>
    startScript([`tools/${script}.ts`, argument], { cwd: root });

  it("explains itself with --help", async () => {
    const child = run("--help");
    expect(await child.ended).toBe(0);
    expect(child.output.stdout).toMatch(/^Usage: npm /);
  });

  it("refuses in one line an option that it does not have, and exits with 2", async () => {
    const child = run("--no-such-option");
    expect(await child.ended).toBe(2);
    expect(child.output).toEqual({
      stdout: "",
      stderr: "error: unknown option '--no-such-option'\n",
    });
  });
});

describe("a command", () => {
  it.each([
    ["done", 0, /^$/],
    ["found-something", 1, /^$/],
    ["user-error", 2, /^error: port 80 is taken: free it\.\n$/],
    ["command-error", 1, /^error: docker build \. failed with 17\nno space left\n$/],
    ["bug", 1, /^TypeError: undefined is not a function\n\s+at .*command\.ts/],
  ])("that ends with %s exits with %i", async (way, code, stderr) => {
    const child = command(way);
    expect(await child.ended).toBe(code);
    expect(child.output.stdout).toBe("");
    expect(child.output.stderr).toMatch(stderr);
  });

  it("ends only when a pipe has taken all of a long report", async () => {
    const child = command("long-report");
    expect(await child.ended).toBe(0);
    expect(child.output.stdout).toHaveLength(3_000_000);
  });

  it.each([
    ["SIGINT", "clean up and return", 130],
    ["SIGINT", "clean up and throw", 130],
    ["SIGTERM", "clean up and return", 143],
    ["SIGTERM", "clean up and throw", 143],
  ] as const)("that gets %s can %s before it exits with %i", async (signal, way, code) => {
    const child = command(way);
    await waitForOutput(child, /ready/);
    child.process.kill(signal);
    expect(await child.ended).toBe(code);
    expect(child.output.stdout).toBe("ready\ncleaning\nclean\n");
    expect(child.output.stderr).toBe("\nstopping…\n");
  });

  it("does not let a second Ctrl-C cut its clean-up short", async () => {
    const child = command("clean up and throw");
    await waitForOutput(child, /ready/);
    child.process.kill("SIGINT");
    await waitForOutput(child, /cleaning/);
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(child.output.stdout).toMatch(/clean\n$/);
    expect(child.output.stderr).toBe("\nstopping…\n");
  });
});
