import type { TaskReport } from "../messages";
import type { Point } from "../point";
import { type Task, tasks } from "../repository";
import { rules } from "../rules";
import { scoreLine } from "../score";
import { type PointId, titles } from "../titles";

/** A repository of a class, and what is known about it. */
export interface Member {
  /** An absolute path. */
  folder: string;
  /** The folder's name on one line, safe to print. */
  name: string;
  /** The name of its folder in the output folder. */
  output: string;
  /** If it is graded: one for each task. */
  tasks?: readonly TaskReport[];
  /** When it was graded. */
  graded?: Date;
  /** The digest of what was graded. */
  digest?: string;
  /** Why it is not graded. */
  problem?: string;
}

/** Every point of the grader, with its title. A machine that was taken over may report others. */
const knownPoints: ReadonlyMap<string, string> = new Map(
  tasks.flatMap((task: Task) => {
    const ids: PointId[] = ["folder", ...rules[task].checks.map(({ id }) => id)];
    return ids.map((id): [string, string] => [`${task}.${id}`, titles[id]]);
  }),
);

export const pointsOf = ({ tasks = [] }: Member): Point[] => tasks.flatMap(({ points }) => points);

/** @returns The ids of the points that fail, each once. */
export function failingOf(member: Member): string[] {
  const failing = pointsOf(member).filter(({ verdict }) => verdict === "fail");
  return [...new Set(failing.map(({ id }) => id))].filter((id) => knownPoints.has(id));
}

/** @returns How many repositories fail a point: the most frequent first, else in the order of tasks. */
export function countMistakes(
  members: readonly Member[],
): { id: string; title: string; count: number }[] {
  const failing = members.flatMap(failingOf);
  return Array.from(knownPoints, ([id, title]) => {
    return { id, title, count: failing.filter((other) => other === id).length };
  })
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

/** @returns Such as `alice: 12 of 14 hold, 1 fails`. */
export const describe = (member: Member): string =>
  `${member.name}: ${member.tasks ? scoreLine(pointsOf(member)) : `not graded: ${member.problem}`}`;
