import { expect, it } from "vitest";
import { failures } from "../../tools/bench/failures";
import type { BenchReport, Sample } from "../../tools/bench/report";
import { exampleReport, withSpeed } from "./lib/bench-example";

/** Fails one request in each of three samples. */
function fail(samples: Sample[] | undefined): void {
  for (const sample of samples ?? []) sample.failed = 1;
}

it("slowness is not a failure", () => {
  expect(failures(withSpeed(exampleReport(), "production", 1))).toEqual([]);
});

it.each<[string, (report: BenchReport) => void, string[]]>([
  [
    "of this project's proxy",
    ({ contenders }) => {
      for (const { load } of contenders) fail(load[0]?.samples);
    },
    [
      "production, connections 32: 3 of 43,200 requests failed",
      "https, connections 32: 3 of 35,100 requests failed",
      "limit, connections 32: 3 of 57,600 requests failed",
    ],
  ],
  [
    "without logs",
    ({ withoutLogs }) => fail(withoutLogs[0]?.load[0]?.samples),
    ["production, connections 32, without logs: 3 of 86,400 requests failed"],
  ],
  [
    "by the clock",
    ({ byTheClock }) => {
      for (const { samples } of byTheClock) fail(samples);
    },
    [
      "production, 1700 requests/s: 3 of 15,300 requests failed",
      "production, 1700 requests/s, without logs: 3 of 15,300 requests failed",
    ],
  ],
])("failed requests are failures: %s", (_, change, expected) => {
  const report = exampleReport();
  change(report);
  expect(failures(report)).toEqual(expected);
});
