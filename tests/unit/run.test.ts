import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { root } from "../../tools/lib/course";
import { CommandError } from "../../tools/lib/errors";
import { attempt, type Outcome, type RunOptions, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { isAlive } from "../lib/alive";
import { endScripts, startScript } from "../lib/child";

const node = (script: string, options?: RunOptions) =>
  attempt(process.execPath, ["--eval", script], options);

const sh = (script: string, options?: RunOptions) => attempt("sh", ["-c", script], options);

/** SIGKILL takes effect a moment after it was sent. */
const untilDead = (pid: number) =>
  waitUntil(() => !isAlive(pid), {
    for: `process ${pid} to be gone`,
    timeoutMs: 2_000,
    intervalMs: 10,
  });

/** Cancels a script once it has printed its first line, a process id. */
async function canceled(
  script: string,
  options?: RunOptions,
): Promise<{ outcome: Outcome; seconds: number; pid: number }> {
  const controller = new AbortController();
  let start = 0;
  const onLine = (): void => {
    start = performance.now();
    controller.abort();
  };
  const outcome = await sh(script, { ...options, signal: controller.signal, onLine });
  return { outcome, seconds: (performance.now() - start) / 1000, pid: Number(outcome.stdout) };
}

describe("attempt", () => {
  it("gives a program's exit code and both its outputs", async () => {
    expect(await node("console.log('out'); console.error('err')")).toEqual({
      ok: true,
      exitCode: 0,
      stdout: "out",
      stderr: "err",
    });
  });

  it("does not throw for a program that fails", async () => {
    expect(await node("process.exit(3)")).toMatchObject({ ok: false, exitCode: 3 });
  });

  it("does not throw for a program that does not exist", async () => {
    const outcome = await attempt("no-such-program", ["--at-all"]);
    expect(outcome).toMatchObject({ ok: false, exitCode: undefined });
    expect(outcome.stderr).toContain("no-such-program");
    expect(outcome.stderr).toContain("ENOENT");
  });

  it("ends a program that runs over its time", async () => {
    const outcome = await node("setInterval(() => {}, 1000)", { timeoutMs: 50 });
    expect(outcome).toMatchObject({ ok: false, exitCode: undefined });
    expect(outcome.stderr).toContain("timed out");
  });

  it("ends a program when the signal aborts", async () => {
    const controller = new AbortController();
    const onLine = (line: string): void => {
      if (line === "ready") controller.abort();
    };
    const outcome = await node("console.log('ready'); setInterval(() => {}, 1000)", {
      signal: controller.signal,
      onLine,
    });
    expect(outcome).toMatchObject({ ok: false, exitCode: undefined });
  });

  it("does not start a program when the signal has aborted already", async () => {
    const outcome = await node("console.log('started')", { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ ok: false, stdout: "" });
  });

  it("passes on each line of both outputs as it comes", async () => {
    const lines: string[] = [];
    await node("console.log('a\\nb'); console.error('c')", { onLine: (line) => lines.push(line) });
    expect(lines.sort()).toEqual(["a", "b", "c"]);
  });

  it("runs in a folder, with additions to the environment", async () => {
    const script = "console.log(process.cwd(), process.env.ADDED, process.env.PATH !== undefined)";
    const outcome = await node(script, { cwd: tmpdir(), env: { ADDED: "yes" } });
    expect(outcome.stdout).toMatch(/ yes true$/);
    expect(outcome.stdout).toContain(tmpdir());
  });

  it("gives a program nothing to read, so that none waits at a prompt", async () => {
    const outcome = await node("process.stdin.resume().on('end', () => console.log('end'))");
    expect(outcome.stdout).toBe("end");
  });
});

describe("a program is found in PATH alone", () => {
  let top = "";
  let cwd = "";
  const record = () => path.join(top, "record");
  const callersPath = process.env.PATH ?? "";

  beforeAll(() => {
    top = mkdtempSync(path.join(tmpdir(), "run-test-"));
    cwd = path.join(top, "repository");
    for (const folder of [cwd, path.join(cwd, "node_modules/.bin"), bin()]) {
      mkdirSync(folder, { recursive: true });
      for (const name of ["git", "docker", "sh", "planted"]) {
        writeFileSync(path.join(folder, name), `#!/bin/sh\necho "$0" >> ${record()}\n`);
        chmodSync(path.join(folder, name), 0o755);
      }
    }
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(record(), { force: true });
  });
  afterAll(() => rmSync(top, { recursive: true }));

  /** The parent's. */
  const bin = () => path.join(top, "node_modules/.bin");

  it("which the program gets as it is, whatever the working directory has", async () => {
    const { stdout } = await sh("echo $PATH", { cwd });
    expect(stdout).toBe(callersPath.split(":").filter(path.isAbsolute).join(":"));
  });

  it("where the user has put its folder", async () => {
    await attempt("planted", [], { env: { PATH: `/nowhere:${bin()}:${callersPath}` } });
    expect(existsSync(record())).toBe(true);
  });

  it.each([
    ["unchanged", (caller: string) => caller],
    ["with .", (caller: string) => `.:${caller}`],
    ["that begins with an empty entry", (caller: string) => `:${caller}`],
    ["that ends with an empty entry", (caller: string) => `/nowhere:${caller}:`],
    ["with an empty entry inside", (caller: string) => `/nowhere::${caller}`],
    [
      "with a relative entry",
      (caller: string) => `node_modules/.bin:./node_modules/.bin:${caller}`,
    ],
    ["with the parent's", (caller: string) => `../node_modules/.bin:${caller}`],
    ["with nothing else", () => ".:node_modules/.bin"],
    ["that is empty", () => ""],
  ])("%s", async (_, change) => {
    const PATH = change(callersPath);
    const everything = (options: RunOptions) =>
      Promise.all(
        ["git", "docker", "sh", "planted"].flatMap((name) => [
          attempt(name, ["--version"], options),
          attempt("/bin/sh", ["-c", `${name} --version`], options),
        ]),
      );
    await everything({ cwd, env: { PATH } });
    await everything({ cwd, env: { PATH }, clearEnv: true });
    vi.stubEnv("PATH", PATH);
    await everything({ cwd });
    await everything({ cwd, clearEnv: true });
    expect(existsSync(record())).toBe(false);
  });

  it.each(["./planted", "node_modules/.bin/planted", "../node_modules/.bin/planted"])(
    "and not as %s",
    async (command) => {
      expect(await attempt(command, [], { cwd })).toMatchObject({
        exitCode: undefined,
        stderr: expect.stringContaining("ENOENT"),
      });
      expect(existsSync(record())).toBe(false);
    },
  );
});

describe("a program that is ended", () => {
  it("is ended with everything it started", async () => {
    const { outcome, pid, seconds } = await canceled("sleep 1000 & echo $!; wait");
    expect(outcome).toMatchObject({ ok: false, exitCode: undefined, stderr: "was canceled" });
    expect(seconds).toBeLessThan(1.9);
    await untilDead(pid);
  });

  it("gets SIGTERM, and SIGKILL if it ignores that", async () => {
    const { pid, seconds } = await canceled("trap '' TERM; echo $$; while :; do sleep 1; done");
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThan(5);
    await untilDead(pid);
  });

  it("can clean up after SIGTERM", async () => {
    const { outcome, seconds } = await canceled(
      "trap 'echo cleaned; exit' TERM; echo ready; while :; do sleep 0.1; done",
    );
    expect(outcome).toMatchObject({ exitCode: undefined, stdout: "ready\ncleaned" });
    expect(seconds).toBeLessThan(1.9);
  });

  it("is not waited for if a process outside its group holds its output", async () => {
    const { pid, seconds } = await canceled("setsid sleep 20 & sleep 0.2; echo $!; wait");
    expect(seconds).toBeLessThan(5);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid);
  });

  it("is not waited for if a process of its group ignores SIGTERM", async () => {
    const { pid, seconds } = await canceled(
      "(trap '' TERM; exec sleep 1000 >/dev/null 2>&1) & sleep 0.2; echo $!; wait",
    );
    expect(seconds).toBeLessThan(5);
    await untilDead(pid);
  });

  it("says after how long", async () => {
    expect((await sh("sleep 1000", { timeoutMs: 50 })).stderr).toBe("timed out after 0.05 s");
  });

  it("says by which signal", async () => {
    expect(await sh("echo out; kill $$")).toEqual({
      ok: false,
      exitCode: undefined,
      stdout: "out",
      stderr: "ended by SIGTERM",
    });
  });

  it.each([
    ["stdout", "yes", 4_000_000, 4_000_000],
    ["both together", "yes | head -c 300000; yes >&2", 500_000, 300_000],
    ["64 MB by default", "head -c 70000000 /dev/zero", undefined, 64_000_000],
  ])("has printed too much, and so much of it is kept: %s", async (_, script, bound, kept) => {
    const { ok, stdout, stderr } = await sh(script, { maxOutputBytes: bound });
    const max = (bound ?? 64_000_000) / 1e6;
    expect({ ok, stderr }).toEqual({ ok: false, stderr: `printed more than ${max} MB` });
    expect(stdout.replace(/y$/, "y\n")).toHaveLength(kept);
  });
});

