import { describe, expect, it } from "vitest";
import { faultChart } from "../../tools/faults/chart";
import type { CaseReport, LabReport } from "../../tools/faults/report";
import { renderText } from "../../tools/faults/report-text";
import { renderChart } from "../../tools/lib/chart";

const good: CaseReport = {
  name: "kill",
  about: "kill one server",
  round: 1,
  sent: 12_345,
  lost: 0,
  turnedAway: 0,
  p99Ms: 14,
  worstMs: 58,
  over400Ms: 0,
  maxInFlight: 9,
  lateness: { p99Ms: 1, worstMs: 12 },
  evenAfterS: 1.43,
  shares: ["back-end-1", "back-end-2"].map((server) => ({ server, answers: 3_000 })),
  target: { worstMs: 500, evenS: 3 },
  missed: [],
  fault: { fromS: 1, toS: 3 },
  events: [{ atS: 1, label: "kill back-end-2" }],
  bucketS: 1,
  buckets: [0, 1, 2, 3].map((atS) => {
    return { atS, served: 200, turnedAway: 0, lost: atS, worstMs: 20, shares: [25, 25] };
  }),
  lostExamples: [],
};

const bad: CaseReport = {
  ...good,
  name: "http-500",
  lost: 1_002,
  turnedAway: 135,
  slowestTurnedAwayMs: 311,
  servedAgainS: 0.13,
  worstMs: 5_120,
  missed: ["worstMs", "evenS"],
  evenAfterS: null,
  lostExamples: [
    { atS: 1.0124, path: "/api/hello", status: 500, reason: "status 500" },
    { atS: 1.5, path: "/", status: null, reason: "socket hang up" },
  ],
};

const lab = (...cases: CaseReport[]): LabReport => {
  const origin = { stack: "production", machine: "2 × a processor", date: new Date(0) };
  return { ...origin, rounds: 1, rate: 1_000, inFlightLimit: 340, cases };
};

describe("the report as text", () => {
  it("has a table with a verdict for each case", () => {
    expect(renderText(lab(good, bad)).split("\n").slice(2, 5)).toEqual([
      "  fault       sent   lost  rejected    p99     worst  ≥ 400 ms  in flight  balanced",
      "  kill      12,345      0         0  14 ms     58 ms         0          9     1.4 s  ✔",
      "  http-500  12,345  1,002       135  14 ms  5,120 ms         0          9     never  ✘",
    ]);
  });

  it("fits into 100 columns", () => {
    const counts = { sent: 100_000, lost: 99_999, over400Ms: 99_999, maxInFlight: 340 };
    const times = { p99Ms: 10_001, worstMs: 10_001 };
    const text = renderText(lab({ ...bad, ...counts, ...times, name: "rolling-restart" }));
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it.each([
    [bad, "    lost at 1.012 s: /api/hello status 500\n"],
    [bad, "    lost at 1.500 s: / socket hang up\n    and 1,000 more\n"],
    [bad, "\n1,002 lost of 12,345 requests\n"],
    [good, "    back-end-1 3,000, back-end-2 3,000\n"],
    [good, "\nnothing lost of 12,345 requests\n"],
    [bad, "    slowest rejection: 311 ms\n"],
    [bad, "    served again 0.1 s after the first server was started\n"],
    [{ ...good, shares: [], evenAfterS: null }, "         –  ✔\n"],
    [bad, "    ✘ requests lost, slower than 500 ms, not balanced within 3 s\n"],
    [good, "\nthe load's own delay: p99 1 ms, worst 12 ms\n"],
  ])("has the details of a case, %#", (report, line) => {
    expect(renderText(lab(report))).toContain(line);
  });
});

describe("the chart", () => {
  it.each(["light", "dark"] as const)("shows each server and event: %s", async (theme) => {
    const svg = await renderChart(faultChart(good, lab()), theme);
    for (const text of ["back-end-1", "back-end-2", "lost", "kill back-end-2"]) {
      expect(svg).toContain(`>${text}</text>`);
    }
    expect(svg).toMatch(/<title>production, kill: kill one server<\/title>/);
    expect(svg).toMatch(/<desc>.* 0 lost.*kill back-end-2 at 1\.0 s.*2 × a processor/s);
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it("shows all responses together if they do not name the server", async () => {
    const buckets = good.buckets.map((full) => ({ ...full, shares: [] }));
    const svg = await renderChart(faultChart({ ...good, shares: [], buckets }, lab()), "light");
    expect(svg).toContain(">served</text>");
  });
});
