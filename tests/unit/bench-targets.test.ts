import { describe, expect, it } from "vitest";
import { estimate, loadShareOf, microsOf, times } from "../../tools/bench/figures";
import { targetsOf, whoIsAhead } from "../../tools/bench/targets";
import { median, pairedRatio } from "../../tools/lib/stats";
import { exampleReport, loadPoint, withSpeed } from "./lib/bench-example";

const report = exampleReport();

describe("the ratio of what was measured in the same rounds", () => {
  it("has an interval by Student's t-distribution", () => {
    // Logarithms of 1.9, 2 and 2.1: mean 0.6923, standard deviation 0.0501, t = 4.3
    const { ratio, halfWidth } = pairedRatio([190, 400, 630], [100, 200, 300]) ?? {};
    expect(ratio).toBeCloseTo(1.998, 3);
    expect(halfWidth).toBeCloseTo(0.132, 3);
  });

  it("does not suffer from rounds that slow down both", () => {
    expect(pairedRatio([100, 10], [50, 5])).toEqual({ ratio: 2, halfWidth: 0 });
  });

  it("has no interval of one round, and is undefined without rounds", () => {
    expect(pairedRatio([3, 4], [2])).toEqual({ ratio: 1.5, halfWidth: undefined });
    expect(pairedRatio([], [])).toBeUndefined();
    expect(pairedRatio([1, 2], [1, 0])).toBeUndefined();
  });

  it.each([
    [{ ratio: 12.34, halfWidth: 0.031 }, "12 ± 4 %"],
    [{ ratio: 0.684, halfWidth: 0.05 }, "0.68 ± 5 %"],
    [{ ratio: 1.96, halfWidth: undefined }, "2.0"],
    [undefined, "-"],
  ])("%j reads %s", (value, expected) => {
    expect(estimate(value)).toBe(expected);
  });

  it("has two digits", () => {
    expect([0.995, 9.94, 9.96, 0.0512, undefined].map(times)).toEqual(
      ["0.99", "9.9", "10", "0.051", "-"], // 0.995 is a little less in binary
    );
  });
});

it.each([
  [[3, 1, 2], 2],
  [[4, 1, 2, 3], 2.5],
  [[], undefined],
])("the median of %j is %s", (values, expected) => {
  expect(median(values)).toBe(expected);
});

it("CPU time is that of a request, by service or without the generator", () => {
  const { samples } = loadPoint(32, 1_000, 10);
  expect(microsOf(samples)).toBeCloseTo(400);
  expect(microsOf(samples, "proxy")).toBeCloseTo(100);
  // 20 µs for each of 1,000 requests per second, of two cores
  expect(loadShareOf(samples, 2)).toBeCloseTo(0.01);
});

describe("the targets", () => {
  const metIn = (changed: typeof report): boolean[] => targetsOf(changed).map(({ met }) => met);
  const fast = withSpeed(report, "production", 6_700, 20);

  it("are all met, or say which is missed", () => {
    expect(metIn(fast)).toEqual([true, true, true, true, true, true]);
    expect(targetsOf(report)[0]).toEqual({
      target: "10 × the original's requests/s (aim: 12)",
      measured: "7.5 ± 0 %",
      met: false,
    });
  });

  it.each([
    ["production", 6_300, 20, 0],
    ["production", 6_700, 25, 1],
    ["limit", 9_600, undefined, 2],
    ["haproxy", 6_800, undefined, 3],
    ["caddy", 6_800, undefined, 4],
  ] as const)("with %s at %s requests/s and a p99 of %s ms, miss no. %s", (name, rate, ms, at) => {
    expect(metIn(withSpeed(fast, name, rate, ms)).indexOf(false)).toBe(at);
  });

  it("include the width of the intervals", () => {
    const wide = withSpeed(report, "production", 6_700, 20, 0.06);
    expect(targetsOf(wide).at(-1)).toMatchObject({ met: false });
  });

  it("leave out what was not measured", () => {
    const contenders = report.contenders.filter(({ name }) => name === "production");
    expect(targetsOf({ ...report, contenders })).toEqual([]);
  });
});

it.each([
  [5_600, "production is ahead of HAProxy: 1.2 ± 17 % × HAProxy's requests/s"],
  [
    4_700,
    "production and HAProxy are equal within the interval: 1.0 ± 17 % × HAProxy's requests/s",
  ],
  [3_700, "HAProxy is ahead of production: 0.80 ± 17 % × HAProxy's requests/s"],
])("at %s requests per second, says who is ahead", (rate, expected) => {
  const { contenders } = withSpeed(report, "production", rate, undefined, 0.07);
  expect(whoIsAhead(contenders)[0]).toBe(expected);
});
