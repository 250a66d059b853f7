import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { rules } from "../../tools/grader/course";
import { root } from "../../tools/lib/course";

/** Every point, as its id and the numbers of its tasks. */
function pointsByRules(): Map<string, number[]> {
  const points = new Map<string, number[]>();
  for (const [index, { checks }] of Object.values(rules).entries()) {
    for (const id of ["folder", ...checks.map((check) => check.id)]) {
      points.set(id, [...(points.get(id) ?? []), index]);
    }
  }
  return points;
}

const listed = (tasks: readonly number[]): string => {
  const [first, second] = [tasks[0], tasks.at(-1)];
  if (tasks.length === 1) return `${first}`;
  return `${first} ${tasks.length === 2 ? "and" : "to"} ${second}`;
};

it("docs/grader.md lists every point of the grader, with its tasks, and no other", () => {
  const docs = readFileSync(path.join(root, "docs/grader.md"), "utf8");
  const table = docs.slice(docs.indexOf("## All points"));
  const rows = Array.from(table.matchAll(/^\| `([\w-]+)` +\| ([^|]*?) +\|/gm), ([, id, tasks]) => [
    id,
    tasks,
  ]);
  const points = pointsByRules();
  expect(rows.sort()).toEqual(Array.from(points, ([id, tasks]) => [id, listed(tasks)]).sort());
  const count = [...points.values()].flat().length;
  expect(docs).toContain(`There are ${count}.`);
});
