import { px, textWidth } from "../lib/svg";
import { type Drawn, line, looks, path, type Room, sizes, text } from "./chart-svg";
import type { ContenderName } from "./contenders";
import {
  comparedSamples,
  contender,
  type Figure,
  millis,
  p99Of,
  rateOf,
  ratio,
  shortNames,
  times,
  whole,
} from "./figures";
import type { BenchReport, ContenderReport, Sample } from "./report";

/** Who belongs together. */
const groups: { title: string; names: ContenderName[] }[] = [
  { title: "Before the same Express servers", names: ["production", "haproxy", "caddy"] },
  { title: "The course's stack, in Express and Flask", names: ["task6", "gunicorn", "original"] },
  { title: "Without an application", names: ["limit", "nginx"] },
];

interface Panel {
  title: string;
  hint: string;
  valueOf(samples: readonly Sample[]): Figure;
  each(sample: Sample): number;
  format(value: Figure): string;
}

const panels: [rates: Panel, latencies: Panel] = [
  {
    title: "Requests per second",
    hint: "longer is better · × the original",
    valueOf: rateOf,
    each: ({ perSecond }) => perSecond,
    format: whole,
  },
  {
    title: "Latency, 99th percentile",
    hint: "shorter is better · × the original",
    valueOf: p99Of,
    each: ({ p99Ms }) => p99Ms,
    format: millis,
  },
];

interface Bar {
  name: ContenderName;
  title: string;
  value: Figure;
  least: number;
  most: number;
  label: [value: string, ratio: string];
}

/** @returns What a panel shows of a contender, in figures. */
function barOf(report: BenchReport, one: ContenderReport, panel: Panel): Bar {
  const samples = comparedSamples(one);
  const value = panel.valueOf(samples);
  const all = samples.map(panel.each).filter(Number.isFinite);
  const original = panel.valueOf(comparedSamples(contender(report, "original")));
  const part = ratio(value, original);
  return {
    ...{ name: one.name, title: shortNames[one.name], value },
    ...{ least: Math.min(...all), most: Math.max(0, ...all) },
    label: [
      value === undefined ? "not measured" : panel.format(value),
      part === undefined || one.name === "original" ? "" : times(part),
    ],
  };
}

const rowHeight = { wide: 29, narrow: 38 };
const barHeight = { wide: 17, narrow: 11 };

/**
 * Draws everybody's requests per second, and the latency of the slowest hundredth, as bars with a
 * common zero; a thin line spans the rounds.
 */
export function drawBars(report: BenchReport, room: Room, top: number): Drawn {
  const isNarrow = room.right - room.left < 600;
  if (!isNarrow) {
    const names = report.contenders.map(
      ({ name }) => textWidth(shortNames[name], sizes.usual) * 1.1,
    );
    const label = Math.min(150, Math.max(60, ...names) + 12);
    const middle = room.left + label + (room.right - room.left - label) * 0.56;
    const [rates, latencies] = panels;
    const first = drawPanel(report, rates, { left: room.left + label, right: middle - 16 }, top);
    const second = drawPanel(report, latencies, { left: middle + 16, right: room.right }, top);
    return {
      svg: [...drawNames(report, room, top), ...first.svg, ...second.svg],
      bottom: first.bottom,
    };
  }
  let bottom = top;
  const svg = panels.flatMap((panel, index) => {
    const drawn = drawPanel(report, panel, room, index === 0 ? bottom : bottom + 26, true);
    bottom = drawn.bottom;
    return drawn.svg;
  });
  return { svg, bottom };
}

/** Where everybody's row is, with a heading above each group. */
function layout(report: BenchReport, top: number, isNarrow: boolean) {
  let y = top + 44;
  const headings: { y: number; title: string; bottom: number }[] = [];
  const rows = groups.flatMap(({ title, names }) => {
    const there = names.map((name) => contender(report, name)).filter((one) => one !== undefined);
    if (there.length === 0) return [];
    const heading = { y: y + 13, title, bottom: y };
    headings.push(heading);
    y += 22;
    const placed = there.map((one, index) => ({
      one,
      y: y + index * (isNarrow ? rowHeight.narrow : rowHeight.wide),
    }));
    y += there.length * (isNarrow ? rowHeight.narrow : rowHeight.wide) + 8;
    heading.bottom = y - 14;
    return placed;
  });
  return { rows, headings, bottom: y - 6 };
}

