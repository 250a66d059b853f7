import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { CommandError } from "../../tools/lib/errors";
import { attempt, type RunOptions, run } from "../../tools/lib/run";

const node = (script: string, options?: RunOptions) =>
  attempt(process.execPath, ["--eval", script], options);

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
