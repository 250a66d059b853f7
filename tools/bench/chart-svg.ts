import { escapeXml, px } from "../lib/svg";
import type { ContenderName } from "./contenders";

/** Something drawn, and where it ends, in pixels from the top. */
export interface Drawn {
  svg: string[];
  bottom: number;
}

/** Where to draw, in pixels from the left. */
export interface Room {
  left: number;
  right: number;
}

/** Sizes of the font. */
export const sizes = { small: 12, usual: 13, heading: 14, title: 20 };

/** A piece of text, or several in a row, each with a class of its own. */
export function text(
  x: number,
  y: number,
  content: string | readonly [content: string, className: string][],
  className = "",
  anchor: "start" | "middle" | "end" = "start",
): string {
  const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  const classed = className === "" ? "" : ` class="${className}"`;
  const inner =
    typeof content === "string"
      ? escapeXml(content)
      : content
          .map(([part, name], at) => {
            const apart = at === 0 ? "" : ' dx="5"';
            return `<tspan class="${name}"${apart}>${escapeXml(part)}</tspan>`;
          })
          .join(" ");
  return `<text x="${px(x)}" y="${px(y)}"${classed}${anchored}>${inner}</text>`;
}

export const rect = (
  x: number,
  y: number,
  width: number,
  height: number,
  className: string,
  radius = 0,
): string =>
  `<rect class="${className}" x="${px(x)}" y="${px(y)}" width="${px(Math.max(0, width))}" height="${px(Math.max(0, height))}"${radius === 0 ? "" : ` rx="${radius}"`}/>`;

export const path = (className: string, d: string): string =>
  `<path class="${className}" d="${d}"/>`;

export const line = (x1: number, y1: number, x2: number, y2: number, className: string): string =>
  path(className, `M${px(x1)} ${px(y1)}L${px(x2)} ${px(y2)}`);

/** How a contender looks in every chart; told apart by shape and dashes too, not by colour alone. */
interface Look {
  light: string;
  dark: string;
  /** Of its line. */
  dashes: string;
  /** Around a point, so many pixels from the middle to an edge. */
  marker: (x: number, y: number) => string;
  /** Of a contender that runs no application: what it gives is no goal but a bound. */
  isReference?: boolean;
}

const polygon = (...points: [x: number, y: number][]) => {
  return (x: number, y: number): string =>
    `M${points.map(([dx, dy]) => `${px(x + dx)} ${px(y + dy)}`).join("L")}Z`;
};
const circle = (x: number, y: number): string =>
  `M${px(x - 4.2)} ${px(y)}a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0Z`;
const square = polygon([-3.8, -3.8], [3.8, -3.8], [3.8, 3.8], [-3.8, 3.8]);
const triangle = polygon([0, -4.8], [4.6, 3.6], [-4.6, 3.6]);
const downward = polygon([0, 4.8], [4.6, -3.6], [-4.6, -3.6]);
const pentagon = polygon([0, -4.8], [4.6, -1.5], [2.8, 3.9], [-2.8, 3.9], [-4.6, -1.5]);
const diamond = polygon([0, -5.2], [5.2, 0], [0, 5.2], [-5.2, 0]);

export const looks: Record<ContenderName, Look> = {
  production: { light: "#d91a60", dark: "#ff7aa8", dashes: "", marker: circle },
  haproxy: { light: "#0a6fb8", dark: "#5cb8f5", dashes: "", marker: square },
  caddy: { light: "#0f7d5b", dark: "#43cf9b", dashes: "8 3", marker: triangle },
  task6: { light: "#7b3fc4", dark: "#c79cff", dashes: "10 3 2 3", marker: pentagon },
  gunicorn: { light: "#a65f00", dark: "#f0b84e", dashes: "5 3", marker: diamond },
  original: { light: "#4b3f6b", dark: "#e3dcf3", dashes: "2 2.5", marker: downward },
  limit: {
    light: "#6f6688",
    dark: "#a49abb",
    dashes: "8 3 2 3",
    marker: circle,
    isReference: true,
  },
  nginx: { light: "#6f6688", dark: "#a49abb", dashes: "2 4", marker: square, isReference: true },
};

