import { describe, expect, it } from "vitest";
import { failures } from "../../tools/bench/failures";
import { growthOf } from "../../tools/bench/figures";
import type { SoakReport } from "../../tools/bench/report";
import { exampleReport, loadPoint, rotationOf, withSpeed } from "./lib/bench-example";

const report = exampleReport();

const soakOf = (megabytes: number[]): SoakReport => {
  const services = [{ service: "back-end", megabytes }];
  return { seconds: 60, connections: 32, requests: 1_000, failed: 0, services };
};

/** Readings of a heap that is collected again and again, with a change from start to end. */
const readings = (change: number): number[] =>
  Array.from({ length: 50 }, (_, index) => 100 + (index % 3) + (change * index) / 49);

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
    ["https", ["https, servers 2, connections 32: 6 of 3,000 requests failed"]],
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

  it("include failed requests without logs, and by the clock", () => {
    for (const logs of [true, false]) {
      const byTheClock = structuredClone(report.byTheClock.filter((point) => point.logs === logs));
      for (const { samples } of byTheClock) for (const sample of samples) sample.failed = 1;
      const where = logs ? "" : ", without logs";
      expect(failures({ ...report, byTheClock })).toEqual([
        `production, 1700 requests/s${where}: 3 of 15,300 requests failed`,
      ]);
    }
    const [production] = structuredClone(report.withoutLogs);
    for (const sample of production?.load[0]?.samples ?? []) sample.failed = 1;
    expect(
      failures({ ...report, withoutLogs: production === undefined ? [] : [production] }),
    ).toEqual(["production, servers 2, connections 32, without logs: 3 of 86,400 requests failed"]);
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
