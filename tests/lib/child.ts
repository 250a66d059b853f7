import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { waitUntil } from "../../tools/lib/wait";

/** A Node.js process that runs a TypeScript file. */
export interface Child {
  process: ChildProcess;
  output: { stdout: string; stderr: string };
  /** Resolves with the exit code or the signal that killed it, after all output is read. */
  ended: Promise<number | NodeJS.Signals>;
}

const started = new Set<ChildProcess>();

/**
 * Starts a script without npm in between, so that signals reach it.
 * @param args The script and its arguments, after options of node.
 * @param env Added to this process's environment; undefined removes a variable.
 * @param through A program that starts node, with its arguments, for example as another user.
 */
export function startScript(
  args: readonly string[],
  {
    cwd,
    env,
    through = [],
  }: { cwd: string; env?: NodeJS.ProcessEnv; through?: readonly string[] | undefined },
): Child {
  const compile = path.join(__dirname, "compile.cjs");
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--require", compile];
  const [program = "", ...rest] = [...through, ...node, ...args];
  const child = spawn(program, rest, { cwd, env: { ...process.env, ...env } });
  started.add(child);
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  const ended = once(child, "close").then(([code, signal]) => {
    started.delete(child);
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return { process: child, output, ended };
}

/** Kills the scripts that still run. For afterEach. */
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
 * Waits until a child's stdout matches.
 * @throws {Error} with the child's output if it exits before; after 20 s.
 */
export async function waitForOutput(child: Child, pattern: RegExp): Promise<RegExpExecArray> {
  const match = (): RegExpExecArray | false => {
    const found = pattern.exec(child.output.stdout);
    if (found === null && child.process.exitCode !== null) {
      throw new Error(`exited before it printed ${pattern}: ${JSON.stringify(child.output)}`);
    }
    return found ?? false;
  };
  return waitUntil(match, { for: `${pattern} on stdout`, timeoutMs: 20_000, intervalMs: 10 });
}
