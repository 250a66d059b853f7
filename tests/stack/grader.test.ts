import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import type { Point } from "../../tools/grader/point";
import { tasks } from "../../tools/grader/repository";
import { root } from "../../tools/lib/course";
import type { Case } from "../lib/grader-case";
import { readable, runnable } from "../lib/grader-cases";
import { encodings } from "../lib/grader-encodings";
import { gradePoints, type Port, usePorts } from "../lib/grader-fixtures";
import { variants } from "../lib/grader-variants";
import { describeOnEngine, ownName } from "../lib/stacks";

const titled = (cases: readonly Case[]) => cases.map((port) => [port.title, port] as const);

/** What could not be judged because of an earlier failure, or because there is no browser. */
const isConsequence = ({ verdict, cause = "" }: Point): boolean =>
  verdict === "skipped" && /^needs: |^there is no Chromium/.test(cause);

/** @returns The points that do not hold because of what they are about. */
const rootsOf = (points: readonly Point[]): Point[] =>
  points.filter((point) => point.verdict !== "pass" && !isConsequence(point));

/** Without a zone, each nginx worker process has a round robin of its own. */
const isChance = ({ id }: Point): boolean => id === "task6.turns";

describeOnEngine("the grader", { concurrent: true, timeout: 300_000 }, () => {
  const portOf = usePorts();

  async function makePort({ task, changes }: Case): Promise<Port> {
    const port = await portOf(task);
    for (const change of changes) await change(port);
    return port;
  }

  it.each(tasks)("finds nothing in %s of this repository", async (task) => {
    const points = await gradePoints(root, [task], ownName("this"));
    expect(points.length).toBeGreaterThan(5);
    expect(rootsOf(points)).toEqual([]);
  });

  it.each(titled(variants))("tolerates a port: %s", async (_, variant) => {
    const port = await makePort(variant);
    const points = rootsOf(await port.grade([variant.task]));
    expect(points.filter((point) => !isChance(point))).toEqual(variant.expected);
  });

  it.each(titled(runnable))("runs a port: %s", async (_, mistake) => {
    const port = await makePort(mistake);
    expect(rootsOf(await port.grade([mistake.task]))).toEqual(mistake.expected);
  });

  it.each(titled(readable))("reads a port: %s", async (_, mistake) => {
    const port = await makePort(mistake);
    expect(rootsOf(await port.read(mistake.task))).toEqual(mistake.expected);
  });

  it.each(encodings)("judges a $kind $as by whether its program reads it", async (row) => {
    const port = await portOf("task6");
    const text = await readFile(path.join(port.folder, "task6", row.file), "utf8");
    await port.write({ [`task6/${row.file}`]: row.encode(text) });
    const points = rootsOf(await port.read("task6"));
    expect(points.map(({ verdict, cause }) => `${verdict}: ${cause}`)).toEqual(
      row.finding === undefined ? [] : [expect.stringMatching(row.finding)],
    );
  });
});
