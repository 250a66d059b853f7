import { describe, expect, it } from "vitest";
import type { FaultCase } from "../../tools/faults/cases";
import type { Probe } from "../../tools/faults/judge";
import type { Sample } from "../../tools/faults/load";
import { balancedFrom, timeline } from "../../tools/faults/measure";
import type { CaseReport, Target } from "../../tools/faults/report";
import { type Observations, summarize, type Trial } from "../../tools/faults/summarize";
import { percentile } from "../../tools/lib/stats";

const api: Probe = { path: "/api/hello", kind: "api", isExpected: () => true };
const page: Probe = { path: "/", kind: "page", isExpected: () => true };

const sample = (startMs: number, rest: Partial<Sample> = {}): Sample => {
  return { startMs, latencyMs: 5, probe: api, outcome: "served", status: 200, ...rest };
};

/** Responses of servers named by letters, one every 10 ms. */
const responses = (letters: string, fromMs = 0): Sample[] =>
  Array.from(letters, (server, index) => sample(fromMs + index * 10, { server }));

it.each([
  [Array.from({ length: 100 }, (_, index) => 100 - index), 0.99, 99],
  [[10, 9, 100], 1, 100],
  [[], 0.99, Number.NaN],
])("percentile %#", (values, share, expected) => {
  expect(percentile(values, share)).toBe(expected);
});

describe("the load is balanced", () => {
  const servers = ["a", "b", "c"];
  const balanced = "abc".repeat(20);
  const of = (a: number, b: number, c: number): string =>
    "a".repeat(a) + "b".repeat(b) + "c".repeat(c);

  it.each([
    ["if each server has its share", balanced, 0],
    ["if a server has a fifth more", of(24, 18, 18), 0],
    ["if a server has a fifth less", of(16, 22, 22), 0],
    ["not if a server has more than that", of(25, 18, 17), undefined],
    ["not if a server has less than that", of(15, 23, 22), undefined],
    ["not if another server took the place of one", "abd".repeat(100), undefined],
    ["not before there are 20 responses per server", "abc".repeat(19), undefined],
  ])("%s", (_, letters, expected) => {
    expect(balancedFrom(responses(letters), 0, servers)).toBe(expected);
  });

  it("from the window on in which a restored server has its share", () => {
    const samples = [...responses("ab".repeat(100)), ...responses(balanced, 5_000)];
    // The window can begin before the server is back, within the tolerance
    expect(balancedFrom(samples, 0, servers)).toBeGreaterThan(1_800);
  });

  it.each<[string, (original: Sample) => Partial<Sample>]>([
    ["earlier requests", () => ({ startMs: -1 })],
    ["pages", () => ({ probe: page })],
    ["lost requests", () => ({ outcome: "lost" })],
  ])("without regard to %s", (_, change) => {
    const samples = responses(balanced).map((original) => ({ ...original, ...change(original) }));
    expect(balancedFrom(samples, 0, servers)).toBeUndefined();
  });
});

it("the timeline counts every request when it ended", () => {
  const samples = [
    sample(0, { server: "a" }),
    sample(10, { server: "b", latencyMs: 600 }),
    sample(20, { probe: page, server: "a" }),
    sample(30, { outcome: "rejected", status: 503 }),
    sample(60, { outcome: "lost", latencyMs: 545 }),
  ];
  const empty = { served: 0, turnedAway: 0, lost: 0, worstMs: 0, shares: [0, 0] };
  expect(timeline(samples, ["a", "b"])).toEqual({
    bucketS: 0.2,
    buckets: [
      { ...empty, atS: 0, served: 2, turnedAway: 1, worstMs: 5, shares: [1, 0] },
      { ...empty, atS: 0.2 },
      { ...empty, atS: 0.4 },
      { ...empty, atS: 0.6, served: 1, lost: 1, worstMs: 600, shares: [0, 1] },
    ],
  });
});

const fault: FaultCase = { name: "kill", about: "kill one server", run: async () => undefined };

