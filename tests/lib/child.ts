import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { waitUntil } from "../../tools/lib/wait";

/** A Node.js process that runs TypeScript the way the project's commands do. */
export interface Child {
  process: ChildProcess;
  output: { stdout: string; stderr: string };
  /** Settles with the exit code, or the signal that ended the process, once its output is read. */
  ended: Promise<number | NodeJS.Signals>;
}

const started = new Set<ChildProcess>();

/**
 * Starts a script under ts-node, without npm in between, so that a signal reaches the script itself.
 * @param args The script and its arguments, or options of node before it.
 * @param env Added to this process's environment; an undefined value takes a variable away.
 * @param through A program that starts node, with its arguments, such as one that changes the user.
 */
export function startScript(
  args: readonly string[],
  { cwd, env, through = [] }: { cwd: string; env?: NodeJS.ProcessEnv; through?: readonly string[] },
): Child {
  const [program = "", ...rest] = [
    ...[...through, process.execPath],
    ...["--disable-warning=ExperimentalWarning", "--require", "ts-node/register", ...args],
  ];
  const child = spawn(program, rest, {
    cwd,
    env: { ...process.env, TS_NODE_TRANSPILE_ONLY: "true", ...env },
  });
  started.add(child);
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const ended = once(child, "close").then(([code, signal]) => {
    started.delete(child);
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return { process: child, output, ended };
}

/** Ends what the tests left running. For afterEach. */
export async function endScripts(): Promise<void> {
  await Promise.all(
    Array.from(started, async (child) => {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    }),
  );
}

/**
 * Waits for a text on a child's stdout.
 * @returns The match.
 * @throws {Error} when the child ends before, or after 20 s, with what it said.
 */
export async function waitForOutput(child: Child, pattern: RegExp): Promise<RegExpExecArray> {
  const found = waitUntil(
    () => {
      const match = pattern.exec(child.output.stdout);
      if (match === null && child.process.exitCode !== null) {
        throw new Error(`ended before ${pattern} came: ${JSON.stringify(child.output)}`);
      }
      return match ?? false;
    },
    { for: `${pattern} on stdout`, timeoutMs: 20_000, intervalMs: 10 },
  );
  return found;
}

/** @returns The seconds from now until a child has ended, and how it ended. */
export async function timeToEnd(
  child: Child,
): Promise<{ seconds: number; how: number | NodeJS.Signals }> {
  const start = performance.now();
  const how = await child.ended;
  return { seconds: (performance.now() - start) / 1000, how };
}
