import type { TaskReport } from "../messages";
import type { Point, Verdict } from "../point";
import type { Task } from "../repository";
import { isConsequence } from "../score";

/** What is known of a task while its repository is watched. */
export interface TaskState {
  task: Task;
  /** In the order of the report; while it is graded again, some are from before. */
  points: readonly Point[];
  /** Whether it is graded again, or still for the first time. */
  isOpen: boolean;
  /** What it is graded with now, such as `building task2-front-end`. */
  activity: string;
  /** How long it took the last time; undefined if it has not been graded to the end. */
  seconds: number | undefined;
}

/** A point that is not what it was. */
export interface Change {
  before: Verdict;
  point: Point;
}

/**
 * Compares two reports on a task.
 * @returns The points of the second that have another verdict, or do not hold for another reason.
 */
export function changesBetween(before: readonly Point[], after: readonly Point[]): Change[] {
  const old = new Map(before.map((point) => [point.id, point]));
  return after.flatMap((point): Change[] => {
    const was = old.get(point.id);
    if (was === undefined || isSame(was, point)) return [];
    return [{ before: was.verdict, point }];
  });
}

const isSame = (was: Point, is: Point): boolean =>
  was.verdict === is.verdict &&
  (is.verdict === "pass" || isConsequence(is) || (was.cause === is.cause && was.file === is.file));

/** The state of all tasks of a watched repository. */
export class Board {
  private readonly known = new Map<Task, TaskState>();

  get states(): TaskState[] {
    return [...this.known.values()].toSorted((a, b) => a.task.localeCompare(b.task));
  }

  /** Some tasks are being graded, and no others; of tasks that are not there, nothing is known. */
  begin(open: readonly Task[], isThere: (task: Task) => boolean): void {
    for (const task of open) {
      const state = this.known.get(task) ?? { task, points: [], seconds: undefined };
      this.known.set(task, { ...state, isOpen: true, activity: "waiting" });
    }
    for (const task of this.known.keys()) if (!isThere(task)) this.known.delete(task);
  }

  /** @param activity What a task is being graded with. */
  proceed(task: Task, activity: string): void {
    const state = this.known.get(task);
    if (state !== undefined) this.known.set(task, { ...state, activity });
  }

  /**
   * Takes a report on a task.
   * @param isDone Otherwise it is on the points that can be read; the others stay as they were.
   * @returns The state before and now, unless the task is not being graded.
   */
  update(
    { task, points, seconds }: TaskReport,
    isDone: boolean,
  ): { before: TaskState; now: TaskState } | undefined {
    const before = this.known.get(task);
    if (!before?.isOpen) return undefined;
    const read = new Map(points.map((point) => [point.id, point]));
    const merged = before.points.map((point) => read.get(point.id) ?? point);
    const now = isDone
      ? { ...before, points, seconds, isOpen: false }
      : { ...before, points: merged.length === 0 ? points : merged };
    this.known.set(task, now);
    return { before, now };
  }
}
