import { Command } from "commander";
import pc from "picocolors";
import { CommandError, UserError } from "./errors";

const interrupts = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Begins a command line. What it cannot parse is one line and exit code 2, as any bad input is.
 * @param name As it is typed, for `--help`.
 */
export function commandLine(name: string): Command {
  return new Command(name).exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/**
 * Runs the body of a command and turns its end into an exit code.
 *
 * 0, or the number that the body returns; 2 with one line for a {@link UserError}; 1 with the
 * output of a program that failed; 130 and 143 after Ctrl-C and SIGTERM.
 * @param body Gets a signal that aborts on Ctrl-C and SIGTERM. It tears down what it started before
 *   it settles; a second Ctrl-C does not cut that short.
 */
export function main(body: (signal: AbortSignal) => Promise<number | undefined>): void {
  const controller = new AbortController();
  let interrupted: number | undefined;
  for (const [name, code] of Object.entries(interrupts)) {
    process.on(name, () => {
      if (interrupted === undefined) process.stderr.write("\nstopping…\n");
      interrupted ??= code;
      controller.abort();
    });
  }

  body(controller.signal).then(
    (code) => exit(interrupted ?? code ?? 0),
    (error: unknown) => {
      if (interrupted === undefined) process.stderr.write(`${describe(error)}\n`);
      exit(interrupted ?? (error instanceof UserError ? 2 : 1));
    },
  );
}

/** Ends the process once a pipe has taken all that was written: a long report is not cut off. */
function exit(code: number): void {
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

function describe(error: unknown): string {
  const colors = pc.createColors(pc.isColorSupported && process.stderr.isTTY === true);
  if (error instanceof UserError || error instanceof CommandError) {
    return `${colors.red("error:")} ${error.message}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
