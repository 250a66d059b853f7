import { load } from "cheerio";
import { describe, expect, it, vi } from "vitest";
import { logTicks, spreadApart } from "../../tools/bench/chart-svg";
import { renderBars, renderCharts, renderCurves } from "../../tools/bench/charts";
import { millis, range, times, whole } from "../../tools/bench/figures";
import type { BenchReport } from "../../tools/bench/report";
import { renderHtml } from "../../tools/bench/report-html";
import { renderText } from "../../tools/bench/report-text";
import { tablesOf } from "../../tools/bench/tables";
import { textWidth, wrap } from "../../tools/lib/svg";
import { fullReport, quickReport, replaced, scaled } from "./lib/bench-example";

// picocolors decides when it is imported; in CI it would say yes
vi.hoisted(() => {
  process.env.NO_COLOR = "1";
});

const full = fullReport();
const quick = quickReport();
/** Nobody was measured, and nothing was found. */
const empty: BenchReport = {
  ...{ ...full, contenders: [], rotation: [], soak: undefined },
  builds: { coldSeconds: Number.NaN, editSeconds: [] },
  page: {
    ours: { requests: 0, bytes: 0, largestPaintMs: [] },
    original: { requests: 0, bytes: 0, largestPaintMs: [] },
  },
};
/** Everybody is there, with no samples of anything. */
const silent: BenchReport = {
  ...empty,
  contenders: full.contenders.map((one) => ({
    ...one,
    load: one.load.map((point) => ({ ...point, samples: [] })),
    ...{ startSeconds: [], rest: [], busy: [], images: [] },
  })),
};
/** An original that answered nothing, to divide by. */
const still = scaled(full, "original", 0);
const reports: [name: string, report: BenchReport][] = [
  ["full", full],
  ["quick", quick],
  ["empty", empty],
  ["silent", silent],
  ["still", still],
];

const squeeze = (text: string): string => text.replace(/\s+/g, " ").trim();
const linesOf = (text: string, title: string): string[] => {
  const lines = text.split("\n");
  const from = lines.indexOf(title);
  return lines.slice(from + 1, lines.indexOf("", from));
};

describe("figures", () => {
  it("are rounded so that they say as much as they are worth", () => {
    expect([0.624, 8.44, 99.4, 1_204.3].map(millis)).toEqual([
      ...["0.62 ms", "8.4 ms", "99.4 ms", "1,204 ms"],
    ]);
    expect([0.128, 1, 1.912, 7.42, 120.4].map(times)).toEqual([
      ...["0.13 ×", "1 ×", "1.91 ×", "7.4 ×", "120 ×"],
    ]);
    expect(whole(18_178.4)).toBe("18,178");
    expect(range([205, 240, 212], millis)).toBe("205–240 ms");
    expect([whole(undefined), millis(Number.NaN), times(Infinity), range([], whole)]).toEqual([
      ...["-", "-", "-", "-"],
    ]);
  });
});

