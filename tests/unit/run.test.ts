import { getEventListeners } from "node:events";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { attempt, type Outcome, type RunOptions, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { isAlive } from "../lib/alive";
import { endScripts, startScript } from "../lib/child";

const sh = (script: string, options?: RunOptions) => attempt("sh", ["-c", script], options);

/** SIGKILL takes effect with a delay. */
const untilDead = (pid: number) =>
  waitUntil(() => !isAlive(pid), {
    for: `process ${pid} to be gone`,
    timeoutMs: 2_000,
    intervalMs: 10,
  });

async function linesOf(script: string): Promise<string[]> {
  const lines: string[] = [];
  await sh(script, { onLine: (line) => lines.push(line) });
  return lines;
}

const failed = { ok: false, exitCode: undefined };
const { HOME } = process.env;

describe("attempt", () => {
  const ok = { ok: true, exitCode: 0, stderr: "" };
  const inUsr = { cwd: "/usr", env: { ADDED: "yes" } };
  it.each<[string, string, RunOptions, Partial<Outcome>]>([
    ["succeeds", "echo out; echo err >&2", {}, { ...ok, stdout: "out", stderr: "err" }],
    ["fails", "exit 3", {}, { ok: false, exitCode: 3, stderr: "" }],
    ["is killed", "echo out; kill $$", {}, { stdout: "out", stderr: "ended by SIGTERM" }],
    ["reads stdin", "cat; echo end", {}, { ...ok, stdout: "end" }],
    ["runs in a folder", "pwd; echo $ADDED $HOME", inUsr, { ...ok, stdout: `/usr\nyes ${HOME}` }],
    ["takes too long", "sleep 1000", { timeoutMs: 50 }, { stderr: "timed out after 0.05 s" }],
    ["is canceled before", "echo", { signal: AbortSignal.abort() }, { stderr: "was canceled" }],
  ])("returns how a program ends that %s", async (_, script, options, outcome) => {
    expect(await sh(script, options)).toEqual({ ...failed, stdout: "", ...outcome });
  });

  it.each([
    ["a missing program", "no-such-program", [], {}],
    ["a missing folder", "true", [], { cwd: "/no/such/folder" }],
    ["a NUL in the folder", "true", [], { cwd: "/tmp\0" }],
    ["an argument that is too long", "true", ["x".repeat(1_000_000)], {}],
    ["a NUL in an argument", "true", ["a\0b"], {}],
    ["a NUL in the environment", "true", [], { env: { A: "a\0b" } }],
    ["a NUL in the name", "a\0b", [], {}],
    ["an empty name", "", [], {}],
    ["a folder", "/", [], {}],
    ["a file that is not executable", "/etc/passwd", [], {}],
  ])("does not throw for %s", async (_, command, args, options) => {
    const outcome = await attempt(command, args, options);
    expect(outcome).toMatchObject({ ...failed, stdout: "" });
    expect(outcome.stderr).not.toBe("");
  });
});

describe.concurrent("a canceled program", () => {
  it.each([
    ["is stopped with its children", "sleep 1000 & echo $!; wait", 0],
    ["gets SIGKILL if it ignores SIGTERM", "trap '' TERM; echo $$; while :; do sleep 1; done", 1.9],
    [
      "does not leave a child that ignores SIGTERM",
      "(trap '' TERM; exec sleep 1000 >/dev/null 2>&1) & sleep 0.2; echo $!; wait",
      0,
    ],
  ])("%s", async (_, script, minSeconds) => {
    const controller = new AbortController();
    let start = 0;
    const onLine = (): void => {
      start = performance.now();
      controller.abort();
    };
    const { stdout, ...outcome } = await sh(script, { signal: controller.signal, onLine });
    const seconds = (performance.now() - start) / 1000;
    expect(outcome).toEqual({ ...failed, stderr: "was canceled" });
    expect(seconds).toBeGreaterThanOrEqual(minSeconds);
    await untilDead(Number(stdout));
  });

  it("can clean up after SIGTERM", async () => {
    const script = "trap 'echo cleaned; exit' TERM; echo ready; while :; do sleep 0.1; done";
    expect((await sh(script, { timeoutMs: 300 })).stdout).toBe("ready\ncleaned");
  });

  it.each([
    ["both together", "yes | head -c 300000; yes >&2", 500_000, 300_000],
    ["64 MB by default", "head -c 70000000 /dev/zero", undefined, 64_000_000],
  ])("keeps its output up to the limit: %s", async (_, script, maxOutputBytes, kept) => {
    const { ok, stdout, stderr } = await sh(script, { maxOutputBytes });
    const limit = (maxOutputBytes ?? 64_000_000) / 1e6;
    expect({ ok, stderr }).toEqual({ ok: false, stderr: `printed more than ${limit} MB` });
    expect(stdout.replace(/y$/, "y\n")).toHaveLength(kept);
  });
});

describe.concurrent("when this process exits, a program", () => {
  afterAll(endScripts);

  it.each([
    ["is killed", {}, false],
    ["keeps running if it is detached", { detached: true }, true],
  ])("%s", async (_, options, survives) => {
    const script = ["tests/unit/fixtures/exit.ts", JSON.stringify(options)];
    const child = startScript(script, { cwd: root });
    expect(await child.ended).toBe(7);
    const pid = Number(child.output.stdout);
    if (survives) {
      expect(isAlive(pid)).toBe(true);
      process.kill(pid);
    } else await untilDead(pid);
  });
});

describe("a background process", () => {
  it.each([
    ["holds the output open", "sleep 1000 &"],
    ["does not", "sleep 1000 >/dev/null 2>&1 &"],
  ])("is killed if it %s", async (_, background) => {
    const { stdout, ...outcome } = await sh(`${background} echo $!; exit 3`);
    expect(outcome).toEqual({ ok: false, exitCode: 3, stderr: "" });
    await untilDead(Number(stdout));
  });

  it("can finish its output first", async () => {
    expect((await sh("(sleep 0.1; echo late) & echo early")).stdout).toBe("early\nlate");
  });

  it.each<[string, string, RunOptions]>([
    ["in another process group", "setsid sleep 1000 & sleep 0.2; echo $!", {}],
    [
      "of a canceled program, in another group",
      "setsid sleep 1000 & sleep 0.2; echo $!; wait",
      { timeoutMs: 600 },
    ],
    ["of a detached program", "sleep 1000 & echo $!", { detached: true }],
  ])("%s keeps running, and is not waited for", async (_, script, options) => {
    const pid = Number((await sh(script, options)).stdout);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid);
  });
});

