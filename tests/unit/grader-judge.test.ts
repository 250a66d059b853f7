import { describe, expect, it } from "vitest";
import { type Check, judge, type Points } from "../../tools/grader/point";
import { rules } from "../../tools/grader/rules";
import type { PointId } from "../../tools/grader/titles";

const { source, checks } = rules.task6;

/** Judges the checks of task6, which all hold except one that throws. */
async function judgeWith(
  broken: PointId,
  error: unknown,
  { signal, needs }: { signal?: AbortSignal; needs?: Partial<Record<PointId, PointId[]>> } = {},
): Promise<Points> {
  const harmless = checks.map(({ id, isLive = false }): Check<undefined> => {
    const act = (): undefined => {
      if (id === broken) throw error;
    };
    return { id, isLive, needs: needs?.[id] ?? [], judge: act };
  });
  const points: Points = new Map();
  for (const phase of ["static", "live"] as const) {
    await judge({ task: "task6", source, checks: harmless }, phase, undefined, points, signal);
  }
  return points;
}

const error = new TypeError(`${"x".repeat(300)}\nmore`);

describe("a check that throws", () => {
  it.each(checks.map(({ id }) => id))("costs its own point alone: %s", async (id) => {
    const points = await judgeWith(id, error);
    expect(points.get(id)).toMatchObject({
      id: `task6.${id}`,
      verdict: "skipped",
      cause: `the grader could not judge this: ${"x".repeat(200)}`,
    });
    expect(points.size).toBe(checks.length);
    points.delete(id);
    expect(new Set(Array.from(points.values(), ({ verdict }) => verdict))).toEqual(
      new Set(["pass"]),
    );
  });

  it("skips the checks that need it", async () => {
    const points = await judgeWith("up", error, { needs: { hello: ["up"] } });
    expect(points.get("hello")).toMatchObject({
      verdict: "skipped",
      cause: expect.stringMatching(/^needs: /),
    });
  });

  it("may throw anything", async () => {
    const points = await judgeWith("up", "no\u001b[2J error");
    expect(points.get("up")?.cause).toBe("the grader could not judge this: no error");
  });

  it("ends the grading after Ctrl-C", async () => {
    const signal = AbortSignal.abort();
    await expect(judgeWith("up", error, { signal })).rejects.toThrow(TypeError);
  });
});
