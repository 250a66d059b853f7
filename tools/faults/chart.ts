import type { SeriesOption } from "echarts";
import type { Chart, ChartColors } from "../lib/chart";
import { formatDate } from "../lib/format";
import type { Bucket, CaseReport, LabReport } from "./report";

/** Okabe and Ito's colors, which color-blind readers can tell apart. */
const serverColors = ["#0072b2", "#e69f00", "#009e73", "#56b4e9", "#cc79a7", "#f0e442"];

/** @returns The responses of each server over time, with the fault and what was lost. */
export function faultChart(report: CaseReport, lab: LabReport): Chart {
  const { name, about, sent, lost, turnedAway, worstMs, events } = report;
  const title = `${lab.stack}, ${name}: ${about}`;
  const source = `${lab.machine}\n${lab.rate} requests per second, ${formatDate(lab.date)}`;
  const counts = `${sent} requests, ${lost} lost, ${turnedAway} rejected, slowest ${worstMs} ms`;
  const marks = events.map(({ atS, label }) => `${label} at ${atS.toFixed(1)} s`).join(", ");
  return {
    title,
    subtitle: `${source}: ${counts} (shaded: until all servers ran again)`,
    description: `${counts}. Events: ${marks}. ${source}.`,
    height: 420,
    option: (colors) => ({
      legend: { top: 78, left: 70, itemGap: 24, icon: "rect", textStyle: { color: colors.text } },
      grid: { left: 76, right: 24, top: 160, bottom: 36 },
      xAxis: {
        type: "value",
        max: "dataMax",
        axisLabel: { color: colors.muted, showMaxLabel: false, formatter: "{value} s" },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        name: report.shares.length > 0 ? "API responses per second" : "responses per second",
        nameLocation: "middle",
        nameGap: 50,
        nameTextStyle: { color: colors.muted },
        axisLabel: { color: colors.muted },
        splitLine: { lineStyle: { color: colors.grid } },
      },
      color: serverColors,
      series: seriesOf(report, colors),
    }),
  };
}

function seriesOf(report: CaseReport, colors: ChartColors): SeriesOption[] {
  const { shares, buckets, bucketS, fault, events } = report;
  // The last bucket is not full
  const rates = (countOf: (bucket: Bucket) => number): number[][] =>
    buckets.slice(0, -1).map((bucket) => [bucket.atS + bucketS / 2, countOf(bucket) / bucketS]);
  const area = (name: string, countOf: (bucket: Bucket) => number): SeriesOption => {
    const style = { symbol: "none", lineStyle: { width: 0 }, areaStyle: { opacity: 0.8 } };
    return { type: "line", stack: "responses", name, data: rates(countOf), ...style };
  };
  const servers = shares.map(({ server }, index) =>
    area(server, (bucket) => bucket.shares[index] as number),
  );
  const lines = events.map(({ atS, label }, index) => ({
    xAxis: atS,
    // In three rows, so that neighbors do not overlap
    label: { formatter: label, color: colors.text, distance: [0, 5 + 15 * (index % 3)] },
  }));
  return [
    ...(servers.length > 0 ? servers : [area("served", ({ served }) => served)]),
    {
      type: "bar",
      name: "lost",
      z: 3,
      color: colors.fail,
      barWidth: 3,
      data: rates(({ lost }) => lost),
      markArea: {
        itemStyle: { color: colors.neutral, opacity: 0.2 },
        data: [[{ xAxis: fault.fromS }, { xAxis: fault.toS }]],
      },
      markLine: { symbol: "none", lineStyle: { color: colors.text }, data: lines },
    },
  ];
}
