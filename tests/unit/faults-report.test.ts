import { load } from "cheerio";
import { describe, expect, it, vi } from "vitest";
import type { CaseReport, LabReport } from "../../tools/faults/report";
import { renderHtml } from "../../tools/faults/report-html";
import { renderText } from "../../tools/faults/report-text";
import { renderTimeline } from "../../tools/faults/timeline";
import { numberMarks, placeLabels, ticks } from "../../tools/faults/timeline-layout";
import { textWidth, wrap } from "../../tools/lib/svg";

// picocolors decides when it is imported; in CI it would say yes
vi.hoisted(() => {
  process.env.NO_COLOR = "1";
});

const bucket = (atS: number, rest: Partial<CaseReport["buckets"][number]> = {}) => ({
  ...{ atS, served: 100, turnedAway: 0, lost: 0, worstMs: 20, shares: [25, 25] },
  ...rest,
});

const well: CaseReport = {
  name: "kill",
  about: "one server is killed",
  round: 1,
  sent: 12_345,
  lost: 0,
  turnedAway: 0,
  p99Ms: 14,
  worstMs: 58,
  evenAfterS: 1.43,
  shares: [
    { server: "back-end-1", answers: 3_000 },
    { server: "back-end-2", answers: 2_500 },
  ],
  target: { worstMs: 500, evenS: 3 },
  missed: [],
  fault: { fromS: 1, toS: 3 },
  events: [
    { atS: 1, label: "kill back-end-2" },
    { atS: 2.8, label: "start back-end-2" },
  ],
  bucketS: 1,
  buckets: [bucket(0), bucket(1), bucket(2, { shares: [50, 0] }), bucket(3)],
  lostExamples: [],
};

const bad: CaseReport = {
  ...well,
  name: "crash:500",
  lost: 1_002,
  worstMs: 5_120,
  missed: ["worstMs", "evenS"],
  evenAfterS: null,
  buckets: [bucket(0), bucket(1, { lost: 1_002 })],
  lostExamples: [
    { atS: 1.0124, path: "/api/hello", status: 500, reason: "status 500" },
    { atS: 1.5, path: "/", status: null, reason: "socket hang up" },
  ],
};

const away: CaseReport = {
  ...well,
  name: "all-down",
  turnedAway: 135,
  slowestTurnedAwayMs: 311,
  servedAgainS: 0.13,
  target: { worstMs: 500, evenS: 3, turnedAwayMs: 1_000, servedAgainS: 3 },
  buckets: [bucket(0), bucket(1, { turnedAway: 135 })],
};

const lab = (cases: CaseReport[], rest: Partial<LabReport> = {}): LabReport => ({
  ...{ stack: "production", machine: "2 × a processor", date: new Date("2026-03-04T05:06:00Z") },
  ...{ rounds: 1, connections: 8, cases },
  ...rest,
});

const squeeze = (text: string): string => text.replace(/\s+/g, " ").trim();

describe("the report as text", () => {
  it("is a table that lines up, with a verdict for each case", () => {
    const lines = renderText(lab([well, bad, away])).split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "production, 8 connections",
      "",
      "  fault        sent   lost  turned away    p99     worst  even after  target",
      "  kill       12,345      0            0  14 ms     58 ms       1.4 s  worst 500 ms, even 3 s                                       ✔",
      "  crash:500  12,345  1,002            0  14 ms  5,120 ms       never  worst 500 ms, even 3 s                                       ✘ lost, too slow, uneven for too long",
      "  all-down   12,345      0          135  14 ms     58 ms       1.4 s  worst 500 ms, even 3 s, turned away in 1000 ms, back in 3 s  ✔",
    ]);
  });

  it("shows what was lost, and when", () => {
    const text = renderText(lab([bad]));
    expect(text).toContain("    lost at 1.012 s: /api/hello 500 status 500\n");
    expect(text).toContain("    lost at 1.500 s: / socket hang up\n");
    expect(text).toContain("    and 1,000 more\n");
    expect(text).toMatch(/\n1,002 lost of 12,345 requests\n$/);
  });

  it("says who answered, and how who was turned away fared", () => {
    const text = renderText(lab([away]));
    expect(text).toContain("    back-end-1 3,000, back-end-2 2,500\n");
    expect(text).toContain("    slowest answer that turned away: 311 ms\n");
    expect(text).toContain("    served again after the first server's return: 0.1 s\n");
    expect(text).toMatch(/\nnothing lost of 12,345 requests\n$/);
  });

  it("has a dash where nobody knows who answered", () => {
    const text = renderText(lab([{ ...well, shares: [], evenAfterS: null }]));
    expect(text).toMatch(/58 ms +– +worst 500 ms, even 3 s {2}✔\n/);
  });
});

