import type { Check } from "./point";
import type { Role, Subject } from "./subject";
import type { PointId } from "./titles";

export type TaskCheck = Check<Subject>;

/** Ids of the points that a check needs. */
export type Ids = readonly PointId[];
type Judge = TaskCheck["judge"];

/** A check that only reads files. */
export const reads = (id: PointId, needs: Ids, judge: Judge): TaskCheck => ({ id, needs, judge });

/** A check that builds or runs something. */
export const runs = (id: PointId, needs: Ids, judge: Judge): TaskCheck => ({
  ...reads(id, needs, judge),
  isLive: true,
});

/** Where each role listens, in its container and on the host (spec, tasks 2, 4 and 5). */
export const ports: Record<Role, number> = { "back-end": 5252, "front-end": 9000, proxy: 80 };

const isAtLeast = ({ folder }: Subject, number: number): boolean =>
  Number(folder.task.at(-1)) >= number;

/** Whether the task has a compose file. */
export const hasStack = (subject: Subject): boolean => isAtLeast(subject, 4);

/** @returns The roles of the task, from task2 on. */
export const rolesOf = (subject: Subject): Role[] =>
  isAtLeast(subject, 5) ? ["back-end", "front-end", "proxy"] : ["back-end", "front-end"];

/**
 * Makes a value of a task once, when a check first asks for it. A rejection is kept as well.
 * @param make Makes the value, perhaps one for each key.
 */
export function perSubject<V, K = void>(
  make: (subject: Subject, key: K) => V,
): (subject: Subject, key: K) => V {
  const made = new WeakMap<Subject, Map<K, V>>();
  return (subject, key) => {
    const values = made.get(subject) ?? new Map<K, V>();
    made.set(subject, values);
    if (!values.has(key)) values.set(key, make(subject, key));
    return values.get(key) as V;
  };
}
