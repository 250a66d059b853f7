import { printable } from "./printable";

/**
 * Something that the person at the terminal can put right. The message is one line that says what
 * is wrong and what to do; a command prints it alone, without a stack, and exits with 2.
 */
export class UserError extends Error {
  override name = "UserError";
}

/**
 * A program that we ran and that failed. The message is its command line and its last lines, without
 * what a terminal would obey.
 */
export class CommandError extends Error {
  override name = "CommandError";

  constructor(
    command: string,
    readonly exitCode: number | undefined,
    output: string,
  ) {
    const lastLines = printable(output).trim().split("\n").slice(-20).join("\n");
    const end = exitCode === undefined ? "" : ` with ${exitCode}`;
    super(`${printable(command)} failed${end}\n${lastLines}`);
  }
}