/** By selector: the property, and its colour in light and in dark. */
const colours: [selector: string, property: string, light: string, dark: string][] = [
  [".ground", "fill", "#ffffff", "#211936"],
  ["text", "fill", "#2a2140", "#f1ecfb"],
  [".muted", "fill", "#635d78", "#b4abc9"],
  [".panel", "fill", "#f6f3fc", "#1a1229"],
  [".grid", "stroke", "#ddd5ec", "#3b3055"],
  [".axis", "stroke", "#8b82a3", "#7d7396"],
  [".rule", "stroke", "#e6dff5", "#3b3055"],
  [".leader", "stroke", "#a79dbd", "#7d7396"],
  [".whisker", "stroke", "#2a2140", "#f1ecfb"],
  [".whisker-halo", "stroke", "#ffffff", "#211936"],
  [".hollow", "fill", "#f6f3fc", "#1a1229"],
  ...Object.entries(looks).flatMap(([name, { light, dark }]): typeof colours => [
    [`.by-${name}`, "fill", light, dark],
    [`.of-${name}`, "stroke", light, dark],
  ]),
];

const rules = (theme: 2 | 3): string =>
  colours.map((colour) => `.chart ${colour[0]} { ${colour[1]}: ${colour[theme]}; }`).join("\n");

/** What the charts are styled with; each that stands alone has it in it. */
export const chartStyle = `
.chart { font-family: "Avenir Next", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: ${sizes.usual}px; font-variant-numeric: tabular-nums; }
.chart .title { font-size: ${sizes.title}px; font-weight: 700; }
.chart .heading { font-size: ${sizes.heading}px; font-weight: 600; }
.chart .small { font-size: ${sizes.small}px; }
.chart .strong { font-weight: 700; }
.chart .grid, .chart .axis, .chart .rule, .chart .whisker, .chart .whisker-halo, .chart .leader { fill: none; stroke-width: 1; }
.chart .leader { stroke-dasharray: 1 2.5; stroke-linecap: round; }
.chart .whisker { stroke-width: 1.3; }
.chart .whisker-halo { stroke-width: 3.5; }
.chart .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.chart .curve.of-production { stroke-width: 3; }
.chart .mark { stroke-width: 1.5; }
.chart .bar-reference { fill-opacity: 0.3; stroke-width: 1; }
${rules(2)}
@media screen and (prefers-color-scheme: dark) {
${rules(3)}
}
`;

/**
 * Moves labels apart, each as little as can be: those that would touch become a block around the
 * middle of their places.
 * @param places In order, in pixels.
 * @param gap The least from one to the next.
 * @returns Places in the same order, within the bounds as long as there is room for all.
 */
export function spreadApart(
  places: readonly number[],
  gap: number,
  bounds: { least: number; most: number },
): number[] {
  const blocks: { places: number[]; top: number }[] = [];
  for (const place of places) {
    let block = { places: [place], top: place };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.top + last.places.length * gap <= block.top) break;
      blocks.pop();
      const all = [...last.places, ...block.places];
      const tops = all.map((one, index) => one - index * gap);
      const mean = tops.reduce((sum, one) => sum + one, 0) / all.length;
      block = { places: all, top: mean };
    }
    const most = bounds.most - (block.places.length - 1) * gap;
    blocks.push({ ...block, top: Math.max(bounds.least, Math.min(most, block.top)) });
  }
  const spread = blocks.flatMap(({ places: all, top }) => all.map((_, index) => top + index * gap));
  // A block that was pushed back from a bound may have come upon the one before it
  for (let at = spread.length - 2; at >= 0; at--) {
    spread[at] = Math.min(spread[at] ?? 0, (spread[at + 1] ?? 0) - gap);
  }
  return spread;
}

/** @returns 1, 2 and 5 times the powers of ten, from the last one below some figures to the first above. */
export function logTicks(least: number, most: number): number[] {
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(least)) - 1; power <= Math.log10(most) + 1; power++) {
    for (const factor of [1, 2, 5]) all.push(Number(`${factor}e${power}`));
  }
  const from = all.findLastIndex((tick) => tick <= least);
  const to = all.findIndex((tick) => tick >= most);
  return all.slice(from, Math.max(to, from + 1) + 1);
}
