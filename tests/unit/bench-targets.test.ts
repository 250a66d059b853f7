import { describe, expect, it } from "vitest";
import type { BenchReport } from "../../tools/bench/report";
import { failures, growthOf, judgeTargets, type Target } from "../../tools/bench/targets";
import { fullReport, pageOf, quickReport, replaced, scaled } from "./lib/bench-example";

const target = (report: BenchReport, what: string): Target => {
  const found = judgeTargets(report).find((one) => one.what === what);
  if (found === undefined) throw new Error(`There is no target ${what}`);
  return found;
};

const full = fullReport();

/** production, with other latencies at every point. */
const slower = (by: number): BenchReport =>
  replaced(full, "production", ({ load }) => ({
    load: load.map((point) => ({
      ...point,
      samples: point.samples.map((sample) => ({ ...sample, p99Ms: sample.p99Ms * by })),
    })),
  }));

const soaked = (megabytes: number[]): BenchReport => ({
  ...full,
  soak: {
    ...{ seconds: 60, connections: 32, requests: 1_000, failed: 0 },
    services: [{ service: "back-end", megabytes }],
  },
});

/** Readings of a heap that breathes, with so much more at the end than at the beginning. */
const readings = (more: number): number[] =>
  Array.from({ length: 50 }, (_, at) => 100 + (at % 3) + (more * at) / 49);

const missed: [what: string, report: BenchReport, found: string][] = [
  ["requests/s against the original", scaled(full, "original", 1.1), "6.75 ×"],
  ["p99 against the original", slower(2), "0.23 ×"],
  ["requests/s against the limit", scaled(full, "limit", 1.2), "0.62 ×"],
  ["requests/s against HAProxy", scaled(full, "haproxy", 1.1), "0.94 ×"],
  ["requests/s against Caddy", scaled(full, "caddy", 1.5), "0.95 ×"],
  [
    "rotation, largest difference",
    {
      ...full,
      rotation: [
        ...full.rotation,
        { servers: 2, connections: 256, requests: 9, shares: [6, 3], difference: 3 },
      ],
    },
    "3",
  ],
  [
    "first answer after up",
    replaced(full, "production", () => ({ startSeconds: [9, 4, 1] })),
    "4.00 s",
  ],
  [
    "image after an edit to api.ts",
    { ...full, builds: { coldSeconds: 40, editSeconds: [6, 5.01, 2] } },
    "5.01 s",
  ],
  [
    "memory of a back-end at rest",
    replaced(full, "production", () => ({
      rest: [{ service: "back-end", containers: 2, megabytes: 82, cores: 0 }],
    })),
    "41.0 MB",
  ],
  ["front page on the wire", { ...full, page: pageOf(60_001) }, "60,001 bytes"],
  ["memory over the soak", soaked(readings(20)), "back-end 107 MB → 119 MB"],
];

describe("the targets", () => {
  it("are all met by a run in which everything is well", () => {
    expect(judgeTargets(full).filter(({ met }) => met !== true)).toEqual([]);
    expect(judgeTargets(full).map(({ what }) => what)).toEqual(missed.map(([what]) => what));
  });

  it.each(missed)("are missed one by one: %s", (what, report, found) => {
    expect(target(report, what)).toMatchObject({ met: false, found });
    const others = judgeTargets(report).filter((one) => one.what !== what);
    expect(others.filter(({ met }) => met !== true)).toEqual([]);
  });

  it("are met at their very edge", () => {
    const edge: BenchReport = {
      ...full,
      builds: { coldSeconds: 40, editSeconds: [5] },
      page: pageOf(60_000),
    };
    for (const what of ["image after an edit to api.ts", "front page on the wire"]) {
      expect(target(edge, what).met).toBe(true);
    }
    const tied = replaced(full, "haproxy", () => ({ load: full.contenders[0]?.load ?? [] }));
    expect(target(tied, "requests/s against HAProxy")).toMatchObject({
      met: true,
      found: "1.00 ×",
    });
  });

  it("never read as met where they were missed by a hair", () => {
    const tied = replaced(full, "haproxy", () => ({ load: full.contenders[0]?.load ?? [] }));
    const behind = scaled(tied, "haproxy", 1.001);
    expect(target(behind, "requests/s against HAProxy")).toMatchObject({
      ...{ met: false, found: "0.99 ×" },
    });
    const later = replaced(full, "production", () => ({ startSeconds: [3.219] }));
    const original = replaced(later, "original", () => ({ startSeconds: [3.2185] }));
    expect(target(original, "first answer after up")).toMatchObject({
      ...{ met: false, found: "a little over 3.22 s" },
    });
  });

  it("take the median of the rounds", () => {
    const one = replaced(full, "production", ({ load }) => ({
      load: load.map((point) => ({
        ...point,
        samples: point.samples.map((sample, index) =>
          index === 0 ? { ...sample, perSecond: 1, p99Ms: 9_999 } : sample,
        ),
      })),
    }));
    expect(judgeTargets(one).filter(({ met }) => met !== true)).toEqual([]);
  });

  it("are left open where a run did not measure them", () => {
    const open = judgeTargets(quickReport()).filter(({ met }) => met === undefined);
    expect(open.map(({ what, found }) => [what, found])).toEqual([
      ["requests/s against Caddy", "-"],
      ["image after an edit to api.ts", "-"],
      ["front page on the wire", "-"],
      ["memory over the soak", "-"],
    ]);
    const nothing = judgeTargets({
      ...{ ...full, contenders: [], rotation: [], soak: undefined },
      ...{ builds: undefined, page: undefined },
    });
    expect(nothing.filter(({ met }) => met !== undefined)).toEqual([]);
    expect(nothing.filter(({ found }) => found !== "-")).toEqual([]);
  });
});

