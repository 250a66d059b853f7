import { describe, expect, it } from "vitest";
import { rules } from "../../tools/grader/course";
import { type Check, judge, type Points } from "../../tools/grader/point";

const { source, checks: real } = rules.task6;

/** The checks of task6, all of which hold but one. */
const withCheck = (broken: string, act: () => undefined): Check<undefined>[] =>
  real.map(({ judge: _, needs: __, ...check }) => ({
    ...check,
    judge: () => (check.id === broken ? act() : undefined),
  }));

async function judgeAll(checks: Check<undefined>[], signal?: AbortSignal): Promise<Points> {
  const points: Points = new Map();
  for (const phase of ["static", "live"] as const) {
    await judge({ task: "task6", source, checks }, phase, undefined, points, signal);
  }
  return points;
}

const fail = (): never => {
  throw new TypeError(`${"x".repeat(300)}\nmore`);
};

describe("a check that throws", () => {
  it.each(real.map(({ id }) => id))("takes no other point with it: %s", async (id) => {
    const points = await judgeAll(withCheck(id, fail));
    expect(points.get(id)).toMatchObject({
      ...{ id: `task6.${id}`, verdict: "skipped" },
      cause: `the grader could not judge this: ${"x".repeat(200)}`,
    });
    expect(points.size).toBe(real.length);
    const others = [...points.values()].filter((point) => point.id !== `task6.${id}`);
    expect(new Set(others.map(({ verdict }) => verdict))).toEqual(new Set(["pass"]));
  });

  it("leaves what builds on it unjudged", async () => {
    const checks = withCheck("up", fail);
    const needy = checks.map((check) =>
      check.id === "hello" ? { ...check, needs: ["up" as const] } : check,
    );
    const points = await judgeAll(needy);
    expect(points.get("hello")).toMatchObject({
      verdict: "skipped",
      cause: expect.stringMatching(/^needs: /),
    });
  });

  it("may throw anything", async () => {
    const throwText = (): never => {
      throw "no\u001b[2J error";
    };
    const points = await judgeAll(withCheck("up", throwText));
    expect(points.get("up")?.cause).toBe("the grader could not judge this: no error");
  });

  it("ends the grading after Ctrl-C", async () => {
    const signal = AbortSignal.abort();
    await expect(judgeAll(withCheck("up", fail), signal)).rejects.toThrow(TypeError);
  });
});
