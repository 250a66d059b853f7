import { describe, expect, it } from "vitest";
import { bodyBytesIn, failedIn, sampleOf } from "../../tools/bench/load";

const summary = (failed: number): string => `
finished in 5.55s, 1802.47 req/s, 1.14MB/s
requests: 10000 total, 10000 started, 10000 done, ${10_000 - failed} succeeded, ${failed} failed, 0 errored, 0 timeout
status codes: 10000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 6.32MB (6630000) total, 5.56MB (5830000) headers (space savings 0.00%), 126.95KB (130000) data
`;

describe("what h2load says", () => {
  it.each([0, 12])("tells that %i requests failed", (failed) => {
    expect(failedIn(summary(failed))).toBe(failed);
  });

  it("tells the bytes of all bodies", () => {
    expect(bodyBytesIn(summary(0))).toBe(130_000);
  });

  it("is not guessed at", () => {
    expect(() => failedIn("h2load: command not found")).toThrow("something else");
    expect(() => bodyBytesIn("")).toThrow("something else");
  });
});

describe("a sample", () => {
  /** Answers that took 1, 2, 3 … milliseconds, not in that order. */
  const answers = (count: number): string =>
    Array.from({ length: count }, (_, index) => `200\t${(count - index) * 1_000}`).join("\n");

  it("has the requests of a second, and the middle, late and last answer", () => {
    expect(sampleOf(answers(200), 0, 4)).toEqual({
      ...{ requests: 200, failed: 0, perSecond: 50 },
      ...{ medianMs: 100, p99Ms: 198, worstMs: 200 },
    });
  });

  it.each([
    ["another status", "200\t1000\n503\t1000\n404\t1000\n", 0, 2],
    ["no answer, which h2load alone counts", "200\t1000\n", 3, 3],
  ])("counts as failed what came with %s", (_, log, failed, expected) => {
    expect(sampleOf(log, failed, 1).failed).toBe(expected);
  });

  it("of nothing has no latency", () => {
    expect(sampleOf("", 0, 1)).toMatchObject({ requests: 0, perSecond: 0, medianMs: Number.NaN });
  });
});
