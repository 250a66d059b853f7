import type { Command } from "commander";
import { wholeNumber } from "../../lib/cli";
import { UserError } from "../../lib/errors";
import { maxMachines } from "../machine";
import type { ClassCommand } from "./command";

interface Options {
  class?: string;
  out?: string;
  html?: string;
  json?: boolean;
  strict?: boolean;
  watch?: boolean;
  jobs: number;
  limit: number;
}

/** Adds what concerns a class to the grader's command. */
export const addClassOptions = (program: Command): Command =>
  program
    .option("--class <folder>", "grade each subfolder as a repository of a class")
    .option("--out <folder>", 'write the reports of a class there (default: "grades")')
    .option(
      "--jobs <number>",
      "of a class, grade so many at a time",
      wholeNumber(1, maxMachines),
      1,
    )
    .option("--limit <minutes>", "of a class, for one repository", wholeNumber(1, 1_440), 30);

/**
 * @param program After parsing; its arguments are folders.
 * @returns Undefined if the command is about one repository only.
 * @throws {UserError} for an option that a class does not have.
 */
export function readClassOptions(
  program: Command,
  grading: Pick<ClassCommand, "tasks" | "buildTimeoutMs" | "hints">,
): ClassCommand | undefined {
  const { args } = program;
  const { class: parent, out, html, jobs, limit, ...options } = program.opts<Options>();
  if (args.length < 2 && parent === undefined && out === undefined) return undefined;
  if (html !== undefined) {
    throw new UserError("--html is for one repository: the pages of a class are in --out.");
  }
  if (options.watch) throw new UserError("--watch is for one repository: name only one.");
  return {
    ...grading,
    folders: args.length === 0 && parent === undefined ? ["."] : args,
    parent,
    out: out ?? "grades",
    jobs,
    timeoutMs: limit * 60_000,
    json: options.json ?? false,
    strict: options.strict ?? false,
  };
}
