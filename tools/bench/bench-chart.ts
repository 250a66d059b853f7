import type { BarSeriesOption } from "echarts";
import type { Chart, ChartColors } from "../lib/chart";
import { formatDate, whole } from "../lib/format";
import type { ContenderName } from "./contenders";
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

interface Bar {
  name: ContenderName;
  rate: Figure;
  label: string;
}

/**
 * @returns Two bars of the requests per second for each contender: with logs, with its latency next to
 *   it, and without.
 */
export function benchChart(report: BenchReport): Chart {
  const { contenders, withoutLogs, machine, date } = report;
  const logged = contenders.map((contender): Bar => {
    const { name } = contender;
    const rate = rateOf(contender);
    const ratio = times(compare(contenders, name, "original")?.ratio);
    const label = `${whole(rate)}  ·  ${ratio} × original  ·  p99 ${millis(p99Of(contender))}`;
    return { name, rate, label };
  });
  const silent = contenders.map(({ name }): Bar => {
    const rate = rateOf(contenderIn(withoutLogs, name));
    return { name, rate, label: `${whole(rate)} without logs` };
  });
  const source = [`${formatDate(date)}, ${describeRounds(report)}`, machine];
  const sentences = contenders.map(
    ({ title }, index) => `${title}: ${logged[index]?.label}, ${silent[index]?.label}.`,
  );
  return {
    title: `Requests per second: 2 servers, ${comparedConnections} connections`,
    subtitle: source.join("\n"),
    description: [...sentences, `${source.join(", ")}.`].join(" "),
    height: margin.top + contenders.length * barHeight + margin.bottom,
    option: (colors) => ({
      grid: margin,
      xAxis: { type: "value", show: false },
      yAxis: {
        type: "category",
        data: contenders.map(({ title }) => title),
        inverse: true,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: colors.text, fontSize: 14 },
      },
      series: [seriesOf(logged, colors, ""), seriesOf(silent, colors, "73")],
    }),
  };
}

function seriesOf(bars: readonly Bar[], colors: ChartColors, alpha: string): BarSeriesOption {
  return {
    type: "bar",
    silent: true,
    barWidth: 17,
    barGap: "12%",
    data: bars.map(({ name, rate = 0, label }) => {
      // With an `opacity`, the label would fade, too
      const color = `${name === "production" ? colors.accent : colors.neutral}${alpha}`;
      const itemStyle = { color, borderRadius: [0, 3, 3, 0] };
      return { value: rate, itemStyle, label: { formatter: label } };
    }),
    label: { show: true, position: "right", fontSize: 12, color: colors.text },
  };
}
