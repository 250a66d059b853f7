import { describe, expect, it } from "vitest";
import { type FaultCase, targetOf } from "../../tools/faults/cases";
import type { Ask } from "../../tools/faults/judge";
import type { Sample } from "../../tools/faults/load";
import { evenFrom, percentile, timeline } from "../../tools/faults/measure";
import type { CaseReport } from "../../tools/faults/report";
import type { Leave } from "../../tools/faults/scene";
import { summarize, type Witness } from "../../tools/faults/summarize";

const api: Ask = { path: "/api/hello", kind: "api", isRight: () => true };
const page: Ask = { path: "/", kind: "page", isRight: () => true };

const sample = (startMs: number, rest: Partial<Sample> = {}): Sample => ({
  ...{ startMs, latencyMs: 5, ask: api, outcome: "served", status: 200 },
  ...rest,
});

/** Answers of servers named by letters, one each 10 ms. */
const turns = (letters: string, fromMs = 0): Sample[] =>
  Array.from(letters, (server, index) => sample(fromMs + index * 10, { server }));

describe("a percentile", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it.each([
    [hundred, 0.99, 99],
    [hundred, 1, 100],
    [hundred, 0.5, 50],
    [[7], 0.99, 7],
    [[1, 1_000], 0.99, 1_000],
    [[10, 9, 100], 1, 100],
    [[], 0.99, 0],
  ])("of %# is the value that so many do not exceed", (values, share, expected) => {
    expect(percentile(values, share)).toBe(expected);
  });
});

describe("sharing", () => {
  const servers = ["a", "b", "c"];
  const even = "abc".repeat(20);

  it("is even from the first request of a window in which each has its turn", () => {
    expect(evenFrom(turns(even), 0, servers)).toBe(0);
  });

  it("is even only once the server that was away is back", () => {
    const samples = [...turns("ab".repeat(100)), ...turns(even, 5_000)];
    const from = evenFrom(samples, 0, servers);
    // A window may begin while it is away, but no further than the tolerance goes
    expect(from).toBeGreaterThan(1_800);
    expect(from).toBeLessThanOrEqual(5_000);
  });

  it.each([
    ["a server gets nothing", "ab".repeat(300)],
    ["a server gets far less", "abababc".repeat(100)],
    ["a server gets far more", "abcaa".repeat(100)],
    ["a stranger answers in place of one", "abd".repeat(100)],
    ["there are not yet enough answers", "abc".repeat(19)],
    ["there is none", ""],
  ])("is not even where %s", (_, letters) => {
    expect(evenFrom(turns(letters), 0, servers)).toBeUndefined();
  });

  it.each([
    ["a fifth more", "a".repeat(24) + "b".repeat(18) + "c".repeat(18), true],
    ["more than that", "a".repeat(25) + "b".repeat(18) + "c".repeat(17), false],
    ["a fifth less", "a".repeat(16) + "b".repeat(22) + "c".repeat(22), true],
    ["less than that", "a".repeat(15) + "b".repeat(23) + "c".repeat(22), false],
  ])("tells a server with %s", (_, letters, isEven) => {
    expect(evenFrom(turns(letters), 0, servers) !== undefined).toBe(isEven);
  });

  it("passes over what was sent before, what is a page, and what was not served", () => {
    const samples = turns(even);
    expect(evenFrom(samples, 10, servers)).toBeUndefined();
    expect(evenFrom([...samples, ...turns("a", 600)], 10, servers)).toBe(10);
    const pages = samples.map((one) => ({ ...one, ask: page }));
    expect(evenFrom(pages, 0, servers)).toBeUndefined();
    const lost = samples.map((one) => ({ ...one, outcome: "lost" as const }));
    expect(evenFrom(lost, 0, servers)).toBeUndefined();
  });
});

describe("the timeline", () => {
  it("counts every request once, when its answer came", () => {
    const samples = [
      sample(0, { server: "a" }),
      sample(10, { server: "b", latencyMs: 170 }),
      sample(20, { ask: page, server: "a" }),
      sample(30, { outcome: "turned away", status: 503 }),
      sample(60, { outcome: "lost", latencyMs: 130 }),
    ];
    const { bucketS, buckets } = timeline(samples, ["a", "b"]);
    expect(bucketS).toBe(0.05);
    expect(buckets).toEqual([
      { atS: 0, served: 2, turnedAway: 1, lost: 0, worstMs: 5, shares: [1, 0] },
      { atS: 0.05, served: 0, turnedAway: 0, lost: 0, worstMs: 0, shares: [0, 0] },
      { atS: 0.1, served: 0, turnedAway: 0, lost: 0, worstMs: 0, shares: [0, 0] },
      { atS: 0.15, served: 1, turnedAway: 0, lost: 1, worstMs: 170, shares: [0, 1] },
    ]);
  });

  it.each([1, 9, 60, 600])("has few enough buckets to be drawn after %i s", (seconds) => {
    const samples = Array.from({ length: seconds }, (_, second) => sample(second * 1_000));
    const { bucketS, buckets } = timeline(samples, []);
    expect(buckets.length).toBeLessThanOrEqual(161);
    expect(buckets.length * bucketS).toBeGreaterThanOrEqual(seconds - 1);
    expect(buckets.reduce((sum, { served }) => sum + served, 0)).toBe(seconds);
  });
});