function drawNames(report: BenchReport, room: Room, top: number): string[] {
  const { rows, headings } = layout(report, top, false);
  return [
    ...headings.map(({ y, title }) => text(room.left, y, title, "small muted")),
    ...rows.map(({ one, y }) =>
      text(
        room.left,
        y + barHeight.wide - 3.5,
        shortNames[one.name],
        one.name === "production" ? "strong" : "",
      ),
    ),
  ];
}

function drawPanel(
  report: BenchReport,
  panel: Panel,
  { left, right }: Room,
  top: number,
  isNarrow = false,
): Drawn {
  const { rows, headings, bottom } = layout(report, top, isNarrow);
  const bars = rows.map(({ one, y }) => ({ ...barOf(report, one, panel), y }));
  const wordsWidth = (words: string): number => textWidth(words, sizes.usual) * 1.05;
  const labels = bars.map(({ label }) => wordsWidth(label.join(" ")) + 14);
  // Beside a bar in a wide chart; above it, at the right, in a narrow one
  const most = right - left - (isNarrow ? 6 : Math.max(0, ...labels));
  const greatest = Math.max(0, ...bars.map((bar) => Math.max(bar.value ?? 0, bar.most))) || 1;
  const xOf = (value: number): number => left + (most * value) / greatest;
  const height = isNarrow ? barHeight.narrow : barHeight.wide;
  return {
    svg: [
      text(left, top + 14, panel.title, "heading"),
      text(left, top + 31, panel.hint, "small muted"),
      ...(isNarrow ? headings.map(({ y, title }) => text(left, y, title, "small muted")) : []),
      ...bars.flatMap((bar) => {
        const { name, title, value, label, y } = bar;
        const barTop = isNarrow ? y + 17 : y;
        const end = value === undefined ? left : Math.max(left + 1, xOf(value));
        const isOurs = name === "production";
        const tip = Math.max(end, value === undefined ? left : xOf(bar.most));
        const parts: [string, string][] = [
          [label[0], value === undefined ? "muted" : "strong"],
          ...(label[1] === "" ? [] : [[label[1], "muted"] satisfies [string, string]]),
        ];
        return [
          ...(isNarrow
            ? [
                text(left, y + 12, title, isOurs ? "strong" : ""),
                text(right, y + 12, parts, "", "end"),
              ]
            : [text(tip + 8, barTop + height - 3.5, parts)]),
          ...(value === undefined ? [] : [drawBar(name, left, barTop, end - left, height)]),
          ...drawSpread(bar, xOf, barTop, height),
        ];
      }),
      ...(isNarrow
        ? []
        : headings.map((group) => line(left, group.y + 5, left, group.bottom, "axis"))),
    ],
    bottom,
  };
}

/** With its right corners rounded: its left edge is where nothing is. */
function drawBar(name: ContenderName, x: number, y: number, width: number, height: number): string {
  const radius = Math.min(3, width);
  const kind = looks[name].isReference ? `bar-reference by-${name} of-${name}` : `by-${name}`;
  return path(
    kind,
    `M${px(x)} ${px(y)}h${px(width - radius)}a${px(radius)} ${px(radius)} 0 0 1 ${px(radius)} ${px(radius)}v${px(height - 2 * radius)}a${px(radius)} ${px(radius)} 0 0 1 -${px(radius)} ${px(radius)}h-${px(width - radius)}Z`,
  );
}

/** From the least round to the greatest, where that is wide enough to be seen. */
function drawSpread(
  bar: Bar,
  xOf: (value: number) => number,
  top: number,
  height: number,
): string[] {
  const { value, least, most } = bar;
  const [from, to] = [xOf(least), xOf(most)];
  if (value === undefined || !(to - from >= 4)) return [];
  const middle = top + height / 2;
  const d = `M${px(from)} ${px(middle - 3)}v6m0 -3H${px(to)}m0 -3v6`;
  // Once in the ground's colour, so that it is seen on its bar as well
  return [path("whisker-halo", d), path("whisker", d)];
}

/** All that the bars show, in words. */
export function describeBars(report: BenchReport): string {
  return report.contenders
    .map((one) => {
      const [rates, latencies] = panels.map((panel) => barOf(report, one, panel).label);
      const rate = `${rates?.[0]} requests per second${rates?.[1] ? ` (${rates[1]} the original)` : ""}`;
      const isThere = comparedSamples(one).length > 0;
      return isThere
        ? `${shortNames[one.name]}: ${rate}, p99 ${latencies?.[0]}.`
        : `${shortNames[one.name]}: not measured.`;
    })
    .join(" ");
}
