import { px, shorten, textWidth } from "../lib/svg";
import {
  type Drawn,
  line,
  logTicks,
  looks,
  path,
  type Room,
  rect,
  sizes,
  spreadApart,
  text,
} from "./chart-svg";
import type { ContenderName } from "./contenders";
import {
  compared,
  comparedSamples,
  type Figure,
  measured,
  plural,
  rateOf,
  samplesAt,
  shortNames,
  whole,
} from "./figures";
import type { BenchReport, ContenderReport } from "./report";

interface Panel {
  title: string;
  /** Of the axis below. */
  axis: string;
  at: readonly number[];
  valueOf(one: ContenderReport, at: number): Figure;
}

/** Only what was measured at two numbers or more: one point makes no curve. */
const panelsOf = (report: BenchReport): Panel[] =>
  allPanels(report).filter(({ at }) => at.length > 1);

/** Tells whether there is anything to draw a curve of; a quick run has nothing. */
export const hasCurves = (report: BenchReport): boolean => panelsOf(report).length > 0;

const allPanels = (report: BenchReport): Panel[] => [
  {
    title: "Requests per second over servers",
    axis: `servers, ${plural(compared.connections, "connection")}`,
    at: measured(report, "servers"),
    valueOf: (one, servers) => rateOf(samplesAt(one, servers, compared.connections)),
  },
  {
    title: "Requests per second over connections",
    axis: `connections, ${plural(compared.servers, "server")}`,
    at: measured(report, "connections"),
    valueOf: (one, connections) => rateOf(comparedSamples(one, connections)),
  },
];

interface Curve {
  name: ContenderName;
  title: string;
  points: { at: number; value: Figure }[];
}

/** Nothing that is 0 or less: the axis is logarithmic. */
const curvesOf = (report: BenchReport, panel: Panel): Curve[] =>
  report.contenders
    .map((one) => ({
      name: one.name,
      title: shortNames[one.name],
      points: panel.at.map((at) => {
        const value = panel.valueOf(one, at);
        return { at, value: value !== undefined && value > 0 ? value : undefined };
      }),
    }))
    .filter(({ points }) => points.some(({ value }) => value !== undefined));

const height = 270;

/** Draws requests per second over servers and over connections, with one scale for both. */
export function drawCurves(report: BenchReport, room: Room, top: number): Drawn {
  const panels = panelsOf(report);
  const values = panels.flatMap((panel) =>
    curvesOf(report, panel).flatMap(({ points }) => points.flatMap(({ value }) => value ?? [])),
  );
  if (values.length === 0) {
    return {
      svg: [
        text(
          room.left,
          top + 14,
          "not measured at more than one number of servers or connections",
          "muted",
        ),
      ],
      bottom: top + 20,
    };
  }
  const marks = logTicks(Math.min(...values), Math.max(...values));
  if (room.right - room.left < 600) {
    let bottom = top;
    const svg = panels.flatMap((panel, index) => {
      const drawn = drawPanel(report, panel, marks, room, index === 0 ? bottom : bottom + 28);
      bottom = drawn.bottom;
      return drawn.svg;
    });
    return { svg, bottom };
  }
  const width = (room.right - room.left - 28 * (panels.length - 1)) / panels.length;
  const drawn = panels.map((panel, index) => {
    const left = room.left + index * (width + 28);
    return drawPanel(report, panel, marks, { left, right: left + width }, top);
  });
  return {
    svg: drawn.flatMap(({ svg }) => svg),
    bottom: Math.max(...drawn.map(({ bottom }) => bottom)),
  };
}

