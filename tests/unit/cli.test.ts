import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { MainOptions } from "../../tools/lib/cli";
import { root } from "../../tools/lib/course";
import { isAlive } from "../lib/alive";
import { type Child, endScripts, startScript, waitForOutput } from "../lib/child";

const body = vi.hoisted(() => ({ run: async (_: AbortSignal): Promise<unknown> => undefined }));
vi.mock("../../tools/lib/cli", async (importOriginal) => ({
  ...(await importOriginal<typeof import("../../tools/lib/cli")>()),
  main: (run: (signal: AbortSignal) => Promise<unknown>) => {
    body.run = run;
  },
}));

describe.each([
  ["stack/start", () => import("../../tools/stack/start")],
  ["stack/stop", () => import("../../tools/stack/stop")],
  ["stack/redeploy", () => import("../../tools/stack/redeploy")],
  ["engine/cli", () => import("../../tools/engine/cli")],
  ["engine/doctor", () => import("../../tools/engine/doctor")],
  ["lineage/cli", () => import("../../tools/lineage/cli")],
  ["grader/cli", () => import("../../tools/grader/cli")],
  ["faults/cli", () => import("../../tools/faults/cli")],
  ["bench/cli", () => import("../../tools/bench/cli")],
  ["cluster/cli", () => import("../../tools/cluster/cli")],
  ["pictures/cli", () => import("../../tools/pictures/cli")],
])("the command line of tools/%s.ts", (_, load) => {
  const argv = process.argv;
  let run: typeof body.run;
  beforeAll(async () => {
    await load();
    run = body.run;
  });
  afterEach(() => {
    process.argv = argv;
    vi.restoreAllMocks();
  });

  async function outcomeOf(argument: string) {
    process.argv = ["node", "cli.ts", argument];
    const outcome = { stdout: "", stderr: "", code: -1 };
    for (const stream of ["stdout", "stderr"] as const) {
      vi.spyOn(process[stream], "write").mockImplementation((text) => {
        outcome[stream] += text;
        return true;
      });
    }
    const exit = new Error("exit");
    vi.spyOn(process, "exit").mockImplementation((code) => {
      outcome.code = Number(code);
      throw exit;
    });
    await expect(run(new AbortController().signal)).rejects.toBe(exit);
    return outcome;
  }

  it("prints its usage with --help", async () => {
    const stdout = expect.stringMatching(/^Usage: npm /);
    expect(await outcomeOf("--help")).toEqual({ code: 0, stdout, stderr: "" });
  });

  it("rejects an unknown option in one line and exits with 2", async () => {
    const stderr = "error: unknown option '--no-such-option'\n";
    expect(await outcomeOf("--no-such-option")).toEqual({ code: 2, stdout: "", stderr });
  });
});

afterAll(endScripts);

function command(way: string, options: MainOptions = {}, env: NodeJS.ProcessEnv = {}): Child {
  const script = ["tests/unit/fixtures/command.ts", way, JSON.stringify(options)];
  return startScript(script, { cwd: root, env: { DEBUG: undefined, ...env } });
}

async function ended(child: Child) {
  return { code: await child.ended, ...child.output };
}

/** Short, for commands that do not settle or do not clean up. */
const graceMs = 500;
const unfinished = 3;

const defect = (message: string): string =>
  `error: ${message} (a defect of this program: please report it)\n`;
const neverHappens = defect("the command waits for something that never happens");
const working = expect.stringMatching(/^ready \d+\ncleaned up\n$/);

