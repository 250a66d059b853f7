import { once } from "node:events";
import path from "node:path";
import { Readable } from "node:stream";
import { execa } from "execa";
import { CommandError } from "./errors";
import { eachLine } from "./lines";
import { nameOfPath } from "./search-path";

export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment. A `PATH` in it is also used to find the program. */
  env?: NodeJS.ProcessEnv;
  /** Stops the program when it aborts. */
  signal?: AbortSignal | undefined;
  /** Stops the program after this time. */
  timeoutMs?: number;
  /** Stops the program if it prints more, stdout and stderr together. The default is 64 MB. */
  maxOutputBytes?: number | undefined;
  /** Called with each line of stdout and stderr as it arrives; above 64 kB, in pieces. */
  onLine?: ((line: string) => void) | undefined;
  /** Written to stdin, which is then closed. By default stdin is empty. */
  input?: string | Readable;
  /**
   * Keeps stdin open while the program runs, and closes it before SIGTERM: the process on the other
   * side of `docker exec -i` sees the end of stdin but not the signal.
   */
  holdStdin?: boolean;
  /**
   * The program outlives this process, and its background processes outlive the program. For
   * clean-up, which must complete.
   */
  detached?: boolean;
}

/** How a program ended. */
export interface Outcome {
  ok: boolean;
  /** Undefined if the program did not start or was killed. */
  exitCode: number | undefined;
  stdout: string;
  /** Without an exit code, the reason instead: `timed out after 5 s`. */
  stderr: string;
}

/** From closing stdin to SIGTERM: `docker exec -i` needs a moment to forward the end of input. */
const stdinGraceMs = 100;
/** From SIGTERM to SIGKILL. */
const killGraceMs = 2_000;
/** From the program's exit to SIGKILL for processes that still hold its output open. */
const outputGraceMs = 500;
/** From SIGKILL to ignoring the rest of the output. */
const closeGraceMs = 200;

/**
 * Runs a program until it exits. It runs in a process group of its own, so Ctrl-C at the terminal
 * does not reach it: pass a `signal`. To stop it, the whole group gets SIGTERM, and SIGKILL after 2 s.
 * When it exits, its background processes in the group get SIGKILL (if they hold its output open,
 * after 0.5 s). When this process exits, the group gets SIGKILL.
 * @param command An absolute path, or a name that is looked up in the absolute entries of PATH: empty
 *   and relative entries would find files in `cwd`. The program's PATH has no such entries either.
 * @returns The exit code and the output so far; `ok` if the exit code is 0. Never throws for a
 *   program that is missing, fails or is stopped.
 */
export async function attempt(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const { cwd, signal, timeoutMs, maxOutputBytes = 64_000_000, onLine } = options;
  const { input, holdStdin = false, detached = false } = options;
  const failed = (stderr: string, stdout = ""): Outcome => {
    return { ok: false, exitCode: undefined, stdout, stderr };
  };
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  const { [nameOfPath(env)]: searchPath = "" } = env;
  delete env[nameOfPath(env)];
  env.PATH = absoluteEntries(searchPath);
  const problem = signal?.aborted ? "was canceled" : explainInvalid(command, args);
  if (problem !== undefined) return failed(problem);

  const child = execa(command, args, {
    ...(cwd !== undefined && { cwd }),
    env,
    extendEnv: false,
    detached: true,
    stdin: input !== undefined || holdStdin ? "pipe" : "ignore",
    buffer: false,
    reject: false,
  });
  const { pid, stdin, stdout, stderr } = child;
  if (pid === undefined) return failed((await child).originalMessage ?? "did not start");
  if (!detached) groups.add(pid);
  if (typeof input === "string") stdin?.write(input);
  else if (stdin) input?.pipe(stdin, { end: !holdStdin });
  if (!holdStdin && !(input instanceof Readable)) stdin?.end();

  const stop = new AbortController();
  let bytes = 0;
  const collect = (stream: Readable): Buffer[] => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => {
      if (bytes < maxOutputBytes) chunks.push(chunk.subarray(0, maxOutputBytes - bytes));
      bytes += chunk.length;
      if (bytes > maxOutputBytes) stop.abort(`printed more than ${maxOutputBytes / 1e6} MB`);
    });
    if (onLine !== undefined) eachLine(stream, onLine);
    return chunks;
  };
  const [out, err] = [collect(stdout), collect(stderr)];
  const exited = once(child, "exit");
  const closed = once(child, "close");

  const cancel = (): void => stop.abort("was canceled");
  signal?.addEventListener("abort", cancel);
  const expire = (): void => stop.abort(`timed out after ${(timeoutMs ?? 0) / 1000} s`);
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  await Promise.race([exited, once(stop.signal, "abort")]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", cancel);

  if (stop.signal.aborted) {
    stdin?.destroy();
    if (holdStdin) await within(stdinGraceMs, exited);
    killGroup(pid, "SIGTERM");
    await within(killGraceMs, closed);
  } else {
    await within(outputGraceMs, closed);
  }
  if (stop.signal.aborted || !detached) killGroup(pid, "SIGKILL");
  await within(closeGraceMs, closed);
  groups.delete(pid);
  // A process outside the group can still hold them open
  stdout.destroy();
  stderr.destroy();
  await within(closeGraceMs, closed);
  child.unref();

  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString().replace(/\n$/, "");
  const { exitCode, signalCode } = child;
  if (stop.signal.aborted) return failed(String(stop.signal.reason), text(out));
  if (exitCode === null) return failed(`ended by ${signalCode}`, text(out));
  return { ok: exitCode === 0, exitCode, stdout: text(out), stderr: text(err) };
}

/**
 * Runs a program that must succeed.
 * @returns Its stdout without the final newline.
 * @throws {CommandError} if it does not start, fails, times out or is canceled.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const outcome = await attempt(command, args, options);
  if (!outcome.ok) {
    const output = outcome.stderr.trim() === "" ? outcome.stdout : outcome.stderr;
    throw new CommandError([command, ...args].join(" "), outcome.exitCode, output);
  }
  return outcome.stdout;
}

/** Process groups that must not outlive this process, by their leader's id. */
const groups = new Set<number>();
process.once("exit", () => {
  for (const pid of groups) killGroup(pid, "SIGKILL");
});

function absoluteEntries(searchPath: string): string {
  const folders = searchPath.split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  // An empty PATH means the working directory
  return folders.join(path.delimiter) || "/dev/null";
}

/** @returns Why a program cannot be started, or undefined. */
function explainInvalid(command: string, args: readonly string[]): string | undefined {
  const isName = command !== "" && !command.includes("/");
  if (!isName && !path.isAbsolute(command)) return `${command} is not in PATH (ENOENT)`;
  return [command, ...args].some((arg) => arg.includes("\0")) ? "an argument has a NUL" : undefined;
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is empty
  }
}

/** Waits for a promise for at most `ms`; events that arrived by then are processed. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    // In a turn of the event loop, timers run before I/O, and the turn may be late
    timer = setTimeout(() => setImmediate(resolve), ms);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
