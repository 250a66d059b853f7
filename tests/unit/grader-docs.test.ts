import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { rules } from "../../tools/grader/rules";
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

const rangeOf = (tasks: readonly number[]): string =>
  [...new Set([tasks[0], tasks.at(-1)])].join(tasks.length === 2 ? " and " : " to ");

it("docs/grader.md lists every point of the grader, with its tasks, and no other", () => {
  const docs = readFileSync(path.join(root, "docs/grader.md"), "utf8");
  const table = docs
    .slice(docs.indexOf("## All points"))
    .matchAll(/^\| `([\w-]+)` +\| (.*?) +\|/gm);
  const rows = Array.from(table, ([, id, tasks]) => [id, tasks]);
  const points = pointsByRules();
  expect(rows.sort()).toEqual(Array.from(points, ([id, tasks]) => [id, rangeOf(tasks)]).sort());
  expect(docs).toContain(`There are ${[...points.values()].flat().length}.`);
});
