import type { TaskReport } from "../messages";
import type { Point, Verdict } from "../point";
import type { Task } from "../repository";
import { isConsequence } from "../score";

/** What is known of a task while its repository is watched. */
export interface TaskState {
  task: Task;
  /** The section of the text. */
  source: string;
  /** In the order of the report; while it is graded again, some are from before. */
  points: readonly Point[];
  /** Whether it is graded again, or still for the first time. */
  isOpen: boolean;
  /** What it is graded with now, such as `building task2-front-end`. */
  activity: string | undefined;
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
      const fresh = { task, source: "", points: [], seconds: undefined };
      this.known.set(task, {
        ...fresh,
        ...this.known.get(task),
        isOpen: true,
        activity: undefined,
      });
    }
    for (const task of [...this.known.keys()]) if (!isThere(task)) this.known.delete(task);
  }

  /** @param activity What a task is being graded with. */
  proceed(task: Task, activity: string): void {
    const state = this.known.get(task);
    if (state !== undefined) this.known.set(task, { ...state, activity });
  }

  /**
   * Takes a report on the points that can be read; the others stay as they were.
   * @returns What is not as before.
   */
  read({ task, source, points }: TaskReport): Change[] {
    const before = this.known.get(task)?.points ?? [];
    const now = new Map(points.map((point) => [point.id, point]));
    const kept = before.map((point) => now.get(point.id) ?? point);
    return this.update(task, source, before.length === 0 ? points : kept, {});
  }

  /**
   * Takes the report on a task.
   * @returns What is not as before.
   */
  settle({ task, source, points, seconds }: TaskReport): Change[] {
    return this.update(task, source, points, { isOpen: false, activity: undefined, seconds });
  }

  private update(
    task: Task,
    source: string,
    points: readonly Point[],
    rest: Partial<TaskState>,
  ): Change[] {
    const state = this.known.get(task);
    if (state === undefined) return [];
    this.known.set(task, { ...state, source, points, ...rest });
    return changesBetween(state.points, points);
  }
}