describe("the summary of a case", () => {
  const recorded = { serverNames: new Map([["0123", "back-end-1"]]), events: [] };
  const sending = { latenessMs: [0.4, 2.6], maxInFlight: 7 };
  const summary = (
    samples: Sample[],
    observations: Partial<Observations> = {},
    trial: Partial<Trial> = {},
  ): CaseReport =>
    summarize(
      { load: { samples, ...sending }, ...recorded, ...observations },
      { fault, round: 1, fromMs: 1_000, toMs: 2_000, balancedMs: 2_000, ...trial },
    );

  it("counts and measures requests, with examples of those that were lost", () => {
    const failed = { outcome: "lost", status: 502, reason: "status 502" } as const;
    const lost = Array(7).fill(sample(1_100, failed));
    const reset = sample(1_050, { outcome: "lost", status: undefined, reason: "socket hang up" });
    const report = summary([sample(0), reset, ...lost]);
    expect(report).toMatchObject({ sent: 9, lost: 8, turnedAway: 0, worstMs: 5, maxInFlight: 7 });
    expect(report.lateness).toEqual({ p99Ms: 3, worstMs: 3 });
    const example = { path: "/api/hello", atS: 1.1, status: 502, reason: "status 502" };
    expect(report.lostExamples).toEqual([
      { ...example, atS: 1.05, status: null, reason: "socket hang up" },
      ...Array(4).fill(example),
    ]);
  });

  it.each([
    ["within the window", 1_500, api, 0],
    ["sent before the window and received in it", 996, api, 0],
    ["before the window", 900, api, 1],
    ["after the window", 2_001, api, 1],
    ["of another kind of request", 1_500, page, 1],
  ])("counts a rejection as lost unless it is allowed: %s", (_, startMs, probe, lost) => {
    const rejection = sample(startMs, { probe, outcome: "rejected", status: 503 });
    const rejectionWindow = { kind: "api", fromMs: 1_000, untilMs: 2_000 } as const;
    const counts = { lost, turnedAway: 1 - lost };
    expect(summary([rejection], { rejectionWindow })).toMatchObject(counts);
  });

  it("has the p99 of the requests during the fault, and the worst from the fault on", () => {
    const latencies = [...Array(197).fill(5), 40, 399.9, 400];
    const during = latencies.map((latencyMs) => sample(1_500, { latencyMs }));
    const others = [sample(2_001, { latencyMs: 499 }), sample(400, { latencyMs: 599 })];
    const report = summary([...during, ...others]);
    expect(report).toMatchObject({ p99Ms: 40, worstMs: 499, over400Ms: 2 });
  });

  it("adds up the shares of servers with the same name", () => {
    const serverNames = new Map([
      ["a", "back-end-1"],
      ["b", "back-end-2"],
      ["c", "back-end-2"],
    ]);
    const { shares } = summary(responses("abcc"), { serverNames });
    expect(shares.map(({ server, answers }) => `${server} ${answers}`)).toEqual([
      "back-end-1 1",
      "back-end-2 3",
    ]);
  });

  it("judges no balance if responses do not name the server", () => {
    const expected = { shares: [], evenAfterS: null, missed: [] };
    expect(summary([sample(0)], {}, { balancedMs: undefined })).toMatchObject(expected);
  });

  const withTarget = (target: Partial<Target>) => ({ fault: { ...fault, target } });
  const down = withTarget({ turnedAwayMs: 1_000, servedAgainS: 3 });
  const rejectionWindow = { kind: "api", fromMs: 0, untilMs: 9_000 } as const;
  const rejected = (latencyMs: number) => sample(2_001, { outcome: "rejected", latencyMs });
  it.each<[string[], Sample, Partial<Observations>, Partial<Trial>]>([
    [[], sample(0, { server: "0123", latencyMs: 500 }), {}, { balancedMs: 5_000 }],
    [["worstMs"], sample(2_001, { latencyMs: 501 }), {}, {}],
    [["p99Ms"], sample(1_000, { latencyMs: 51 }), {}, withTarget({ p99Ms: 50 })],
    [["over400Ms"], sample(2_001, { latencyMs: 400 }), {}, withTarget({ over400Ms: 0 })],
    [["evenS"], sample(0, { server: "0123" }), {}, { balancedMs: 5_001 }],
    [["evenS"], sample(0, { server: "0123" }), {}, { balancedMs: undefined }],
    [[], rejected(400), { servedAgainS: 3 }, down],
    [["servedAgainS"], rejected(400), { servedAgainS: 3.1 }, down],
    [["servedAgainS"], rejected(400), {}, down],
    [["worstMs", "turnedAwayMs"], rejected(1_001), { servedAgainS: 1 }, down],
  ])("lists the missed targets: %j", (missed, only, observations, trial) => {
    expect(summary([only], { rejectionWindow, ...observations }, trial).missed).toEqual(missed);
  });
});
