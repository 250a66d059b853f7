import { formatDate } from "../lib/page";
import { escapeXml, textWidth, wrap } from "../lib/svg";
import { describeBars, drawBars } from "./chart-bars";
import { describeCurves, drawCurves, hasCurves } from "./chart-curves";
import { chartStyle, type Drawn, line, type Room, rect, sizes, text } from "./chart-svg";
import { compared, plural } from "./figures";
import type { BenchReport } from "./report";
import { settingsOf } from "./table";

export interface Drawing {
  /** Told apart from other charts on the same page. */
  id?: string;
  /** Of the chart, in pixels; letters keep their size. Below 632, its parts are under one another. */
  width?: number;
  /** For a page that has `chartStyle` and says in words what was measured, and where. */
  embedded?: boolean;
}

interface Part {
  title: string;
  draw(report: BenchReport, room: Room, top: number): Drawn;
  describe(report: BenchReport): string;
}

const bars: Part = {
  title: `Requests per second and latency, ${plural(compared.servers, "server")}, ${plural(compared.connections, "connection")}`,
  draw: drawBars,
  describe: describeBars,
};

const curves: Part = {
  title: "Requests per second over servers and connections",
  draw: drawCurves,
  describe: describeCurves,
};

/**
 * Draws what everybody serves with two servers and 32 connections: requests per second, and beside
 * them the latency of the slowest hundredth, each with how many times the original's it is.
 * @returns SVG that needs no other file and no script. Whatever the report says is text in it.
 */
export const renderBars = (report: BenchReport, drawing: Drawing = {}): string =>
  render(report, [bars], bars.title, { id: "bars", ...drawing });

/**
 * Draws requests per second over servers and over connections, a line for each contender.
 * @returns SVG, as {@link renderBars} does.
 */
export const renderCurves = (report: BenchReport, drawing: Drawing = {}): string =>
  render(report, [curves], curves.title, { id: "curves", ...drawing });

/**
 * Draws all there is to see in one picture.
 * @returns SVG, as {@link renderBars} does.
 */
export const renderCharts = (report: BenchReport, drawing: Drawing = {}): string =>
  render(report, hasCurves(report) ? [bars, curves] : [bars], "production side by side", {
    id: "charts",
    ...drawing,
  });

const margin = 16;

function render(
  report: BenchReport,
  parts: readonly Part[],
  title: string,
  { id = "chart", width = 960, embedded = false }: Drawing,
): string {
  const room = embedded ? { left: 1, right: width - 1 } : { left: margin, right: width - margin };
  const header = embedded ? { svg: [], bottom: 0 } : drawHeader(title, parts, room);
  const svg = [...header.svg];
  let y = header.bottom;
  for (const [index, part] of parts.entries()) {
    if (index > 0) {
      svg.push(line(room.left, y + 18, room.right, y + 18, "rule"));
      y += 36;
    }
    const drawn = part.draw(report, room, y);
    svg.push(...drawn.svg);
    y = drawn.bottom;
  }
  const print = embedded ? [] : smallPrint(report, room);
  svg.push(...print.map((words, at) => text(room.left, y + 26 + at * 16, words, "small muted")));
  const height = Math.ceil(y + (embedded ? 4 : 24 + print.length * 16));
  const size = embedded ? "" : `width="${width}" height="${height}" `;
  const ground = embedded
    ? ""
    : `<style>${chartStyle}</style>\n${rect(0, 0, width, height, "ground")}\n`;
  const told = [...parts.map((part) => part.describe(report)), ...smallPrint(report, undefined)];
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" ${size}role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${escapeXml(title)}</title>
<desc id="${id}-desc">${escapeXml(told.join(" "))}</desc>
${ground}${svg.join("\n")}
</svg>
`;
}

function drawHeader(title: string, parts: readonly Part[], room: Room): Drawn {
  const svg: string[] = [];
  let y = 18;
  // Bold letters are a little wider
  for (const words of wrap(title, (room.right - room.left) / 1.05, sizes.title)) {
    y += 18;
    svg.push(text(room.left, y, words, "title"));
    y += 6;
  }
  const [first] = parts;
  if (first !== undefined && first.title !== title) {
    for (const words of wrap(first.title, room.right - room.left, sizes.heading)) {
      y += 17;
      svg.push(text(room.left, y, words, "muted"));
    }
  }
  return { svg, bottom: y + 16 };
}

/** Where and when, without which no figure means anything. */
function smallPrint(report: BenchReport, room: Room | undefined): string[] {
  const { machine, date, settings } = report;
  const kind = settings.quick ? "quick run, " : "";
  const words = `${machine} · ${formatDate(date)} · ${kind}${settingsOf(report)}`;
  if (room === undefined) return [`${words}.`];
  return textWidth(words, sizes.small) <= room.right - room.left
    ? [words]
    : wrap(words, room.right - room.left, sizes.small);
}