describe("stdin", () => {
  it("is the input", async () => {
    expect((await attempt("cat", [], { input: "grüße" })).stdout).toBe("grüße");
  });

  it("need not be read", async () => {
    const outcome = await attempt("true", [], { input: "x".repeat(5_000_000) });
    expect(outcome).toMatchObject({ ok: true, stderr: "" });
  });

  it("is held open, and closed before SIGTERM", async () => {
    const options = { holdStdin: true, input: "in\n", timeoutMs: 300 };
    expect(await sh("cat; echo closed", options)).toMatchObject({
      stdout: "in\nclosed",
      stderr: "timed out after 0.3 s",
    });
  });
});

describe("a line", () => {
  it.each([
    ["of either output", "echo a; sleep 0.1; echo b >&2", ["a", "b"]],
    ["without its end", "printf 'a\\r\\nb\\rc\\n\\nd'", ["a", "b", "c", "", "d"]],
    ["cut in a character", "printf 'gr\\303'; sleep 0.2; printf '\\274n\\n'", ["grün"]],
    ["cut in its end", "printf 'a\\r'; sleep 0.2; printf '\\nb\\n'", ["a", "b"]],
  ])("arrives %s", async (_, script, expected) => {
    expect(await linesOf(script)).toEqual(expected);
  });

  it("of 200 kB arrives in pieces", async () => {
    const lines = await linesOf("head -c 200000 /dev/zero | tr '\\0' x; echo; echo end");
    expect(lines.map(({ length }) => length)).toEqual([64_000, 64_000, 64_000, 8_000, 3]);
  });
});

describe("run", () => {
  it("leaves no listener on a signal", async () => {
    const { signal } = new AbortController();
    await run("true", [], { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("returns stdout without the final newline", async () => {
    expect(await run("printf", ["a\\n\\n"])).toBe("a\n");
  });

  it.each([
    ["stderr", "echo out; echo no >&2; exit 7", 7, "no"],
    ["stdout if stderr is empty", "echo sorry; exit 1", 1, "sorry"],
  ])("throws the command line, the exit code and %s", async (_, script, exitCode, output) => {
    const message = `sh -c ${script} failed with ${exitCode}\n${output}`;
    await expect(run("sh", ["-c", script])).rejects.toMatchObject({ exitCode, message });
  });

  it("throws for a missing program", async () => {
    await expect(run("no-such-program", [])).rejects.toThrow(/^no-such-program failed\n.*ENOENT/);
  });
});
