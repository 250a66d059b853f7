import { CommandError, UserError } from "../../lib/errors";
import { printableLine } from "../../lib/printable";
import type { Report } from "../../lib/progress";
import { copyRepository, gradeCopy } from "../grade-repository";
import { withhold } from "../hints";
import { buildMachine, machineNames } from "../machine";
import { unjudged } from "../score";
import type { Graded } from "../session";
import { digestOf, type Grading } from "./digest";
import { describe, type Member, pointsOf } from "./member";
import type { Output } from "./output";

interface ClassOptions extends Grading {
  /** For one repository. */
  timeoutMs: number;
  /** How many repositories are graded at the same time. */
  jobs: number;
  output: Output;
  report: Report;
  signal: AbortSignal;
}

/** The problem of a repository whose turn has not come. */
const waiting = "not graded yet";

/**
 * Grades the repositories of a class that have changed since they were graded, and writes the
 * reports of each as soon as it is graded.
 * @returns What is known about each, in the order of `members`.
 * @throws {UserError} if the machine cannot be built or a report not be written. Nothing that a
 *   repository does stops the others.
 */
export async function gradeClass(
  members: readonly Member[],
  options: ClassOptions,
): Promise<Member[]> {
  const { jobs, output, report, signal } = options;
  const rows: Member[] = [];
  for (const member of members) rows.push(await reuse(member, options));
  output.writeClass(rows);
  const due = [...rows.keys()].filter((index) => rows[index]?.problem === waiting);
  report(`${due.length} of ${rows.length} to grade`);
  if (due.length === 0) return rows;
  const image = await buildMachine({ report: quiet(report, "the machine"), signal });

  const ending = new AbortController();
  const queue = due.values();
  const durationsMs: number[] = [];
  let done = 0;
  const work = async (worker: number): Promise<void> => {
    const machine = { image, machineNames: machineNames(worker, jobs) };
    const any = AbortSignal.any([signal, ending.signal]);
    for (const index of queue) {
      const start = performance.now();
      const member = members[index] as Member;
      const [row, pictures] = await gradeMember(member, { ...options, ...machine, signal: any });
      output.writeMember(row, pictures);
      // What could not be graded says nothing about the others
      if (row.tasks !== undefined) durationsMs.push(performance.now() - start);
      done += 1;
      rows[index] = row;
      output.writeClass(rows);
      const rest = remaining(due.length - done, jobs, durationsMs);
      report(`${done} of ${due.length}: ${describe(row)}; ${rest}`);
    }
  };
  const workers = Array.from({ length: Math.min(jobs, due.length) }, (_, worker) =>
    work(worker).catch((error: unknown) => ending.abort(error)),
  );
  await Promise.all(workers);
  ending.signal.throwIfAborted();
  return rows;
}

/** @returns A repository with an earlier result, with a reason not to grade it, or waiting. */
async function reuse(member: Member, options: ClassOptions): Promise<Member> {
  const { output, signal } = options;
  signal.throwIfAborted();
  if (member.problem !== undefined) {
    output.writeMember(member);
    return member;
  }
  const due = { ...member, problem: waiting };
  const known = output.readMember(member);
  // What could not be judged may have been a passing trouble of the machine
  if (known === undefined || unjudged(pointsOf(known)).length > 0) return due;
  // Whatever is wrong with it is reported when it is graded
  const copy = await copyRepository(member.folder).catch(() => undefined);
  if (copy === undefined) return due;
  try {
    return digestOf(copy, options) === known.digest ? known : due;
  } finally {
    await copy.remove();
  }
}

interface MemberOptions extends ClassOptions {
  /** The image and the names of its machines. */
  image: string;
  machineNames: readonly string[];
}

type Result = [member: Member, pictures?: Graded["pictures"]];

/** Whatever a repository does ends here; only an interruption goes on. */
async function gradeMember(member: Member, options: MemberOptions): Promise<Result> {
  const { signal, timeoutMs } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await gradeFolder(member, { ...options, signal: AbortSignal.any([signal, limit]) });
  } catch (error) {
    signal.throwIfAborted();
    const late = `timed out after ${timeoutMs / 60_000} min`;
    return [{ ...member, problem: limit.aborted ? late : explain(error) }];
  }
}

async function gradeFolder(member: Member, options: MemberOptions): Promise<Result> {
  const { tasks, buildTimeoutMs, image, machineNames, signal } = options;
  const report = quiet(options.report, member.name);
  const copy = await copyRepository(member.folder);
  try {
    const digest = digestOf(copy, options);
    const session = { tasks, buildTimeoutMs, image, machineNames, report, signal };
    const { reports, pictures } = await gradeCopy(copy, session);
    const graded = { tasks: withhold(reports, options.hints), graded: new Date(), digest };
    return [{ ...member, ...graded }, pictures];
  } finally {
    await copy.remove();
  }
}

/** Of one repository's progress, a class shows all but the result only on a terminal. */
function quiet({ detail }: Report, name: string): Report {
  const print = (line: string): void => detail(`${name}: ${line}`);
  return Object.assign(print, { detail: print });
}

function explain(error: unknown): string {
  const { message } = error as Error;
  const isExpected = error instanceof UserError || error instanceof CommandError;
  const text = isExpected ? message : `a defect of the grader: ${message}`;
  return printableLine(text).slice(0, 500);
}

/**
 * Estimates when a class is graded.
 * @param left How many repositories are to be graded.
 * @param durationsMs How long each took that is graded.
 * @returns Such as `about 5 min left`.
 */
export function remaining(left: number, jobs: number, durationsMs: readonly number[]): string {
  if (left === 0 || durationsMs.length === 0) return `${left} left`;
  const mean = durationsMs.reduce((sum, duration) => sum + duration) / durationsMs.length;
  const minutes = (mean * Math.ceil(left / jobs)) / 60_000;
  return minutes < 1 ? "less than a minute left" : `about ${Math.round(minutes)} min left`;
}