describe("the timeline", () => {
  const draw = (one: CaseReport): ReturnType<typeof load> =>
    load(renderTimeline(one, lab([one])), { xml: true });

  it("says in words what it shows, and where it was made", () => {
    const $ = draw(bad);
    expect($("svg > title").text()).toBe("production: crash:500");
    const words = squeeze($("svg > desc").text());
    expect(words).toContain("The fault lasted from 1.0 s to 3.0 s.");
    expect(words).toContain("at 1.0 s: kill back-end-2; at 2.8 s: start back-end-2");
    expect(words).toContain("1,002 lost");
    const all = squeeze($("svg").text());
    expect(all).toContain("2 × a processor");
    expect(all).toContain("4 March 2026 at 05:06 UTC");
  });

  it("has a mark for what was lost, and none where nothing was", () => {
    expect(draw(bad)(".lost-mark")).toHaveLength(1);
    expect(draw(bad)(".lost-count").text()).toBe("1,002 lost");
    expect(draw(well)(".lost-mark, path.lost")).toHaveLength(0);
  });

  it("has a label for each event, or a number where there is no room for labels", () => {
    expect(draw(well)(".event-label")).toHaveLength(2);
    const events = Array.from({ length: 40 }, (_, index) => ({
      atS: 1 + index / 20,
      label: `restart back-end-${index}`,
    }));
    const $ = draw({ ...well, events });
    expect($(".event-label")).toHaveLength(0);
    expect($(".event-text")).toHaveLength(40);
  });

  it.each([
    ["no requests", { sent: 0, buckets: [bucket(0, { served: 0, worstMs: 0, shares: [0, 0] })] }],
    ["no buckets", { sent: 0, buckets: [] }],
    ["no events", { events: [] }],
    ["no shares", { shares: [], buckets: [bucket(0, { shares: [] })] }],
  ])("has only finite numbers where there are %s", (_, rest) => {
    expect(renderTimeline({ ...well, ...rest }, lab([]))).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("takes whatever the report says as text", () => {
    const evil = `"'></text><script>alert(1)</script>\u0000`;
    const events = [{ atS: 1, label: evil }];
    const shares = [{ server: evil, answers: 1 }];
    const svg = renderTimeline(
      { ...well, name: evil, about: evil, events, shares },
      lab([], { machine: evil }),
    );
    expect(svg).not.toContain("<script");
    expect(svg).not.toContain("\u0000");
    expect(load(svg, { xml: true })("script")).toHaveLength(0);
  });

  it("asks nobody for anything", () => {
    const svg = renderTimeline(well, lab([])).replace('xmlns="http://www.w3.org/2000/svg"', "");
    expect(svg).not.toMatch(/https?:|url\((?!#)|@import|<script/);
  });
});

describe("labels on a timeline", () => {
  const room = { left: 50, right: 940, size: 12, mostRows: 4 };
  /** Pseudo-random, the same each time. */
  const places = (count: number, seed: number): number[] =>
    Array.from({ length: count }, (_, index) => 60 + ((index * 7_919 + seed * 104_729) % 860)).sort(
      (a, b) => a - b,
    );

  it.each(Array.from({ length: 40 }, (_, seed) => seed))("never touch one another, %i", (seed) => {
    const labels = places(1 + (seed % 9), seed).map((x) => ({ x, text: "restart back-end-1" }));
    const placed = placeLabels(labels, room) ?? [];
    for (const [index, one] of placed.entries()) {
      expect(one.left).toBeGreaterThanOrEqual(room.left);
      expect(one.right).toBeLessThanOrEqual(room.right);
      for (const other of placed.slice(index + 1)) {
        const overlap = one.left < other.right && other.left < one.right;
        expect(one.row === other.row && overlap).toBe(false);
      }
    }
  });

  it.each([2, 20, 200])("become %i numbers that do not touch either", (count) => {
    const marks = numberMarks(places(count, count), room);
    for (const [index, { right }] of marks.entries()) {
      expect(marks[index + 1]?.left ?? right + 1).toBeGreaterThan(right);
    }
    expect(marks[0]?.text).toMatch(/^1\b/);
    expect(marks.at(-1)?.text).toMatch(new RegExp(`\\b${count}$`));
  });

  it("are broken into lines that fit", () => {
    const lines = wrap(`a sentence ${"long".repeat(30)} and its end`, 200, 12);
    for (const line of lines) expect(textWidth(line, 12)).toBeLessThanOrEqual(200);
    expect(lines.join("").replace(/ /g, "")).toBe(`asentence${"long".repeat(30)}anditsend`);
  });

  it("of an axis are round numbers", () => {
    expect(ticks(9.3, 6)).toEqual([0, 2, 4, 6, 8]);
    expect(ticks(1_000, 4)).toEqual([0, 500, 1_000]);
  });
});

describe("the report as a page", () => {
  it("has a row and two pictures for each case, one for a phone", () => {
    const $ = load(renderHtml(lab([well, bad])));
    expect($("tbody tr")).toHaveLength(2);
    expect($("svg.timeline")).toHaveLength(4);
    const ids = $("[id]")
      .toArray()
      .map((one) => $(one).attr("id"));
    expect(new Set(ids).size).toBe(ids.length);
    expect(squeeze($("#total").text())).toBe("1,002 of 24,690 requests lost");
  });

  it("has rules of its own for its pictures: none of the page's reaches into one", () => {
    const $ = load(renderHtml(lab([well, bad, away])));
    const pictured = $("svg [class]").toArray();
    const classes = new Set(pictured.flatMap((one) => ($(one).attr("class") ?? "").split(" ")));
    expect(classes).toContain("served");
    // Bold and red in both
    classes.delete("bad");
    const own = $("style")
      .text()
      .replace(/^\.timeline .*$/gm, "");
    expect([...classes].filter((name) => new RegExp(`\\.${name}\\b(?!-)`).test(own))).toEqual([]);
  });

  it("says what was lost and why", () => {
    const $ = load(renderHtml(lab([bad, away])));
    expect(squeeze($(".lost-examples").text())).toContain("at 1.012 s: /api/hello 500 status 500");
    expect($(".note").text()).toContain("slowest answer that turned away: 311 ms");
  });

  it("takes whatever the report says as text, and asks nobody for anything", () => {
    const evil = "</title><script>alert(1)</script>";
    const html = renderHtml(
      lab([{ ...bad, name: evil, about: evil }], { stack: evil, machine: evil }),
    );
    const $ = load(html);
    expect($("script, link, img")).toHaveLength(0);
    expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(
      /https?:|url\((?!#)|@import/,
    );
  });
});