describe("when this process exits, a program", () => {
  afterEach(endScripts);
  const exitDuring = async (options: RunOptions): Promise<number> => {
    const script = ["tests/unit/fixtures/exit.ts", JSON.stringify(options)];
    const child = startScript(script, { cwd: root });
    expect(await child.ended).toBe(7);
    return Number(child.output.stdout);
  };

  it("is killed", async () => {
    await untilDead(await exitDuring({}));
  });

  it("that cleans up goes on", async () => {
    const pid = await exitDuring({ detached: true });
    expect(isAlive(pid)).toBe(true);
    process.kill(pid);
  });
});

describe("what a program leaves running", () => {
  it.each([
    ["holds its output", "sleep 1000 &"],
    ["does not", "sleep 1000 >/dev/null 2>&1 &"],
  ])("is killed if it %s", async (_, background) => {
    const start = performance.now();
    const { stdout, ...outcome } = await sh(`${background} echo $!; exit 3`);
    expect(outcome).toEqual({ ok: false, exitCode: 3, stderr: "" });
    expect(performance.now() - start).toBeLessThan(3_000);
    await untilDead(Number(stdout));
  });

  it("can finish its output first", async () => {
    expect((await sh("(sleep 0.1; echo late) & echo early")).stdout).toBe("early\nlate");
  });

  it("is not waited for in another process group", async () => {
    const start = performance.now();
    const { ok, stdout } = await sh("setsid sleep 20 & sleep 0.2; echo $!");
    expect(ok).toBe(true);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(isAlive(Number(stdout))).toBe(true);
    process.kill(Number(stdout));
  });

  it("goes on after clean-up", async () => {
    const { stdout } = await sh("sleep 20 & echo $!", { detached: true });
    expect(isAlive(Number(stdout))).toBe(true);
    process.kill(Number(stdout));
  });
});

