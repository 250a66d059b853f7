import { describe, expect, it } from "vitest";
import { bodyBytesIn, failedIn, sampleOf } from "../../tools/bench/load";

const summary = `
finished in 5.55s, 1802.47 req/s, 1.14MB/s
requests: 10000 total, 10000 started, 10000 done, 9988 succeeded, 12 failed, 0 errored, 0 timeout
status codes: 10000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 6.32MB (6630000) total, 5.56MB (5830000) headers (space savings 0.00%), 126.95KB (130000) data
`;

describe("the summary of h2load", () => {
  it("gives the failed requests and the bytes of all bodies", () => {
    expect(failedIn(summary)).toBe(12);
    expect(bodyBytesIn(summary)).toBe(130_000);
  });

  it("is an error if it has another format", () => {
    expect(() => failedIn("h2load: command not found")).toThrow("unexpected output");
    expect(() => bodyBytesIn("")).toThrow("unexpected output");
  });
});

describe("a sample", () => {
  /** Responses that took 1, 2, 3 … milliseconds, in reverse order. */
  const responses = (count: number): string =>
    Array.from({ length: count }, (_, index) => `200\t${(count - index) * 1_000}`).join("\n");

  it("has the rate and the percentiles", () => {
    expect(sampleOf(responses(200), 0, 4)).toEqual({
      requests: 200,
      failed: 0,
      perSecond: 50,
      medianMs: 100,
      p99Ms: 198,
      p999Ms: 200,
      worstMs: 200,
    });
  });

  it.each([
    ["responses with another status", "200\t1000\n503\t1000\n404\t1000\n", 0, 2],
    ["requests without a response, which only h2load counts", "200\t1000\n", 3, 3],
  ])("counts as failed %s", (_, log, failed, expected) => {
    expect(sampleOf(log, failed, 1).failed).toBe(expected);
  });

  it("by the clock, has how late 99 % were sent", () => {
    expect(sampleOf("200\t4000\t100\n200\t5000\t900\n", 0, 1)).toMatchObject({ lateMs: 0.9 });
  });

  it("has no latency without responses", () => {
    expect(sampleOf("", 0, 1)).toMatchObject({ requests: 0, perSecond: 0, medianMs: Number.NaN });
  });
});
