import { describe, expect, it } from "vitest";
import { benchChart } from "../../tools/bench/bench-chart";
import { renderText } from "../../tools/bench/report-text";
import { renderChart } from "../../tools/lib/chart";
import { exampleReport } from "./lib/bench-example";

const report = exampleReport();

describe("the report as text", () => {
  it("has tables that line up, at most 100 columns wide", () => {
    const tables = renderText(report).split("\n\n").slice(0, 4);
    expect(tables[0]?.split("\n").slice(0, 3)).toEqual([
      "As shipped, with logs: 2 servers, 32 connections",
      "              requests/s  × original     × limit     p99  1 conn.  256 conn.  µs/req    MB  load",
      "  production       4,800   7.5 ± 0 %  0.75 ± 0 %   14 ms    1,600      4,320     400  65.0   5 %",
    ]);
    expect(tables[1]).toContain("\n  production       9,600 ");
    expect(tables[3]?.split("\n").slice(0, 3)).toEqual([
      "By the clock: shares of Caddy's requests/s, without logs",
      "              share  requests/s    p50     p99   p99.9  proxy µs/req  API µs/req  load",
      "  production   50 %       1,700  19 ms  4.0 ms  8.0 ms           100         300   2 %",
    ]);
    for (const table of tables) {
      const rows = table.split("\n").filter((line) => /^ .* %$|load$/.test(line));
      expect(new Set(rows.map(({ length }) => length)).size).toBe(1);
      expect(rows[0]?.length).toBeLessThanOrEqual(100);
    }
  });

  it("has the targets, met or missed, and who is ahead without logs", () => {
    const text = renderText(report);
    expect(text).toContain("  ✘ missed: 10 × the original's requests/s (aim: 12): 7.5 ± 0 %\n");
    expect(text).toContain("  ✔ met: more requests/s than Caddy: 1.4 ± 0 %\n");
    expect(text).toContain("  without logs, production is ahead of Caddy: 1.4 ± 0 % × Caddy's");
  });

  it("has the machine, how late the generator was, and what failed", () => {
    const text = renderText(report);
    expect(text).toContain("99 % were sent within 0.9 ms of it");
    expect(text).toContain("nothing failed");
    expect(text).toContain("2 × AMD EPYC, Docker Engine 26.1, 21 November 2026 at 09:30 UTC");
    const failing = exampleReport();
    for (const sample of failing.byTheClock[0]?.samples ?? []) sample.failed = 1;
    expect(renderText(failing)).toMatch(/failed\n {2}production, 1700 .* requests failed\n/);
  });

  it("has a dash for what was not measured", () => {
    const [production] = report.contenders;
    if (production === undefined) throw new Error("no contender");
    const contenders = [{ ...production, load: production.load.slice(0, 1) }];
    const text = renderText({ ...report, contenders });
    expect(text).toMatch(/^ {2}production +4,800 +- +- +14 ms +400 +65\.0 +5 %$/m);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("the chart", () => {
  it.each(["light", "dark"] as const)("has every contender, in words too: %s", async (theme) => {
    const svg = await renderChart(benchChart(report), theme);
    expect(svg).toMatch(/^<svg role="img"/);
    for (const { title } of report.contenders) expect(svg).toContain(`>${title}</text>`);
    expect(svg).toContain("4,800  ·  7.5 × original  ·  p99 14 ms</text>");
    expect(svg).toContain(">9,600 without logs</text>");
    expect(svg).toMatch(/<desc>production: 4,800 .* 21 November 2026 at 09:30 UTC, .*<\/desc>/);
    expect(svg.replaceAll(/http:\/\/www\.w3\.org\/\d+\/\w+/g, "")).not.toMatch(/https?:|<script/);
  });

  it("ends a line that is too long with dots, and has all of it in words", async () => {
    const machine = `2 × ${"a processor ".repeat(20)}`;
    const svg = await renderChart(benchChart({ ...report, machine }), "light");
    expect(svg).toMatch(/>2 × a processor .{50,150}\.\.\.<\/text>/);
    expect(svg).toContain(`${machine}.</desc>`);
  });

  it("has text from the report as text", async () => {
    const svg = await renderChart(benchChart({ ...report, machine: "</desc><script>" }), "light");
    expect(svg).not.toContain("<script");
  });
});
