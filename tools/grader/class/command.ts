import path from "node:path";
import { describeEngine, type Engine, withEngine } from "../../engine/engine";
import type { Report } from "../../lib/progress";
import type { HintLevel } from "../hints";
import { leaveRepository } from "../leave";
import type { Task } from "../repository";
import { tally, unjudged } from "../score";
import { describe, gradeClass } from "./grade-class";
import { findMembers } from "./members";
import { Output, prepareOutput } from "./output";
import { pointsOf, type Row } from "./row";

export interface ClassCommand {
  folders: readonly string[];
  /** Each of its subfolders is a repository. */
  parent: string | undefined;
  out: string;
  jobs: number;
  tasks: readonly Task[];
  buildTimeoutMs: number;
  hints: HintLevel;
  timeoutMs: number;
  json: boolean;
  strict: boolean;
}

/**
 * Grades a class and prints a line for each repository.
 * @returns The exit code: 2 if a repository could not be graded, 1 if a point fails, otherwise 0; if
 *   `strict`, also 2 if no point fails but some could not be judged.
 * @throws {UserError} if there is nothing to grade, or nowhere to write.
 */
export async function classCommand(command: ClassCommand, signal: AbortSignal): Promise<number> {
  const out = path.resolve(command.out);
  const members = findMembers(command.folders, command.parent, out);
  prepareOutput(out);
  for (const { folder } of members) leaveRepository(folder);
  let rows: Row[] = [];
  let versions = "";
  const run = async (report: Report): Promise<undefined> => {
    // Only Classroom 50's runner sets it, and grades one repository
    const isSubmission = members.length === 1 && process.env.CLASSROOM !== undefined;
    const env = isSubmission ? process.env : {};
    const output = new Output(out, versions, env);
    rows = await gradeClass(members, { ...command, output, report, signal });
  };
  const onEngine = (engine: Engine): void => {
    versions = describeEngine(engine);
  };
  await withEngine(signal, [{ title: "Grading", run }], { needs: { ports: false }, onEngine });
  process.stdout.write(command.json ? renderJson(rows) : renderText(rows, out));
  return exitCodeOf(rows, command.strict);
}

/** @returns The exit code of a graded class. */
export function exitCodeOf(rows: readonly Row[], strict: boolean): number {
  if (rows.some(({ tasks }) => tasks === undefined)) return 2;
  const points = rows.flatMap(pointsOf);
  if (tally(points).fail > 0) return 1;
  return strict && unjudged(points).length > 0 ? 2 : 0;
}

function renderText(rows: readonly Row[], out: string): string {
  const graded = rows.filter(({ tasks }) => tasks !== undefined);
  const total = `${graded.length} of ${rows.length} repositories are graded.`;
  return `${[...rows.map(describe), "", total, `See ${path.join(out, "index.html")}`].join("\n")}\n`;
}

const renderJson = (rows: readonly Row[]): string =>
  `${JSON.stringify({ version: 1, repositories: rows.map(({ name, output, ...row }) => ({ repository: name, folder: output, ...row })) }, null, 2)}\n`;
