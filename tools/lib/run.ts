import { createInterface } from "node:readline";
import { x } from "tinyexec";
import { CommandError } from "./errors";

export interface RunOptions {
  cwd?: string;
  /** Added to this process's own environment. */
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** Ends it when it prints more than this, stdout and stderr together. */
  maxOutputBytes?: number | undefined;
  /** Called with each line of stdout and stderr as it comes. */
  onLine?: ((line: string) => void) | undefined;
  /**
   * Runs in a process group of its own, so that a second Ctrl-C at the terminal does not reach it.
   * For clean-up, which must come to its end.
   */
  detached?: boolean;
}

/** What a program left behind. `exitCode` is undefined when it could not start or was ended. */
export interface Outcome {
  ok: boolean;
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end, whatever that is.
 * @param command A program on the PATH.
 * @returns Its exit code and output; `ok` when the exit code is 0. Never throws for a failing,
 *   missing or ended program.
 */
export async function attempt(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const { cwd, env, signal, timeoutMs, maxOutputBytes, onLine, detached } = options;
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const flood = new AbortController();
  const floodSignal = maxOutputBytes === undefined ? undefined : flood.signal;
  const signals = [signal, timeout, floodSignal].filter((one) => one !== undefined);
  const child = x(command, args, {
    nodeOptions: {
      stdio: ["ignore", "pipe", "pipe"],
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
      ...(cwd !== undefined && { cwd }),
      ...(env !== undefined && { env }),
      ...(detached !== undefined && { detached }),
    },
  });
  if (maxOutputBytes !== undefined) {
    let bytes = 0;
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxOutputBytes) flood.abort();
    };
    child.process?.stdout?.on("data", count);
    child.process?.stderr?.on("data", count);
  }
  if (onLine !== undefined) {
    for (const stream of [child.process?.stdout, child.process?.stderr]) {
      if (stream) createInterface(stream).on("line", onLine);
    }
  }
  try {
    const { exitCode, stdout, stderr } = await child;
    const withoutLastNewline = (text: string): string => text.replace(/\n$/, "");
    return {
      ok: exitCode === 0,
      exitCode,
      stdout: withoutLastNewline(stdout),
      stderr: exitCode === undefined ? `ended by ${child.signalCode}` : withoutLastNewline(stderr),
    };
  } catch (error) {
    const { name, message } = error as Error;
    const ended = flood.signal.aborted
      ? `printed more than ${(maxOutputBytes ?? 0) / 1e6} MB`
      : `timed out after ${(timeoutMs ?? 0) / 1000} s`;
    const reason = name === "AbortError" ? ended : message;
    return { ok: false, exitCode: undefined, stdout: "", stderr: reason };
  }
}

/**
 * Runs a program that must succeed.
 * @returns Its stdout without the final newline.
 * @throws {CommandError} when it fails, cannot start, runs over its time or is cancelled.
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
