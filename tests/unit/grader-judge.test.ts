import { expect, it } from "vitest";
import { type Findings, judge } from "../../tools/grader/point";

const error = new TypeError(`${"x".repeat(300)}\nmore`);

/** Judges checks, of which the second throws, and the third needs the second. */
async function judgeAround(thrown: unknown, signal?: AbortSignal): Promise<Findings> {
  const findings: Findings = new Map();
  const checks = [
    { id: "compose", judge: () => undefined },
    { id: "up", judge: () => Promise.reject(thrown) },
    { id: "hello", needs: ["up"], judge: () => undefined },
    { id: "page", needs: ["compose"], judge: () => undefined },
  ] as const;
  await judge(checks, undefined, findings, signal);
  return findings;
}

it("a check that throws costs its own point and those that need it", async () => {
  expect(Object.fromEntries(await judgeAround(error))).toEqual({
    compose: { verdict: "pass" },
    up: { verdict: "skipped", cause: `the grader could not judge this: ${"x".repeat(200)}` },
    hello: { verdict: "skipped", cause: expect.stringMatching(/^needs: /) },
    page: { verdict: "pass" },
  });
});

it("a check may throw anything", async () => {
  const findings = await judgeAround("no\u001b[2J error");
  expect(findings.get("up")?.cause).toBe("the grader could not judge this: no error");
});

it("a check that throws after Ctrl-C ends the grading", async () => {
  await expect(judgeAround(error, AbortSignal.abort())).rejects.toThrow(TypeError);
});
