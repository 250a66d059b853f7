import { CommandError, UserError } from "../../lib/errors";
import { printableLine } from "../../lib/printable";
import type { Report } from "../../lib/progress";
import { copyRepository, gradeCopy } from "../grade-repository";
import { type HintLevel, withhold } from "../hints";
import { buildMachine, machineNames } from "../machine";
import type { Task } from "../repository";
import { scoreLine, unjudged } from "../score";
import type { Graded } from "../session";
import { digestOf } from "./digest";
import type { Member } from "./members";
import type { Output } from "./output";
import { pointsOf, type Row, waiting } from "./row";

interface ClassOptions {
  tasks: readonly Task[];
  /** For one build. */
  buildTimeoutMs: number;
  hints: HintLevel;
  /** For one repository. */
  timeoutMs: number;
  /** How many repositories are graded at the same time. */
  jobs: number;
  output: Output;
  report: Report;
  signal: AbortSignal;
}

/**
 * Grades the repositories of a class that have changed since they were graded, and writes the
 * reports of each as soon as it is graded.
 * @returns A row for each, in the order of `members`.
 * @throws {UserError} if the machine cannot be built or a report not be written. Nothing that a
 *   repository does stops the others.
 */
export async function gradeClass(
  members: readonly Member[],
  options: ClassOptions,
): Promise<Row[]> {
  const { jobs, output, report, signal } = options;
  const rows = members.map(({ name, output }): Row => ({ name, output, problem: waiting }));
  const due = new Set<number>();
  for (const [index, member] of members.entries()) {
    const known = await reuse(member, options);
    if (known === undefined) due.add(index);
    else rows[index] = known;
  }
  output.writeClass(rows);
  report(`${due.size} of ${rows.length} to grade`);
  if (due.size === 0) return rows;
  const image = await buildMachine({ report: quiet(report), signal });

  const ending = new AbortController();
  const clock = new Clock(due.size, jobs);
  const queue = due.values();
  const work = async (worker: number): Promise<void> => {
    const names = machineNames(worker, jobs);
    for (const index of queue) {
      const member = members[index] as Member;
      const any = AbortSignal.any([signal, ending.signal]);
      const start = performance.now();
      const row = await gradeMember(member, { ...options, signal: any, image, names });
      const counter = clock.tick(row.tasks && performance.now() - start);
      rows[index] = row;
      output.writeClass(rows);
      report(`${counter}: ${describe(row)}; ${clock.remaining()}`);
    }
  };
  let failure: unknown;
  const workers = Array.from({ length: Math.min(jobs, due.size) }, (_, worker) =>
    work(worker).catch((error: unknown) => {
      failure ??= error;
      ending.abort();
    }),
  );
  await Promise.all(workers);
  if (failure !== undefined) throw failure;
  return rows;
}

/** @returns The row of a repository that need not be graded again, or cannot be graded. */
async function reuse(member: Member, options: ClassOptions): Promise<Row | undefined> {
  const { output, signal } = options;
  signal.throwIfAborted();
  const { name, output: folder, problem } = member;
  if (problem !== undefined) {
    output.removeMember(member);
    return { name, output: folder, problem };
  }
  const known = output.readMember(member);
  // What could not be judged may have been a passing trouble of the machine
  if (known === undefined || unjudged(pointsOf(known.row)).length > 0) return undefined;
  // Whatever is wrong with it is reported when it is graded
  const copy = await copyRepository(member.folder).catch(() => undefined);
  if (copy === undefined) return undefined;
  try {
    return digestOf({ copy, ...options }) === known.digest ? known.row : undefined;
  } finally {
    await copy.remove();
  }
}

interface MemberOptions extends ClassOptions {
  image: string;
  /** The names of its machines. */
  names: readonly string[];
}

/** Whatever a repository does ends here; only an interruption and a full disk go on. */
async function gradeMember(member: Member, options: MemberOptions): Promise<Row> {
  const { output, signal, timeoutMs } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  let result: { graded: Graded; digest: string };
  try {
    const both = AbortSignal.any([signal, limit]);
    result = await gradeFolder(member, { ...options, signal: both });
  } catch (error) {
    signal.throwIfAborted();
    output.removeMember(member);
    const late = `timed out after ${timeoutMs / 60_000} min`;
    const problem = limit.aborted ? late : explain(error);
    return { name: member.name, output: member.output, problem };
  }
  return output.writeMember(member, result.graded, result.digest);
}

async function gradeFolder(member: Member, options: MemberOptions) {
  const { tasks, buildTimeoutMs, hints, image, names: machineNames, signal } = options;
  const report = quiet(options.report, member.name);
  const copy = await copyRepository(member.folder);
  try {
    const digest = digestOf({ copy, tasks, buildTimeoutMs, hints });
    const session = { tasks, buildTimeoutMs, image, machineNames, report, signal };
    const { reports, pictures } = await gradeCopy(copy, session);
    return { graded: { reports: withhold(reports, hints), pictures }, digest };
  } finally {
    await copy.remove();
  }
}

/** Of one repository's progress, a class shows all but the result only on a terminal. */
function quiet({ detail }: Report, name?: string): Report {
  const print = (line: string): void => detail(name === undefined ? line : `${name}: ${line}`);
  return Object.assign(print, { detail: print });
}

function explain(error: unknown): string {
  const { message } = error as Error;
  const isExpected = error instanceof UserError || error instanceof CommandError;
  const text = isExpected ? message : `a defect of the grader: ${message}`;
  return printableLine(text).slice(0, 500);
}

/** @returns Such as `alice: 12 of 14 hold, 1 fails`. */
export const describe = (row: Row): string =>
  `${row.name}: ${row.tasks === undefined ? `not graded: ${row.problem}` : scoreLine(pointsOf(row))}`;

/** Estimates when a class is graded. */
export class Clock {
  private done = 0;
  private graded = 0;
  private milliseconds = 0;

  constructor(
    private readonly total: number,
    private readonly jobs: number,
  ) {}

  /**
   * Counts a repository.
   * @param milliseconds How long it took; undefined if it could not be graded, which says nothing
   *   about the others.
   * @returns Such as `3 of 100`.
   */
  tick(milliseconds: number | undefined): string {
    this.done += 1;
    if (milliseconds !== undefined) {
      this.graded += 1;
      this.milliseconds += milliseconds;
    }
    return `${this.done} of ${this.total}`;
  }

  /** @returns Such as `about 5 min left`. */
  remaining(): string {
    const left = this.total - this.done;
    if (left === 0 || this.graded === 0) return `${left} left`;
    const seconds = ((this.milliseconds / this.graded) * Math.ceil(left / this.jobs)) / 1_000;
    return seconds < 60 ? "less than a minute left" : `about ${Math.round(seconds / 60)} min left`;
  }
}