describe("stdin", () => {
  it.each([
    ["a text", "grüße"],
    ["bytes", Buffer.from("grüße")],
  ])("is %s", async (_, input) => {
    expect((await attempt("cat", [], { input })).stdout).toBe("grüße");
  });

  it("need not be read", async () => {
    const outcome = await attempt("true", [], { input: Buffer.alloc(5_000_000) });
    expect(outcome).toMatchObject({ ok: true, stderr: "" });
  });

  it("stays open if it is held", async () => {
    const script = "process.stdin.resume().on('end', () => console.log('end'))";
    const exits = `${script}; setTimeout(() => process.exit(), 300)`;
    expect((await node(exits, { holdStdin: true })).stdout).toBe("");
    expect((await node(exits)).stdout).toBe("end");
  });

  it("is closed before a held program gets SIGTERM", async () => {
    const options = { holdStdin: true, input: "in\n", timeoutMs: 300 };
    expect(await sh("cat; echo closed", options)).toMatchObject({
      stdout: "in\nclosed",
      stderr: "timed out after 0.3 s",
    });
  });
});

describe("a line", () => {
  it.each([
    ["without its end", "printf 'a\\r\\nb\\rc\\n\\nd'", ["a", "b", "c", "", "d"]],
    ["cut in a character", "printf 'gr\\303'; sleep 0.2; printf '\\274n\\n'", ["grün"]],
    ["cut in its end", "printf 'a\\r'; sleep 0.2; printf '\\nb\\n'", ["a", "b"]],
  ])("comes %s", async (_, script, expected) => {
    const lines: string[] = [];
    await sh(script, { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(expected);
  });

  it("of 200 kB comes in pieces", async () => {
    const lines: string[] = [];
    const onLine = (line: string) => lines.push(line);
    await sh("head -c 200000 /dev/zero | tr '\\0' x; echo; echo end", { onLine });
    expect(lines.map(({ length }) => length)).toEqual([64_000, 64_000, 64_000, 8_000, 3]);
  });
});

describe("attempt does not throw", () => {
  it.each([
    ["a folder that is not there", "true", [], { cwd: "/no/such/folder" }],
    ["a NUL in the folder", "true", [], { cwd: "/tmp\0" }],
    ["an argument that is too long", "true", ["x".repeat(1_000_000)], {}],
    ["a NUL in an argument", "true", ["a\0b"], {}],
    ["a NUL in the environment", "true", [], { env: { A: "a\0b" } }],
    ["a NUL in the name", "a\0b", [], {}],
    ["no name", "", [], {}],
    ["a folder for a program", "/", [], {}],
    ["a file that is no program", "/etc/passwd", [], {}],
  ])("for %s", async (_, command, args, options) => {
    const outcome = await attempt(command, args, options);
    expect(outcome).toMatchObject({ ok: false, exitCode: undefined, stdout: "" });
    expect(outcome.stderr).not.toBe("");
  });
});

describe("the environment", () => {
  it("is the given one alone if this process's is cleared", async () => {
    const outcome = await attempt("env", [], { clearEnv: true, env: { ADDED: "yes" } });
    expect(outcome.stdout).toBe("ADDED=yes");
  });
});

describe("run", () => {
  it("leaves no listener on a signal that outlives it", async () => {
    const { signal } = new AbortController();
    for (let time = 0; time < 12; time += 1) await run("true", [], { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("gives stdout without the final newline", async () => {
    expect(await run("printf", ["a\\n\\n"])).toBe("a\n");
  });

  it("throws the command line, the exit code and the last 20 lines on stderr", async () => {
    const script = "for (let i = 1; i <= 30; i++) console.error('line ' + i); process.exit(7)";
    const error: unknown = await run(process.execPath, ["--eval", script]).catch((e: unknown) => e);
    assert(error instanceof CommandError);
    const { message, exitCode } = error;
    expect(exitCode).toBe(7);
    const [head, ...lines] = message.split("\n");
    expect(head).toContain(process.execPath);
    expect(head).toMatch(/ failed with 7$/);
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([20, "line 11", "line 30"]);
  });

  it("shows stdout when a program fails without a word on stderr", async () => {
    await expect(run("sh", ["-c", "echo sorry; exit 1"])).rejects.toThrow(/failed with 1\nsorry$/);
  });

  it("throws for a program that does not exist", async () => {
    await expect(run("no-such-program", [])).rejects.toThrow(/^no-such-program failed\n.*ENOENT/);
  });
});
