import type { Report } from "../lib/progress";
import { takeDownStack } from "./checks/running";
import { rules } from "./course";
import type { TaskReport } from "./messages";
import { judge, type Point, type Points } from "./point";
import type { Task, TaskFolder } from "./repository";
import { type Sandbox, tidyUp } from "./sandbox";
import { findContexts, type Subject } from "./subject";

/** A task that is being graded: first what can be read, then what must be built and run. */
export interface Grading {
  task: Task;
  /** Judges what can be read; quick. */
  read(): Promise<void>;
  /**
   * Builds and runs; what it starts goes on until {@link Grading.takeDown}.
   * @param report Told what goes on.
   */
  run(report: Report): Promise<void>;
  /** Removes whatever it has built and started. Comes to its end even after Ctrl-C. */
  takeDown(): Promise<void>;
  report(): TaskReport;
  /** The front page in a browser, as PNG, where it was looked at. */
  picture(): Buffer | undefined;
}

/**
 * Prepares to judge one task.
 * @param folder Undefined where the repository has no such task.
 * @param sandbox Where its images are built and run.
 */
export function grading(task: Task, folder: TaskFolder | undefined, sandbox: Sandbox): Grading {
  const { source, checks } = rules[task];
  const points: Points = new Map();
  let milliseconds = 0;

  const title = `the folder ${task} is there and of a sensible size`;
  const first: Point = {
    id: `${task}.folder`,
    title,
    source,
    verdict: "pass",
    ...whyNot(folder, task),
  };
  const subject: Subject | undefined =
    folder === undefined || first.verdict === "fail"
      ? undefined
      : { folder, sandbox, contexts: findContexts(folder), images: {}, running: {} };

  const timed = async (phase: "static" | "live"): Promise<void> => {
    if (subject === undefined) return;
    const begun = performance.now();
    try {
      await judge({ task, source, checks }, phase, subject, points, sandbox.signal);
    } finally {
      milliseconds += performance.now() - begun;
    }
  };
  return {
    task,
    read: () => timed("static"),
    run: (report) => {
      if (subject !== undefined) subject.sandbox = { ...sandbox, report };
      return timed("live");
    },
    report: () => ({
      task,
      source,
      points: [
        first,
        ...checks.map(({ id, title: own }): Point => {
          const notJudged = { verdict: "skipped", cause: `needs: ${title}` } as const;
          return points.get(id) ?? { id: `${task}.${id}`, title: own, source, ...notJudged };
        }),
      ],
      seconds: Math.round(milliseconds / 100) / 10,
    }),
    picture: () => subject?.picture,
    takeDown: async () => {
      if (subject !== undefined) await takeDownStack(subject);
      await tidyUp({ prefix: `${sandbox.prefix}-${task}` });
    },
  };
}

/** @returns Why a task cannot be graded at all. */
function whyNot(folder: TaskFolder | undefined, task: Task): Partial<Point> {
  if (folder === undefined) {
    const hint = "Create it beside the other tasks.";
    return { verdict: "fail", cause: `there is no folder ${task}`, hint, file: task };
  }
  if (folder.refusal === undefined) return {};
  const hint = "Take out what the course does not need.";
  return { verdict: "fail", cause: folder.refusal, hint, file: folder.name };
}

/**
 * Grades some tasks of a repository, one after the other.
 * @param folders The repository's tasks, as `openRepository` finds them.
 * @returns Their reports, in the order of `wanted`.
 */
export async function gradeAll(
  wanted: readonly Task[],
  folders: ReadonlyMap<Task, TaskFolder>,
  sandbox: Sandbox,
): Promise<TaskReport[]> {
  const gradings = wanted.map((task) => grading(task, folders.get(task), sandbox));
  for (const { read } of gradings) await read();
  for (const { run, takeDown } of gradings) {
    await run(sandbox.report).finally(takeDown);
  }
  return gradings.map(({ report }) => report());
}
