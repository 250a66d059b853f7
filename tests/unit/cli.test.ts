import { afterEach, describe, expect, it } from "vitest";
import type { MainOptions } from "../../tools/lib/cli";
import { root } from "../../tools/lib/course";
import { isAlive } from "../lib/alive";
import { type Child, endScripts, startScript, waitForOutput } from "../lib/child";

const command = (way: string, options: MainOptions = {}): Child =>
  startScript(["tests/unit/fixtures/command.ts", way, JSON.stringify(options)], { cwd: root });

const troubled = (way: string, options: MainOptions = {}, env: NodeJS.ProcessEnv = {}): Child =>
  startScript(["tests/unit/fixtures/unfinished.ts", way, JSON.stringify(options)], {
    cwd: root,
    env: { DEBUG: undefined, ...env },
  });

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

describe("a command that has an exit code for every end without a result", () => {
  const options = { unfinished: 3 };

  it.each([
    ["done", 0],
    ["found-something", 1],
    ["user-error", 3],
    ["command-error", 3],
    ["bug", 3],
  ])("ends with %s: %i", async (way, code) => {
    expect(await command(way, options).ended).toBe(code);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("exits with it after %s", async (signal) => {
    const child = command("clean up and return", options);
    await waitForOutput(child, /ready/);
    child.process.kill(signal);
    expect(await child.ended).toBe(3);
    expect(child.output.stdout).toMatch(/\nclean\n$/);
  });
});

describe("a command with a defect", () => {
  /** Without the option `unfinished` and with it, at the same time. */
  const bothOf = (way: string, during?: (child: Child) => Promise<void>) =>
    Promise.all(
      [{}, { unfinished: 3 }].map(async (options) => {
        const child = troubled(way, { ...options, graceMs: 500 });
        await during?.(child);
        return { code: await child.ended, ...child.output };
      }),
    );
  const line = (message: string): string =>
    `error: ${message} (a defect of this program: please report it)\n`;
  const never = line("the command waits for something that never happens");

  it.each([
    ["throw in a listener", line("ouch again")],
    ["throw nothing in a listener", line("undefined")],
    ["leave a rejection unhandled", line("ouch")],
  ])("can %s: its clean-up runs, and nothing is left", async (way, stderr) => {
    const [usual, unfinished] = await bothOf(way);
    const stdout = expect.stringMatching(/^ready \d+\ncleaned up\n$/);
    expect(usual).toEqual({ code: 1, stdout, stderr });
    expect(unfinished).toEqual({ code: 3, stdout, stderr });
    const pid = Number(usual?.stdout.match(/\d+/)?.[0]);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it.each([
    [
      "throw in a listener, and settle",
      line("docker build . failed with 17 no space left"),
      "cleaning\nclean\n",
    ],
    ["throw in a listener, and throw", line("ouch"), "cleaning\nclean\n"],
    ["settle only when aborted", never, "cleaning\nclean\n"],
    ["never settle", never, "cleaned up\n"],
  ])("can %s", async (way, stderr, stdout) => {
    expect(await bothOf(way)).toEqual([
      { code: 1, stdout, stderr },
      { code: 3, stdout, stderr },
    ]);
  });

  it("can ignore the signal for so long", async () => {
    const [usual, unfinished] = await bothOf("ignore the signal", async (child) => {
      await waitForOutput(child, /ready/);
      child.process.kill("SIGTERM");
    });
    const stdout = expect.stringMatching(/^ready \d+\ncleaned up\n$/);
    const stderr = "\nstopping…\n";
    expect(usual).toEqual({ code: 143, stdout, stderr });
    expect(unfinished).toEqual({ code: 3, stdout, stderr });
  });

  it("has a stack with DEBUG", async () => {
    const child = troubled("throw in a listener", { graceMs: 500 }, { DEBUG: "1" });
    expect(await child.ended).toBe(1);
    expect(child.output.stderr).toMatch(/^Error: ouch\nagain\n+\s+at .*unfinished\.ts/);
    expect(child.output.stderr.endsWith(line("ouch again"))).toBe(true);
  });
});

describe("a command's clean-up", () => {
  it.each(["never finish the clean-up", "never finish the clean-up, busy"])(
    "ends: %s",
    async (way) => {
      const child = troubled(way, { graceMs: 500 });
      expect(await child.ended).toBe(2);
      expect(child.output.stderr).toBe("error: port 80 is taken: free it.\n");
      expect(child.output.stdout).toMatch(/cleaned up\n$/);
    },
  );

  it("does not hinder the others if it fails", async () => {
    const child = troubled("fail to clean up");
    expect(await child.ended).toBe(1);
    expect(child.output.stderr).toMatch(/never happens \(.*\)\nerror: ouch \(.*\)\n$/);
    expect(child.output.stdout).toBe("cleaned up\n");
  });

  it.each([
    ["clean up itself", ""],
    ["leave clean-up registered", "cleaned up\n"],
  ])("runs if it is still registered: %s", async (way, stdout) => {
    const child = troubled(way);
    expect(await child.ended).toBe(0);
    expect(child.output).toEqual({ stdout, stderr: "" });
  });
});

it("a command cleans up if the reader of its output has exited", async () => {
  const child = troubled("print a lot");
  child.process.stdout?.destroy();
  expect(await child.ended).toBe(1);
  expect(child.output.stderr).toBe("cleaned up\n");
});
