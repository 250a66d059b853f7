import type { BarSeriesOption } from "echarts";
import type { Chart, ChartColors } from "../lib/chart";
import { formatDate, whole } from "../lib/format";
import {
  comparedConnections,
  contenderIn,
  describeRounds,
  millis,
  p99Of,
  rateOf,
  ratio,
  times,
} from "./figures";
import type { BenchReport } from "./report";

/** Pixels around the bars, and for each bar. */
const margin = { left: 116, right: 250, top: 100, bottom: 12 };
const barHeight = 36;

/** @returns A bar of the requests per second for each contender, with its latency next to it. */
export function benchChart(report: BenchReport): Chart {
  const { contenders, machine, date } = report;
  const original = rateOf(contenderIn(report, "original"));
  const labels = contenders.map((contender) => {
    const rate = rateOf(contender);
    const p99 = `p99 ${millis(p99Of(contender))}`;
    return `${whole(rate)}  ·  ${times(ratio(rate, original))} × original  ·  ${p99}`;
  });
  const title = `Requests per second: 2 servers, ${comparedConnections} connections`;
  const source = [`${formatDate(date)}, ${describeRounds(report)}`, machine];
  const sentences = contenders.map((contender, index) => `${contender.title}: ${labels[index]}.`);
  return {
    title,
    subtitle: source.join("\n"),
    description: [...sentences, `${source.join(", ")}.`].join(" "),
    width: 960,
    height: margin.top + contenders.length * barHeight + margin.bottom,
    option: (colors) => ({
      grid: margin,
      xAxis: { type: "value", show: false },
      yAxis: {
        type: "category",
        data: contenders.map((contender) => contender.title),
        inverse: true,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: colors.text, fontSize: 14 },
      },
      series: barsOf(report, labels, colors),
    }),
  };
}

function barsOf(
  { contenders }: BenchReport,
  labels: readonly string[],
  colors: ChartColors,
): BarSeriesOption {
  return {
    type: "bar",
    silent: true,
    barWidth: 20,
    data: contenders.map((contender) => {
      const color = contender.name === "production" ? colors.accent : colors.neutral;
      return { value: rateOf(contender) ?? 0, itemStyle: { color, borderRadius: [0, 3, 3, 0] } };
    }),
    label: {
      show: true,
      position: "right",
      fontSize: 13,
      color: colors.text,
      formatter: ({ dataIndex }) => labels[dataIndex] ?? "",
    },
  };
}
