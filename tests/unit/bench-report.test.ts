import { describe, expect, it } from "vitest";
import { benchChart } from "../../tools/bench/bench-chart";
import { renderText } from "../../tools/bench/report-text";
import { renderChart } from "../../tools/lib/chart";
import { exampleReport, rotationOf } from "./lib/bench-example";

const report = exampleReport();

describe("the report as text", () => {
  it("has a table that lines up, at most 100 columns wide", () => {
    const table = renderText(report).split("\n").slice(1, 9);
    expect(table.slice(0, 2)).toEqual([
      "              requests/s  × original  × limit     p99  1 conn.  256 conn.  µs/req   memory",
      "  production       4,800         7.5     0.75   14 ms    1,600      4,320     404  65.0 MB",
    ]);
    expect(new Set(table.map(({ length }) => length)).size).toBe(1);
    expect(table[0]?.length).toBeLessThanOrEqual(100);
  });

  it("has the rotation, the soak and the machine", () => {
    const text = renderText(report);
    expect(text).toContain("at most 2 % apart");
    expect(text).toContain("rotation: exact in 2 of 2 counts");
    expect(text).toContain("soak of 300 s: 1,401,220 requests, 0 failed; proxy 8.5 → 8.5 MB");
    expect(text).toContain("nothing failed");
    expect(text).toContain("2 × AMD EPYC, Docker Engine 26.1, 21 November 2026 at 09:30 UTC");
  });

  it("names a service whose memory grows in the soak", () => {
    const megabytes = Array.from({ length: 30 }, (_, at) => 20 + at);
    const soak = { seconds: 300, connections: 32, requests: 1, failed: 0 };
    const services = [{ service: "back-end", megabytes }];
    const text = renderText({ ...report, soak: { ...soak, services } });
    expect(text).toContain("back-end 28.5 → 46.5 MB (grows)");
  });

  it("has what failed", () => {
    const text = renderText({ ...report, rotation: [rotationOf(6, 3)] });
    expect(text).toContain("rotation: exact in 0 of 1 counts");
    expect(text).toMatch(/failed\n {2}rotation, servers 2, .* shares differ by 3: 6, 3\n/);
  });

  it("has a dash for what was not measured", () => {
    const [production] = report.contenders;
    if (production === undefined) throw new Error("no contender");
    const contenders = [{ ...production, load: production.load.slice(0, 1) }];
    const text = renderText({ ...report, contenders, rotation: [], soak: undefined });
    expect(text).toMatch(/^ {2}production +4,800 +- +- +14 ms +404 +65\.0 MB$/m);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("the chart", () => {
  it.each(["light", "dark"] as const)("has every contender, in words too: %s", async (theme) => {
    const svg = await renderChart(benchChart(report), theme);
    expect(svg).toMatch(/^<svg role="img"/);
    for (const { title } of report.contenders) expect(svg).toContain(`>${title}</text>`);
    expect(svg).toContain("4,800  ·  7.5 × original  ·  p99 14 ms</text>");
    expect(svg).toMatch(/<desc>production: 4,800 .* 21 November 2026 at 09:30 UTC, .*<\/desc>/);
    expect(svg.replaceAll(/http:\/\/www\.w3\.org\/\d+\/\w+/g, "")).not.toMatch(/https?:|<script/);
  });

  it("has text from the report as text", async () => {
    const svg = await renderChart(benchChart({ ...report, machine: "</desc><script>" }), "light");
    expect(svg).not.toContain("<script");
  });
});
