import { setTimeout as sleep } from "node:timers/promises";
import { isatty } from "node:tty";
import { format } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { CommandError, UserError } from "./errors";
import { printable, printableLine } from "./printable";

/** Exit codes by signal. */
const interrupts = {
  SIGINT: 130,
  SIGTERM: 143,
  // The terminal was closed. Without a terminal, a handler would undo nohup
  ...([0, 1, 2].some((fd) => isatty(fd)) && { SIGHUP: 129 }),
};

/**
 * Defines a command. Arguments that it cannot parse print one line and exit with 2.
 * @param name As the user types it, for `--help`.
 */
export function commandLine(name: string): Command {
  return new Command(name).exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** @returns A parser for an option whose value is a whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`give a whole number from ${min} to ${max}.`);
  };
}

/** @returns A parser for an option that can be given more than once, each time with one of some values. */
export function collect<Value extends string>(
  choices: readonly Value[],
): (value: string, previous: Value[]) => Value[] {
  return (value, previous) => {
    if (!choices.includes(value as Value)) {
      throw new InvalidArgumentError(`choose from ${choices.join(", ")}.`);
    }
    return [...previous, value as Value];
  };
}

export interface MainOptions {
  /** Replaces all exit codes listed for {@link main}. */
  unfinished?: number;
  /** Time for the body to settle after an interrupt or a defect; then for the clean-up. */
  graceMs?: number;
}

/**
 * Runs the body of a command and exits with 0, or the number that the body returns. Otherwise:
 *
 * - a {@link UserError}: 2, with one line;
 * - a {@link CommandError}: 1, with the output of the program that failed;
 * - any other error of the body: 1, with its stack;
 * - Ctrl-C, SIGTERM, a closed terminal: 130, 143, 129;
 * - an uncaught exception, an unhandled rejection, or an event loop that runs empty before the body
 *   settles: 1, with one line, and with the stack if the environment variable `DEBUG` is set;
 * - a closed stdout or stderr: 1.
 *
 * After the last three the body has a grace period to settle. Then, or if the event loop is empty,
 * clean-up that is still registered with {@link onEnd} runs.
 * @param body Gets a signal that aborts on an interrupt or a defect. It removes what it started
 *   before it settles; a second Ctrl-C does not interrupt that.
 */
export function main(
  body: (signal: AbortSignal) => Promise<number | undefined>,
  { unfinished, graceMs = 60_000 }: MainOptions = {},
): void {
  const controller = new AbortController();
  let stopCode: number | undefined;
  let exitCode = 0;
  let isEnding = false;

  const stop = (code: number, message: string): void => {
    if (stopCode !== undefined) return;
    stopCode = unfinished ?? code;
    process.stderr.write(message);
    // If the event loop is empty, there is nothing to wait for
    setTimeout(end, graceMs).unref();
    controller.abort();
  };
  const end = async (code = 0): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    exitCode = code;
    await Promise.race([cleanUp(), sleep(graceMs, undefined, { ref: false })]);
    exit(stopCode ?? exitCode);
  };

  for (const [name, code] of Object.entries(interrupts)) {
    process.on(name, () => stop(code, "\nstopping…\n"));
  }
  process.on("uncaughtException", (error) => stop(1, describeDefect(error)));
  process.on("unhandledRejection", (reason) => stop(1, describeDefect(reason)));
  // The reader of a pipe has exited
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => stop(1, ""));
  process.on("beforeExit", () => {
    // Here the clean-up never settles; below, the body
    if (isEnding) process.exit(stopCode ?? exitCode);
    if (stopCode !== undefined) return void end();
    stop(1, describeDefect("the command waits for something that never happens"));
    // Without another turn of the event loop, the process would exit now
    setImmediate(() => undefined);
  });

  (async () => body(controller.signal))().then(end, (error: unknown) => {
    if (stopCode === undefined) process.stderr.write(`${describe(error)}\n`);
    return end(unfinished ?? (error instanceof UserError ? 2 : 1));
  });
}

const cleanUps = new Set<() => Promise<void>>();

/**
 * Registers clean-up that {@link main} runs before it exits, concurrently, if the `finally` blocks of
 * the command do not complete.
 * @returns A function that cancels the registration: call it after cleaning up.
 */
export function onEnd(cleanUp: () => Promise<void>): () => void {
  const registration = (): Promise<void> => cleanUp();
  cleanUps.add(registration);
  return () => cleanUps.delete(registration);
}

async function cleanUp(): Promise<void> {
  await Promise.all(
    Array.from(cleanUps, async (registered) => {
      try {
        await registered();
      } catch (error) {
        process.stderr.write(describeDefect(error));
      }
    }),
  );
}

/** Exits once all output is written, so that a pipe gets the whole report. */
function exit(code: number): void {
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

function errorLabel(): string {
  return pc.createColors(pc.isColorSupported && process.stderr.isTTY === true).red("error:");
}

function describe(error: unknown): string {
  if (error instanceof UserError || error instanceof CommandError) {
    return `${errorLabel()} ${printable(error.message)}`;
  }
  return printable(error instanceof Error ? (error.stack ?? error.message) : format(error));
}

/** @returns One line, and before it the stack if `DEBUG` is set. */
function describeDefect(reason: unknown): string {
  const message = reason instanceof Error ? reason.message || reason.name : format(reason);
  const line = printableLine(message).trim();
  const stack = process.env.DEBUG ? `${describe(reason)}\n` : "";
  return `${stack}${errorLabel()} ${line} (a defect of this program: please report it)\n`;
}