function drawPanel(
  report: BenchReport,
  panel: Panel,
  marks: readonly number[],
  room: Room,
  top: number,
): Drawn {
  const curves = curvesOf(report, panel);
  const names = curves.map(({ title }) => textWidth(title, sizes.small) * 1.08);
  const label = Math.min((room.right - room.left) * 0.34, Math.max(0, ...names) + 26);
  const plot = {
    left: room.left + textWidth(whole(marks.at(-1)), sizes.small) + 8,
    right: room.right - label,
  };
  const area = { top: top + 42, bottom: top + 42 + height };
  const [least = 1, most = 10] = [marks[0], marks.at(-1)];
  const yOf = (value: number): number =>
    area.bottom - (height * Math.log(value / least)) / Math.log(most / least);
  const inset = 14;
  const [first = 1, last = 1] = [panel.at[0], panel.at.at(-1)];
  const xOf = (at: number): number =>
    last === first
      ? (plot.left + plot.right) / 2
      : plot.left +
        inset +
        ((plot.right - plot.left - 2 * inset) * Math.log(at / first)) / Math.log(last / first);
  return {
    svg: [
      text(room.left, top + 14, panel.title, "heading"),
      text(room.left, top + 31, "log scale · higher is better", "small muted"),
      rect(plot.left, area.top, plot.right - plot.left, height, "panel"),
      ...marks.flatMap((mark) => [
        line(plot.left, yOf(mark), plot.right, yOf(mark), "grid"),
        text(plot.left - 6, yOf(mark) + 4, whole(mark), "small muted", "end"),
      ]),
      ...panel.at.flatMap((at) => [
        line(xOf(at), area.bottom, xOf(at), area.bottom + 4, "axis"),
        text(xOf(at), area.bottom + 18, whole(at), "small muted", "middle"),
      ]),
      line(plot.left, area.bottom, plot.right, area.bottom, "axis"),
      text((plot.left + plot.right) / 2, area.bottom + 36, panel.axis, "small", "middle"),
      ...drawLabels(curves, { plot, area, room, xOf, yOf }),
      // Ours last, so that it is on top of the others
      ...curves.toReversed().flatMap((curve) => drawCurve(curve, xOf, yOf)),
    ],
    bottom: area.bottom + 42,
  };
}

/** A line through all points that follow one another, and a mark at each. */
function drawCurve(
  { name, points }: Curve,
  xOf: (at: number) => number,
  yOf: (value: number) => number,
): string[] {
  const { dashes, marker, isReference } = looks[name];
  let isDown = false;
  const steps = points.map(({ at, value }) => {
    const step = value === undefined ? "" : `${isDown ? "L" : "M"}${px(xOf(at))} ${px(yOf(value))}`;
    isDown = value !== undefined;
    return step;
  });
  const dashed = dashes === "" ? "" : ` stroke-dasharray="${dashes}"`;
  const known = points.filter(({ value }) => value !== undefined).length;
  const marks = points.flatMap(({ at, value }) =>
    value === undefined ? [] : [marker(xOf(at), yOf(value))],
  );
  return [
    ...(known > 1 ? [`<path class="curve of-${name}"${dashed} d="${steps.join("")}"/>`] : []),
    path(`mark of-${name} ${isReference ? "hollow" : `by-${name}`}`, marks.join("")),
  ];
}

interface Frame {
  plot: Room;
  room: Room;
  area: { top: number; bottom: number };
  xOf(at: number): number;
  yOf(value: number): number;
}

/** Names at the right, each on the level of its curve's end or as near as there is room. */
function drawLabels(curves: readonly Curve[], { plot, room, area, xOf, yOf }: Frame): string[] {
  const ends = curves
    .flatMap(({ name, title, points }) => {
      const end = points.findLast(({ value }) => value !== undefined);
      return end?.value === undefined ? [] : [{ name, title, x: xOf(end.at), y: yOf(end.value) }];
    })
    .sort((one, other) => one.y - other.y);
  const places = spreadApart(
    ends.map(({ y }) => y),
    15,
    { least: area.top + 5, most: area.bottom - 5 },
  );
  const x = plot.right + 18;
  return ends.flatMap((end, index) => {
    const y = places[index] ?? end.y;
    const width = room.right - x;
    const classes = `small by-${end.name}${end.name === "production" ? " strong" : ""}`;
    return [
      path("leader", `M${px(end.x + 6)} ${px(end.y)}H${px(plot.right + 2)}L${px(x - 4)} ${px(y)}`),
      text(x, y + 4, shorten(end.title, width, sizes.small * 1.05), classes),
    ];
  });
}

/** All that the curves show, in words. */
export function describeCurves(report: BenchReport): string {
  return panelsOf(report)
    .map((panel) => {
      const told = curvesOf(report, panel).map(({ title, points }) => {
        const values = points.flatMap(({ at, value }) =>
          value === undefined ? [] : [`${whole(value)} at ${whole(at)}`],
        );
        return `${title}: ${values.join(", ")}.`;
      });
      return `${panel.title}. ${told.join(" ")}`;
    })
    .join(" ");
}
