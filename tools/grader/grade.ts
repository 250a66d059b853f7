import path from "node:path";
import type { Report } from "../lib/progress";
import { ownImages } from "./base-images";
import type { TaskCheck } from "./check";
import type { TaskReport } from "./messages";
import { blockedBy, type Finding, type Findings, failed, holds, judge } from "./point";
import type { Task, TaskFolder } from "./repository";
import { rules } from "./rules";
import { type Sandbox, tidyUp } from "./sandbox";
import { Subject } from "./subject";
import { titles } from "./titles";

/**
 * Prepares to judge one task: first what can be read, then what must be built and run.
 * @param folder Undefined if the repository has no such task.
 * @param sandbox Where its images are built and run.
 */
export function grading(task: Task, folder: TaskFolder | undefined, sandbox: Sandbox) {
  const { source, checks } = rules[task];
  const findings: Findings = new Map([["folder", problemOf(folder, task) ?? holds]]);
  const isComplete = folder !== undefined && folder.refusal === undefined;
  const subject = isComplete ? new Subject(folder, sandbox) : undefined;
  if (subject === undefined) {
    for (const { id } of checks) findings.set(id, blockedBy("folder"));
  }
  let milliseconds = 0;
  const judgeThose = async (isWanted: (check: TaskCheck) => boolean): Promise<void> => {
    if (subject === undefined) return;
    const start = performance.now();
    await judge(checks.filter(isWanted), subject, findings, sandbox.signal).finally(() => {
      milliseconds += performance.now() - start;
    });
  };
  return {
    read: () => judgeThose(({ isLive }) => !isLive),
    /** What it starts goes on until `takeDown`. */
    run: () => judgeThose(({ isLive = false }) => isLive),
    /** Removes whatever it has built and started. Completes even after Ctrl-C. */
    takeDown: () => tidyUp(`${sandbox.prefix}-${task}`),
    /** The points that have been judged. */
    report: (): TaskReport => ({
      task,
      source,
      points: (["folder", ...checks.map(({ id }) => id)] as const).flatMap((id) => {
        const finding = findings.get(id);
        return finding ? { id: `${task}.${id}`, title: titles[id], source, ...finding } : [];
      }),
      seconds: Math.round(milliseconds / 100) / 10,
    }),
    /** The front page in a browser, as PNG, if it was opened. */
    picture: () => subject?.picture,
  };
}

/** @returns What is wrong with a task's folder as a whole. */
function problemOf(folder: TaskFolder | undefined, task: Task): Finding | undefined {
  if (folder === undefined) {
    const hint = "Create it next to the other tasks.";
    return failed(`there is no folder ${task}`, hint, { file: task });
  }
  const place = { file: folder.name };
  if (folder.refusal !== undefined) {
    return failed(folder.refusal, "Remove what the course does not need.", place);
  }
  const name = path.basename(folder.name);
  if (name === task) return undefined;
  const cause = `it is called ${name}; the text has ${task}, and Linux tells them apart`;
  return failed(cause, `Rename it: git mv ${name} ${task}`, place);
}

/** What a caller learns while tasks are graded. */
export interface Listener {
  /** @returns Where the progress of a task goes; by default, the sandbox's report. */
  reportOn?(task: Task): Report;
  /** The points of a task that can be read have been judged. */
  onTaskRead?(report: TaskReport): void;
  /** Everything that can be read has been judged. What it returns is awaited before anything is built. */
  onRead?(): void | Promise<void>;
  /** @param picture The front page in a browser, as PNG, if it was opened. */
  onGraded?(report: TaskReport, picture: Buffer | undefined): void;
}

/**
 * Grades some tasks of a repository, one after the other.
 * @param folders The repository's tasks, as `openRepository` finds them.
 * @returns Their reports, in the order of `tasks`.
 */
export async function gradeAll(
  tasks: readonly Task[],
  folders: ReadonlyMap<Task, TaskFolder>,
  sandbox: Sandbox,
  { reportOn, onTaskRead, onRead, onGraded }: Listener = {},
): Promise<TaskReport[]> {
  const built = ownImages(folders);
  const gradings = tasks.map((task) => {
    const report = reportOn?.(task) ?? sandbox.report;
    return grading(task, folders.get(task), { ...sandbox, report, ownImages: built });
  });
  for (const { read, report } of gradings) {
    await read();
    onTaskRead?.(report());
  }
  await onRead?.();
  const reports: TaskReport[] = [];
  for (const { run, takeDown, report, picture } of gradings) {
    await run().finally(takeDown);
    const graded = report();
    reports.push(graded);
    onGraded?.(graded, picture());
  }
  return reports;
}