describe.concurrent("a command that can", () => {
  it.each<[string, number, string | RegExp, MainOptions?]>([
    ["return nothing", 0, ""],
    ["return 1", 1, "", { unfinished }],
    ["throw a UserError", 2, "error: port 80 is in use: free it.\n"],
    ["throw a UserError", 3, "error: port 80 is in use: free it.\n", { unfinished }],
    ["throw a CommandError", 1, "error: docker build . failed with 17\nno space\n"],
    ["throw a TypeError", 1, /^TypeError: undefined is not a function\n\s+at .*command\.ts/],
  ])("%s exits with %i", async (way, code, stderr, options) => {
    const error = typeof stderr === "string" ? stderr : expect.stringMatching(stderr);
    expect(await ended(command(way, options))).toEqual({ code, stdout: "", stderr: error });
  });

  it("print a long report exits after the reader has all of it", async () => {
    const { code, stdout } = await ended(command("print a long report"));
    expect(code).toBe(0);
    expect(stdout).toHaveLength(3_000_000);
  });

  it("print a long report cleans up if the reader exits", async () => {
    const child = command("print a long report, wait");
    child.process.stdout?.destroy();
    expect(await ended(child)).toMatchObject({ code: 1, stderr: "cleaned up\n" });
  });

  it.each<[string, NodeJS.Signals, number, MainOptions?]>([
    ["clean up and return", "SIGINT", 130],
    ["clean up and throw", "SIGTERM", 143],
    ["clean up and return", "SIGTERM", 3, { unfinished }],
  ])("%s does so after %s and exits with %i", async (way, signal, code, options) => {
    const child = command(way, options);
    await waitForOutput(child, /ready/);
    child.process.kill(signal);
    await waitForOutput(child, /cleaning/);
    // The second does not cut the clean-up short
    child.process.kill(signal);
    const stdout = "ready\ncleaning\nclean\n";
    expect(await ended(child)).toEqual({ code, stdout, stderr: "\nstopping…\n" });
  });

  it("ignore the signal is ended after the grace period", async () => {
    const child = command("ignore the signal", { graceMs });
    await waitForOutput(child, /ready/);
    child.process.kill("SIGTERM");
    const stderr = "\nstopping…\n";
    expect(await ended(child)).toEqual({ code: 143, stdout: working, stderr });
  });
});

describe.concurrent("a command with a defect can", () => {
  it.each([
    ["throw in a listener", defect("ouch again")],
    ["leave a rejection unhandled", defect("undefined")],
  ])("%s: its clean-up runs, and no process is left", async (way, stderr) => {
    const outcome = await ended(command(way, { graceMs }));
    expect(outcome).toEqual({ code: 1, stdout: working, stderr });
    const pid = Number(outcome.stdout.match(/\d+/)?.[0]);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it.each([
    [
      "throw in a listener, return",
      defect("docker build . failed with 17 no space left"),
      "cleaning\nclean\n",
    ],
    ["settle only when aborted", neverHappens, "cleaning\nclean\n"],
    ["never settle", neverHappens, "cleaned up\n"],
  ])("%s: it is reported, and the body can settle", async (way, stderr, stdout) => {
    expect(await ended(command(way, { graceMs }))).toEqual({ code: 1, stdout, stderr });
  });

  it("show its stack if DEBUG is set, and exit with the code of an unfinished command", async () => {
    const options = { graceMs, unfinished };
    const { code, stderr } = await ended(command("throw in a listener", options, { DEBUG: "1" }));
    expect(code).toBe(3);
    expect(stderr).toMatch(/^Error: ouch\nagain\n+\s+at .*command\.ts/);
    expect(stderr.endsWith(defect("ouch again"))).toBe(true);
  });
});

describe.concurrent("clean-up", () => {
  it.each(["never finish the clean-up", "never finish the clean-up, busy"])(
    "has a time limit: %s",
    async (way) => {
      const stderr = "error: port 80 is in use: free it.\n";
      const stdout = expect.stringMatching(/cleaned up\n$/);
      expect(await ended(command(way, { graceMs }))).toEqual({ code: 2, stdout, stderr });
    },
  );

  it.each([
    ["fail to clean up", 1, "cleaned up\n", `${neverHappens}${defect("ouch")}`],
    ["clean up itself", 0, "", ""],
    ["leave clean-up registered", 0, "cleaned up\n", ""],
  ])("runs once if it is registered: %s", async (way, code, stdout, stderr) => {
    expect(await ended(command(way))).toEqual({ code, stdout, stderr });
  });
});