describe("the summary of a case", () => {
  const fault: FaultCase = { name: "kill", about: "one is killed", run: async () => undefined };
  const server = (
    id: string,
    name: string,
  ): [string, Witness["seen"] extends Map<string, infer C> ? C : never] => [
    id,
    { id, name, service: "back-end", state: "running", health: "healthy", published: [] },
  ];
  const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(12)) as [string, string, string];

  const summary = (
    samples: Sample[],
    rest: Partial<Witness> & { evenMs?: number; target?: CaseReport["target"] } = {},
  ): CaseReport => {
    const { evenMs, target = targetOf(fault), ...witness } = rest;
    return summarize(
      { load: { samples }, leaves: [], seen: new Map(), events: [], ...witness },
      { fault, target, round: 1, fromMs: 1_000, toMs: 2_000, evenMs },
    );
  };

  it("counts, measures and shows examples of what was lost", () => {
    const lost = Array.from({ length: 7 }, (_, index) =>
      sample(100 + index, { outcome: "lost", status: 502, reason: "status 502" }),
    );
    const reset = sample(50, { outcome: "lost", status: undefined, reason: "socket hang up" });
    const report = summary([sample(0), reset, ...lost]);
    expect(report).toMatchObject({ sent: 9, lost: 8, turnedAway: 0, p99Ms: 5, worstMs: 5 });
    expect(report.lostExamples).toHaveLength(5);
    expect(report.lostExamples[0]).toEqual({
      atS: 0.05,
      path: "/api/hello",
      status: null,
      reason: "socket hang up",
    });
    expect(report.lostExamples[1]).toMatchObject({ atS: 0.1, status: 502, reason: "status 502" });
  });

  describe("of who was turned away", () => {
    const away = (startMs: number, ask = api): Sample =>
      sample(startMs, { ask, outcome: "turned away", status: 503 });
    const leaves: Leave[] = [{ kind: "api", fromMs: 1_000, untilMs: 2_000 }];

    it.each([
      ["while it is allowed", away(1_500), 0],
      ["when asked before and told after it began", away(996), 0],
      ["before", away(900), 1],
      ["afterwards", away(2_001), 1],
      ["where others may be", away(1_500, page), 1],
    ])("%s, loses %#", (_, one, expected) => {
      const report = summary([one], { leaves });
      expect({ lost: report.lost, turnedAway: report.turnedAway }).toEqual({
        lost: expected,
        turnedAway: 1 - expected,
      });
    });

    it("counts each as lost where no fault allows it", () => {
      const report = summary([away(1_500)]);
      expect(report.lost).toBe(1);
      expect(report.lostExamples[0]?.reason).toBe("503 where nobody may be turned away");
    });
  });

  it("names servers by their place in the stack, and the second of a name as such", () => {
    const seen = new Map([
      server(`${a}0000`, "p-back-end-1"),
      server(`${b}0000`, "p-back-end-2"),
      server(`${c}0000`, "p-back-end-2"),
    ]);
    const samples = [sample(0, { server: a }), sample(1, { server: c }), sample(2, { server: c })];
    expect(summary(samples, { seen }).shares).toEqual([
      { server: "back-end-1", answers: 1 },
      { server: "back-end-2", answers: 0 },
      { server: "back-end-2 (2)", answers: 2 },
    ]);
  });

  it("knows nothing of shares where answers do not say who served them", () => {
    const report = summary([sample(0)], { seen: new Map([server(a, "p-back-end-1")]) });
    expect(report).toMatchObject({ shares: [], evenAfterS: null, missed: [] });
  });

  const known = { seen: new Map([server(a, "p-back-end-1")]) };
  it.each([
    ["nothing", [sample(0, { server: a })], { evenMs: 5_000 }, []],
    [
      "the worst latency",
      [sample(0, { server: a, latencyMs: 501 })],
      { evenMs: 2_000 },
      ["worstMs"],
    ],
    ["evenness", [sample(0, { server: a })], { evenMs: 5_001 }, ["evenS"]],
    ["evenness that never came", [sample(0, { server: a })], {}, ["evenS"]],
  ] as const)("marks %s as beyond the target", (_, samples, rest, missed) => {
    expect(summary([...samples], { ...known, ...rest }).missed).toEqual(missed);
  });

  it("marks who is turned away too late, and a return that is too late", () => {
    const target = { worstMs: 5_000, evenS: 3, turnedAwayMs: 1_000, servedAgainS: 3 };
    const leaves: Leave[] = [{ kind: "api", fromMs: 0, untilMs: 9_000 }];
    const late = sample(0, { outcome: "turned away", latencyMs: 1_001 });
    const report = summary([late], { leaves, target, servedAgainS: 3.1 });
    expect(report.missed).toEqual(["turnedAwayMs", "servedAgainS"]);
    expect(report).toMatchObject({ slowestTurnedAwayMs: 1_001, servedAgainS: 3.1, lost: 0 });
    expect(summary([late], { leaves, target }).missed).toContain("servedAgainS");
  });
});