describe("growth over a soak", () => {
  const grows = (megabytes: number[]): boolean[] =>
    growthOf({
      ...{ seconds: 60, connections: 32, requests: 1, failed: 0 },
      services: [{ service: "back-end", megabytes }],
    }).map((one) => one.grows);

  it("is not a heap that fills first and then breathes", () => {
    expect(grows(readings(0))).toEqual([false]);
    const filling = Array.from({ length: 50 }, (_, at) => 120 - 60 / (1 + at) + 5 * (at % 4));
    expect(grows(filling)).toEqual([false]);
  });

  it("is not one reading that is high", () => {
    expect(grows(readings(0).with(48, 400))).toEqual([false]);
  });

  it("is not a few megabytes of a small service, and not a twentieth of a large one", () => {
    expect(grows(Array.from({ length: 50 }, (_, at) => (at < 40 ? 6 : 7.9)))).toEqual([false]);
    expect(grows(Array.from({ length: 50 }, (_, at) => (at < 40 ? 200 : 209)))).toEqual([false]);
  });

  it("is what goes on to the end", () => {
    expect(grows(readings(20))).toEqual([true]);
    expect(grows(Array.from({ length: 50 }, (_, at) => (at < 40 ? 6 : 8.5)))).toEqual([true]);
  });

  it("is not known of fewer than ten readings", () => {
    expect(grows([1, 2, 3, 4, 5, 60, 70, 80, 90])).toEqual([]);
  });
});

describe("what went wrong", () => {
  it("is nothing in a run in which everything is well, however slow", () => {
    expect(failures(full)).toEqual([]);
    expect(failures(scaled(full, "production", 0.01))).toEqual([]);
    expect(failures(quickReport())).toEqual([]);
  });

  it.each([
    ["production", ["production, 2 servers, 32 connections: 6 of 3,000 requests failed"]],
    ["limit", ["limit, 2 servers, 32 connections: 6 of 3,000 requests failed"]],
    ["caddy", []],
  ] as const)("is every request that %s failed, if that is ours", (name, expected) => {
    const report = replaced(full, name, ({ load }) => ({
      load: load.map((point, index) => ({
        ...point,
        samples: point.samples.map((sample) => ({
          ...{ ...sample, requests: 1_000 },
          failed: index === 0 ? 2 : 0,
        })),
      })),
    }));
    expect(failures(report)).toEqual(expected);
  });

  it("is a rotation that is not exact", () => {
    const uneven = { servers: 2, connections: 1, requests: 9, shares: [6, 3], difference: 3 };
    expect(failures({ ...full, rotation: [...full.rotation, uneven] })).toEqual([
      "rotation, 2 servers, 1 connection: shares differ by 3: 6, 3",
    ]);
  });

  it("is a request that failed in the soak", () => {
    const { soak } = full;
    if (soak === undefined) throw new Error("The example has a soak");
    expect(failures({ ...full, soak: { ...soak, requests: 5_000, failed: 1 } })).toEqual([
      "soak: 1 of 5,000 requests failed",
    ]);
  });
});
