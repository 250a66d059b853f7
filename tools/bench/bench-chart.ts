import type { BarSeriesOption } from "echarts";
import type { Chart, ChartColors } from "../lib/chart";
import { formatDate, whole } from "../lib/format";
import {
  compare,
  comparedConnections,
  contenderIn,
  describeRounds,
  type Figure,
  millis,
  p99Of,
  rateOf,
  times,
} from "./figures";
import type { BenchReport } from "./report";

/** Pixels around the bars, and for each bar. */
const margin = { left: 116, right: 250, top: 100, bottom: 12 };
const barHeight = 52;

/**
 * @returns Two bars of the requests per second for each contender: with logs, with its latency next to
 *   it, and without.
 */
export function benchChart(report: BenchReport): Chart {
  const { contenders, withoutLogs, machine, date } = report;
  const labels = contenders.map((contender) => {
    const ratio = times(compare(contenders, contender.name, "original")?.ratio);
    return `${whole(rateOf(contender))}  ·  ${ratio} × original  ·  p99 ${millis(p99Of(contender))}`;
  });
  const silent = contenders.map(({ name }) => rateOf(contenderIn(withoutLogs, name)));
  const silentLabels = silent.map((rate) => `${whole(rate)} without logs`);
  const title = `Requests per second: 2 servers, ${comparedConnections} connections`;
  const source = [`${formatDate(date)}, ${describeRounds(report)}`, machine];
  const sentences = contenders.map(
    (contender, index) => `${contender.title}: ${labels[index]}, ${silentLabels[index]}.`,
  );
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
      series: [
        barsOf(
          report,
          contenders.map((contender) => rateOf(contender)),
          labels,
          colors,
          "",
        ),
        barsOf(report, silent, silentLabels, colors, "73"),
      ],
    }),
  };
}

function barsOf(
  { contenders }: BenchReport,
  rates: readonly Figure[],
  labels: readonly string[],
  colors: ChartColors,
  alpha: string,
): BarSeriesOption {
  return {
    type: "bar",
    silent: true,
    barWidth: 17,
    barGap: "12%",
    data: contenders.map(({ name }, index) => {
      // With an `opacity`, the label would fade, too
      const color = `${name === "production" ? colors.accent : colors.neutral}${alpha}`;
      const itemStyle = { color, borderRadius: [0, 3, 3, 0] };
      return { value: rates[index] ?? 0, itemStyle };
    }),
    label: {
      show: true,
      position: "right",
      fontSize: 12,
      color: colors.text,
      formatter: ({ dataIndex }) => labels[dataIndex] ?? "",
    },
  };
}