describe("the report as text", () => {
  const text = renderText(full);

  it("has everybody in a table that lines up", () => {
    const lines = linesOf(text, "Side by side: 2 servers, 32 connections");
    expect(lines.slice(0, 3)).toEqual([
      "               requests/s        min–max  × original  × limit   median      p99    worst",
      "  production        4,855    4,816–4,887       7.4 ×   0.75 ×   6.0 ms  14.7 ms  54.8 ms",
      "  HAProxy           4,671    4,634–4,702       7.1 ×   0.72 ×   6.2 ms  15.7 ms  58.3 ms",
    ]);
    expect(lines.slice(0, -1).map(({ length }) => length)).toEqual(Array(9).fill(lines[0]?.length));
  });

  it.each(reports)("is at most 100 columns wide, and never says NaN: %s", (_, report) => {
    const said = renderText(report);
    for (const line of said.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(said).not.toMatch(/NaN|Infinity|undefined/);
  });

  it.each(reports)("has tables whose lines all end in one column: %s", (_, report) => {
    const said = renderText(report);
    for (const { title, rows } of tablesOf(report)) {
      const lengths = linesOf(said, title)
        .slice(0, rows.length + 1)
        .map(({ length }) => length);
      expect(new Set(lengths).size).toBe(1);
    }
  });

  it("says how far the rounds differ, and what was not measured", () => {
    expect(text).toMatch(/rounds differ most at .+: min–max is 2 % of the median/);
    const row = linesOf(text, "Requests per second over servers, 32 connections").at(-3);
    expect(row?.trim().split(/ {2,}/)).toEqual([
      ...["nginx alone", "18,178", "29.7 ×", "-", "-", "-", "-", "-", "-"],
    ]);
  });

  it("says what a request costs, by the round in which the usage was read", () => {
    const ofProduction = (report: BenchReport): (string | undefined)[] => {
      const table = tablesOf(report).find(({ id }) => id === "usage");
      return (table?.rows ?? []).slice(0, 3).map((row) => row.at(-1)?.text);
    };
    const other = { requests: 1, failed: 0, medianMs: 1, p99Ms: 1, worstMs: 1 };
    const paced = (...rates: number[]): BenchReport =>
      replaced(full, "production", ({ load: points }) => ({
        load: points.map((point) => ({
          ...point,
          samples: rates.map((perSecond) => ({ ...other, perSecond })),
        })),
      }));
    // 0.52 cores of the proxy and 1.31 of the API
    expect(ofProduction(paced(10_000, 4_000, 4_000))).toEqual(["52.0", "131.0", "183.0"]);
    expect(ofProduction(paced(0))).toEqual(["-", "-", "-"]);
    expect(ofProduction(silent)).toEqual([]);
  });

  it("leaves out the tables for which a quick run has nothing", () => {
    const ids = (report: BenchReport): string[] => tablesOf(report).map(({ id }) => id);
    expect(ids(full).filter((id) => !ids(quick).includes(id))).toEqual([
      ...["connections", "latency", "servers", "builds", "page", "soak"],
    ]);
  });

  it("ends with targets, what failed, and where it was measured", () => {
    expect(text).toContain("\nTargets: 11 of 11 met\n");
    expect(text).toMatch(/\n {2}✔ {2}requests\/s against the original +at least 7\.0 × +7\.43 ×\n/);
    expect(text.split("\n").slice(-5)).toEqual([
      "nothing failed",
      "",
      "2 × AMD EPYC, 7.8 GB, Debian 12, Docker Engine 26.1",
      "21 November 2026 at 09:30 UTC, a full run, medians of 3 rounds of 5 s each",
      "",
    ]);
    const { rotation } = full;
    const uneven = { servers: 2, connections: 1, requests: 9, shares: [6, 3], difference: 3 };
    const bad = renderText({
      ...scaled(quick, "production", 0.9),
      rotation: [...rotation, uneven],
    });
    expect(bad).toContain("\nTargets: 3 of 7 met, 4 not measured\n");
    expect(bad).toMatch(/\n {2}✘ {2}requests\/s against the original +at least 7\.0 × +6\.68 ×\n/);
    expect(bad).toMatch(/\n {2}- {2}requests\/s against Caddy +at least 1\.00 × +-\n/);
    expect(bad).toContain(
      "\nfailed\n  rotation, 2 servers, 1 connection: shares differ by 3: 6, 3\n",
    );
    expect(bad).toContain(", a quick run, one round of 2 s\n");
  });

  it("keeps whatever the report says to its place", () => {
    const service = `a\u001b[2J${"long".repeat(40)}`;
    const evil = replaced(
      { ...full, machine: `a\nb\u001b[2Jc ${"x".repeat(300)}` },
      "production",
      () => ({
        ...{ title: "a\r\nb", about: "word ".repeat(90), versions: "v".repeat(220) },
        rest: [{ service, containers: 2, megabytes: 5, cores: 0 }],
      }),
    );
    const said = renderText(evil);
    expect(said).not.toContain("\u001b");
    expect(said).not.toContain("\r");
    for (const line of said.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});

describe("the charts", () => {
  const draw = (svg: string): ReturnType<typeof load> => load(svg, { xml: true });

  it.each(reports)("never draw what is no number: %s", (_, report) => {
    for (const width of [960, 320]) {
      for (const render of [renderBars, renderCurves, renderCharts]) {
        const svg = render(report, { width });
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        const $ = draw(svg);
        for (const text of $("text").toArray()) {
          const [x, y] = [Number($(text).attr("x")), Number($(text).attr("y"))];
          expect(x >= 0 && x <= width && y >= 0 && y <= Number($("svg").attr("height"))).toBe(true);
        }
      }
    }
  });

  it("have a bar for each figure, as long as it is large", () => {
    const $ = draw(renderBars(full));
    const widths = $("[class*='by-']")
      .toArray()
      .map((bar) => {
        const [, straight] = /h([\d.]+)a/.exec($(bar).attr("d") ?? "") ?? [];
        return Number(straight) + 3;
      });
    expect(widths).toHaveLength(16);
    const [ours = 0, , , , , original = 0] = widths;
    expect(ours / original).toBeGreaterThan(7.1);
    expect(ours / original).toBeLessThan(7.7);
    expect(squeeze($("svg").text())).toContain("4,855 7.4 ×");
  });

  it("have a line for each contender that was measured at two points or more", () => {
    const $ = draw(renderCurves(full));
    // One nginx has no servers to add
    expect($(".curve")).toHaveLength(15);
    expect($(".curve.of-nginx")).toHaveLength(1);
    expect($(".mark")).toHaveLength(16);
  });

  it("have a gap where a point is missing", () => {
    const gapped = replaced(full, "production", ({ load: points }) => ({
      load: points.filter(({ servers }) => servers !== 4),
    }));
    const d = draw(renderCurves(gapped))(".curve.of-production").first().attr("d");
    expect(d?.match(/[ML]/g)?.join("")).toBe("MLM");
  });

  it("of a quick run are the bars alone", () => {
    expect(draw(renderCharts(quick))(".curve, .mark")).toHaveLength(0);
    expect(draw(renderCharts(full))(".curve").length).toBeGreaterThan(0);
  });

  it("say in words what they show, and where and when it was measured", () => {
    for (const render of [renderBars, renderCurves, renderCharts]) {
      const $ = draw(render(full));
      expect($("svg").attr("role")).toBe("img");
      for (const id of ($("svg").attr("aria-labelledby") ?? "").split(" ")) {
        expect($(`#${id}`).text()).not.toBe("");
      }
      expect($("desc").text()).toContain("production");
      expect($("text").last().text()).toMatch(/AMD EPYC.* · 21 November 2026 at 09:30 UTC · /);
    }
    expect(draw(renderBars(full))("desc").text()).toContain(
      "HAProxy: 4,671 requests per second (7.1 × the original), p99 15.7 ms.",
    );
  });

  it("take whatever the report says as text, and ask nobody for anything", () => {
    const evil = `"'></text><script>alert(1)</script>\u0000`;
    const svg = renderCharts({ ...full, machine: evil });
    expect(svg).not.toContain("<script");
    expect(svg).not.toContain("\u0000");
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|url\((?!#)|@import/,
    );
  });
});

describe("what a chart is laid out with", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("keeps labels apart and in order, %i", (seed) => {
    const places = Array.from({ length: 7 }, (_, at) => (at * at * 37 * seed) % 270).sort(
      (one, other) => one - other,
    );
    const spread = spreadApart(places, 15, { least: 5, most: 265 });
    for (const [index, place] of spread.entries()) {
      expect(place).toBeGreaterThanOrEqual(5 - 1e-9);
      expect(place).toBeLessThanOrEqual(265 + 1e-9);
      expect((spread[index + 1] ?? 999) - place).toBeGreaterThanOrEqual(15 - 1e-9);
    }
  });

  it("leaves labels where they are if there is room", () => {
    expect(spreadApart([20, 60, 100], 15, { least: 5, most: 265 })).toEqual([20, 60, 100]);
    expect(spreadApart([50, 50], 10, { least: 0, most: 100 })).toEqual([45, 55]);
    expect(spreadApart([0, 0, 12], 10, { least: 0, most: 100 })).toEqual([0, 10, 20]);
    expect(spreadApart([88, 100, 100], 10, { least: 0, most: 100 })).toEqual([80, 90, 100]);
  });

  it("has round numbers on an axis", () => {
    expect(logTicks(211, 18_246)).toEqual([200, 500, 1_000, 2_000, 5_000, 10_000, 20_000]);
    expect(logTicks(1_000, 1_000)).toEqual([1_000, 2_000]);
    expect(logTicks(0.3, 0.4)).toEqual([0.2, 0.5]);
  });

  it("breaks lines that would be too long", () => {
    for (const line of wrap(`a sentence ${"long".repeat(30)} and its end`, 200, 12)) {
      expect(textWidth(line, 12)).toBeLessThanOrEqual(200);
    }
  });
});

describe("the report as a page", () => {
  const $ = load(renderHtml(full));

  it("has the main ratios first", () => {
    expect(squeeze($("#headline").text())).toBe("4,855 requests per second from production");
    const values = $(".highlights strong").toArray();
    expect(values.map((one) => $(one).text())).toEqual([
      ...["7.4 ×", "0.12 ×", "1.04 ×", "1.42 ×", "0.75 ×"],
    ]);
  });

  it("has every table, target and contender, and both charts, for a phone too", () => {
    for (const { id, rows } of tablesOf(full)) {
      const section = $(`[aria-labelledby="${id}-title"].card`);
      expect(section.find("tbody tr")).toHaveLength(rows.length);
    }
    expect($(".targets li.met")).toHaveLength(11);
    expect($("dl.contenders").first().find("dt")).toHaveLength(8);
    expect($("svg.chart")).toHaveLength(4);
    const ids = $("[id]")
      .toArray()
      .map((one) => $(one).attr("id"));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("has rules of its own for its charts: none of the page's reaches into one", () => {
    const pictured = $("svg [class]").toArray();
    const classes = new Set(pictured.flatMap((one) => ($(one).attr("class") ?? "").split(" ")));
    expect(classes).toContain("curve");
    const own = $("style")
      .text()
      .replace(/^\.chart .*$/gm, "");
    expect([...classes].filter((name) => new RegExp(`\\.${name}\\b(?!-)`).test(own))).toEqual([]);
  });

  it("has the raw figures, folded", () => {
    const samples = full.contenders.flatMap(({ load: points }) =>
      points.flatMap((one) => one.samples),
    );
    expect($("details[open]")).toHaveLength(0);
    expect($("details tbody tr")).toHaveLength(samples.length);
  });

  it("says what went wrong, and only then", () => {
    expect($(".failed")).toHaveLength(0);
    const uneven = { servers: 2, connections: 1, requests: 9, shares: [6, 3], difference: 3 };
    const bad = load(renderHtml({ ...full, rotation: [uneven] }));
    expect(squeeze(bad(".failed").text())).toBe(
      "1 thing went wrong rotation, 2 servers, 1 connection: shares differ by 3: 6, 3",
    );
    expect(squeeze(bad(".targets .missed").text())).toContain("rotation, largest difference 3");
  });

  it.each(reports)("never says NaN: %s", (_, report) => {
    expect(renderHtml(report)).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("takes whatever the report says as text, and asks nobody for anything", () => {
    const evil = `</title></svg><script>alert(1)</script>`;
    const usage = [{ service: evil, containers: 1, megabytes: 1, cores: 1 }];
    const html = renderHtml(
      replaced({ ...full, machine: evil }, "production", () => ({
        ...{ title: evil, about: evil, versions: evil, rest: usage },
        images: [{ service: evil, megabytes: 1, aboveBase: 1 }],
      })),
    );
    expect(load(html)("script, link, img")).toHaveLength(0);
    expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(
      /https?:|url\((?!#)|@import/,
    );
  });
});
