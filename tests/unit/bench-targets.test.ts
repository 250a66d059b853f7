import { describe, expect, it } from "vitest";
import type { BenchReport, SoakReport } from "../../tools/bench/report";
import { failures, growthOf, judgeTargets } from "../../tools/bench/targets";
import { exampleReport, loadPoint, rotationOf, withSpeed } from "./lib/bench-example";

const report = exampleReport();

const soakOf = (megabytes: number[]): SoakReport => {
  const services = [{ service: "back-end", megabytes }];
  return { seconds: 60, connections: 32, requests: 1_000, failed: 0, services };
};

/** Readings of a heap that is collected again and again, with a change from start to end. */
const readings = (change: number): number[] =>
  Array.from({ length: 50 }, (_, index) => 100 + (index % 3) + (change * index) / 49);

describe("the targets", () => {
  const unmet = (judged: BenchReport): [string, string][] =>
    judgeTargets(judged)
      .filter(({ met }) => met === false)
      .map(({ what, found }) => [what, found]);

  it.each([
    ["requests/s against the original", withSpeed(report, "original", 700), "6.85 ×"],
    ["requests/s against the limit", withSpeed(report, "limit", 7_000), "0.68 ×"],
    ["requests/s against HAProxy", withSpeed(report, "haproxy", 5_000), "0.96 ×"],
    ["requests/s against HAProxy", withSpeed(report, "haproxy", 4_801), "0.99 ×"],
    ["requests/s against Caddy", withSpeed(report, "caddy", 5_000), "0.96 ×"],
    ["p99 against the original", withSpeed(report, "production", 4_800, 24.1), "0.21 ×"],
    ["memory over the soak", { ...report, soak: soakOf(readings(20)) }, "back-end grows"],
  ])("can be missed one by one: %s", (what, missed, found) => {
    expect(unmet(missed)).toEqual([[what, found]]);
  });

  it("are met by the limit itself", () => {
    expect(unmet(withSpeed(report, "haproxy", 4_800))).toEqual([]);
    expect(judgeTargets(report).map(({ met }) => met)).toEqual(Array(6).fill(true));
  });

  it("are undecided if they were not measured", () => {
    const targets = judgeTargets({ ...report, contenders: [], soak: undefined });
    expect(targets.map(({ met, found }) => [met, found])).toEqual(Array(6).fill([undefined, "-"]));
  });
});

describe("the memory in a soak", () => {
  const steps = (early: number, late: number): number[] =>
    Array.from({ length: 50 }, (_, index) => (index < 40 ? early : late));

  it.each([
    ["is collected again and again", readings(0), [false]],
    ["fills at first", Array.from({ length: 50 }, (_, index) => 120 - 60 / (1 + index)), [false]],
    ["has one high reading", readings(0).with(48, 400), [false]],
    ["grows by less than 2 MB", steps(6, 7.9), [false]],
    ["grows by less than 5 %", steps(200, 209), [false]],
    ["grows by more than both", steps(6, 8.5), [true]],
    ["grows from start to end", readings(20), [true]],
    ["was read less than ten times", [1, 2, 3, 4, 5, 60, 70, 80, 90], []],
  ])("%s", (_, megabytes, grows) => {
    expect(growthOf(soakOf(megabytes)).map((growth) => growth.grows)).toEqual(grows);
  });
});

describe("the failures", () => {
  it("do not include slowness", () => {
    expect(failures(withSpeed(report, "production", 1))).toEqual([]);
  });

  it.each([
    ["production", ["production, servers 2, connections 32: 6 of 3,000 requests failed"]],
    ["limit", ["limit, servers 2, connections 32: 6 of 3,000 requests failed"]],
    ["caddy", []],
  ] as const)("include failed requests of this project's proxy: %s", (name, expected) => {
    const point = loadPoint(32, 1, 1);
    const samples = point.samples.map((sample) => ({ ...sample, requests: 1_000, failed: 2 }));
    const contenders = report.contenders.map((contender) =>
      contender.name === name ? { ...contender, load: [{ ...point, samples }] } : contender,
    );
    expect(failures({ ...report, contenders })).toEqual(expected);
  });

  it("include failed requests of the soak, and an uneven rotation", () => {
    const soak = { ...soakOf([]), failed: 1 };
    const uneven = { ...report, soak, rotation: [rotationOf(5_001, 5_000), rotationOf(6, 3)] };
    expect(failures(uneven)).toEqual([
      "soak: 1 of 1,000 requests failed",
      "rotation, servers 2, connections 32: shares differ by 3: 6, 3",
    ]);
  });
});
