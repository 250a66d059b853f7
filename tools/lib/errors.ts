import { printable } from "./printable";

/**
 * An error that the user can fix. The message is one line that says what is wrong and what to do; a
 * command prints it without a stack and exits with 2.
 */
export class UserError extends Error {
  override name = "UserError";
}

/** A failed program. The message is its command line and its last 20 lines, safe to print. */
export class CommandError extends Error {
  override name = "CommandError";

  constructor(
    command: string,
    readonly exitCode: number | undefined,
    output: string,
  ) {
    const lastLines = printable(output).trim().split("\n").slice(-20).join("\n");
    const suffix = exitCode === undefined ? "" : ` with ${exitCode}`;
    super(`${printable(command)} failed${suffix}\n${lastLines}`);
  }
}
