import path from "node:path";
import type { Command } from "commander";
import { describeEngine, type Engine, withEngine } from "../../engine/engine";
import { wholeNumber } from "../../lib/cli";
import { UserError } from "../../lib/errors";
import type { Report } from "../../lib/progress";
import { leaveRepository } from "../leave";
import { maxMachines } from "../machine";
import { exitCodeOf } from "../score";
import type { Grading } from "./digest";
import { gradeClass } from "./grade-class";
import { describe, type Member, pointsOf } from "./member";
import { findMembers } from "./members";
import { Output, prepareOutput } from "./output";

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
 * Grades a class and prints a line for each repository.
 * @param program After parsing; its arguments are folders.
 * @returns The exit code; undefined if the command is about one repository only.
 * @throws {UserError} for an option that a class does not have, or if there is nothing to grade, or
 *   nowhere to write.
 */
export async function classCommand(
  program: Command,
  grading: Grading,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { args } = program;
  const { class: parent, jobs, limit, ...options } = program.opts<Options>();
  if (args.length < 2 && parent === undefined && options.out === undefined) return undefined;
  if (options.html !== undefined) {
    throw new UserError("--html is for one repository: the pages of a class are in --out.");
  }
  if (options.watch) throw new UserError("--watch is for one repository: name only one.");
  const out = path.resolve(options.out ?? "grades");
  const folders = args.length === 0 && parent === undefined ? ["."] : args;
  const members = findMembers(folders, parent, out);
  prepareOutput(out);
  for (const { folder } of members) leaveRepository(folder);
  let graded: Member[] = [];
  let versions = "";
  const run = async (report: Report): Promise<undefined> => {
    // Only Classroom 50's runner sets it, and grades one repository
    const isSubmission = members.length === 1 && process.env.CLASSROOM !== undefined;
    const output = new Output(out, versions, isSubmission ? process.env : {});
    const timeoutMs = limit * 60_000;
    graded = await gradeClass(members, { ...grading, jobs, timeoutMs, output, report, signal });
  };
  const onEngine = (engine: Engine): void => {
    versions = describeEngine(engine);
  };
  await withEngine(signal, [{ title: "Grading", run }], { needs: { ports: false }, onEngine });
  process.stdout.write(options.json ? renderJson(graded) : renderText(graded, out));
  return exitCodeOfClass(graded, options.strict ?? false);
}

/** @returns The exit code: 2 if a repository could not be graded, otherwise that of all points. */
export function exitCodeOfClass(members: readonly Member[], strict: boolean): number {
  if (members.some(({ tasks }) => tasks === undefined)) return 2;
  return exitCodeOf(members.flatMap(pointsOf), strict);
}

function renderText(members: readonly Member[], out: string): string {
  const graded = members.filter(({ tasks }) => tasks !== undefined);
  const total = `${graded.length} of ${members.length} repositories are graded.`;
  return `${[...members.map(describe), "", total, `See ${path.join(out, "index.html")}`].join("\n")}\n`;
}

function renderJson(members: readonly Member[]): string {
  const repositories = members.map(({ name, output, tasks, graded, problem }) => {
    return { repository: name, folder: output, problem, tasks, graded };
  });
  return `${JSON.stringify({ version: 1, repositories }, null, 2)}\n`;
}
