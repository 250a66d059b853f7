import type { TaskReport } from "../messages";
import type { Point } from "../point";
import { type Task, tasks } from "../repository";
import { rules } from "../rules";
import { type PointId, titles } from "../titles";
import type { Member } from "./members";

/** What is known about a repository of a class. */
export interface Row extends Pick<Member, "name" | "output"> {
  /** If it is graded: one for each task. */
  tasks?: readonly TaskReport[];
  /** When. */
  graded?: Date;
  /** Why it is not graded. */
  problem?: string;
}

/** A repository whose turn has not come. */
export const waiting = "not graded yet";

/** Every point of the grader, with its title. A machine that was taken over may report others. */
const knownPoints: ReadonlyMap<string, string> = new Map(
  tasks.flatMap((task: Task) => {
    const ids: PointId[] = ["folder", ...rules[task].checks.map(({ id }) => id)];
    return ids.map((id): [string, string] => [`${task}.${id}`, titles[id]]);
  }),
);

export const pointsOf = ({ tasks = [] }: Row): Point[] => tasks.flatMap(({ points }) => points);

/** @returns The ids of the points that fail, each once. */
export function failingOf(row: Row): string[] {
  const failing = pointsOf(row).filter(
    ({ verdict, id }) => verdict === "fail" && knownPoints.has(id),
  );
  return [...new Set(failing.map(({ id }) => id))];
}

/** @returns How many repositories fail a point: the most frequent first, else in the order of tasks. */
export function countMistakes(
  rows: readonly Row[],
): { id: string; title: string; count: number }[] {
  const failing = rows.map((row) => new Set(failingOf(row)));
  return Array.from(knownPoints, ([id, title]) => {
    return { id, title, count: failing.filter((ids) => ids.has(id)).length };
  })
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}
