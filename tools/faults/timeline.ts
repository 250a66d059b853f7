import { formatDate } from "../lib/page";
import { escapeXml, px, shorten, textWidth, wrap } from "../lib/svg";
import type { Bucket } from "./measure";
import type { CaseReport, LabReport } from "./report";
import { describeTarget, verdictOf, whole } from "./report-text";
import { numberMarks, placeLabels, roundUp, ticks } from "./timeline-layout";

/** What a picture says of where it was made. */
export type Origin = Pick<LabReport, "stack" | "machine" | "date" | "connections">;

export interface Drawing {
  /** Told apart from other pictures on the same page. */
  id?: string;
  /** Of the picture, in pixels; letters keep their size. */
  width?: number;
  /** For a page that has {@link timelineStyle} and says in words what was done, and where. */
  embedded?: boolean;
}

/** Sizes of the font. */
const small = 12;
const usual = 13;
const large = 20;

/** Pixels. */
const margin = { left: 50, right: 16 };
const heights = { requests: 150, latency: 100, shares: 120 };
const row = 17;
/** The least that a lost request is high. */
const leastLost = 4;

/** Servers have one of these colours, and past them one with stripes. */
const bands = ["#56b4e9", "#e69f00", "#2bb58a", "#f0e442", "#d68fb8", "#8d9bf0"];
const stripes = ["", "slanted", "upright"];

/** By class: the property, and its colour in light and in dark. */
const colours: [selector: string, property: string, light: string, dark: string][] = [
  [".ground", "fill", "#ffffff", "#211936"],
  ["text", "fill", "#2a2140", "#f1ecfb"],
  ["text.muted", "fill", "#635d78", "#b4abc9"],
  [".bad", "fill", "#b8003c", "#ff8da6"],
  [".panel", "fill", "#f6f3fc", "#1a1229"],
  [".grid", "stroke", "#ddd5ec", "#3b3055"],
  [".axis", "stroke", "#8b82a3", "#7d7396"],
  [".served", "fill", "#a48ff0", "#7460c9"],
  [".turned-away", "fill", "#e8a200", "#f0b429"],
  [".lost", "fill", "#d4003c", "#ff3b62"],
  [".lost-mark", "fill", "#d4003c", "#ff3b62"],
  [".latency", "stroke", "#5a2fc2", "#c0a6ff"],
  [".latency-area", "fill", "#5a2fc2", "#c0a6ff"],
  [".target", "stroke", "#0f6b40", "#5ed39b"],
  ["text.on-target", "fill", "#0f6b40", "#5ed39b"],
  [".fault", "fill", "#2a2140", "#ffffff"],
  [".event", "stroke", "#2a2140", "#f1ecfb"],
  [".event-mark", "fill", "#2a2140", "#f1ecfb"],
  ["text.event-number", "fill", "#ffffff", "#211936"],
  [".veil", "fill", "#f6f3fc", "#1a1229"],
  ["text.halo", "stroke", "#f6f3fc", "#1a1229"],
];

const rules = (theme: 2 | 3): string =>
  colours.map((colour) => `.timeline ${colour[0]} { ${colour[1]}: ${colour[theme]}; }`).join("\n");

/** What {@link renderTimeline} is styled with; each picture that stands alone has it in it. */
export const timelineStyle = `
.timeline { font-family: "Avenir Next", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: ${small}px; font-variant-numeric: tabular-nums; }
.timeline .title { font-size: ${large}px; font-weight: 700; }
.timeline .about, .timeline .result { font-size: 14px; }
.timeline .heading { font-size: ${usual}px; font-weight: 600; }
.timeline .bad, .timeline .lost-count { font-weight: 700; }
.timeline .grid, .timeline .axis, .timeline .event, .timeline .target { fill: none; stroke-width: 1; vector-effect: non-scaling-stroke; }
.timeline .area, .timeline .panel, .timeline .fault { shape-rendering: crispEdges; }
.timeline .target { stroke-width: 1.2; stroke-dasharray: 6 3; }
.timeline .latency { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.timeline .latency-area { fill-opacity: 0.16; }
.timeline .fault { fill-opacity: 0.1; }
.timeline .none { fill-opacity: 0.3; }
.timeline .veil { fill-opacity: 0.6; }
.timeline .crowded { stroke-opacity: 0.45; }
.timeline .event-number { font-weight: 600; }
.timeline .halo { paint-order: stroke; stroke-width: 3px; stroke-linejoin: round; }
.timeline .stripe { stroke: #1b1430; stroke-opacity: 0.45; stroke-width: 1.5; }
${bands.map((colour, index) => `.timeline .share-${index} { fill: ${colour}; }`).join("\n")}
${rules(2)}
.timeline text.on-band { fill: #1b1430; font-weight: 600; }
@media screen and (prefers-color-scheme: dark) {
${rules(3)}
.timeline .fault { fill-opacity: 0.16; }
.timeline text.on-band { fill: #1b1430; }
}
`;

const tenths = (value: number): string => value.toFixed(1);

function text(
  x: number,
  y: number,
  content: string,
  className = "",
  anchor: "start" | "middle" | "end" = "start",
): string {
  const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  const classed = className === "" ? "" : ` class="${className}"`;
  return `<text x="${px(x)}" y="${px(y)}"${classed}${anchored}>${escapeXml(content)}</text>`;
}

const rect = (x: number, y: number, width: number, height: number, rest: string): string =>
  `<rect x="${px(x)}" y="${px(y)}" width="${px(Math.max(0, width))}" height="${px(Math.max(0, height))}" ${rest}/>`;

const line = (x1: number, y1: number, x2: number, y2: number, className: string): string =>
  `<path class="${className}" d="M${px(x1)} ${px(y1)}L${px(x2)} ${px(y2)}"/>`;

/** Where things are, from left to right. */
interface Frame {
  one: CaseReport;
  id: string;
  left: number;
  right: number;
  endS: number;
  xOf(seconds: number): number;
}

/** Something drawn, and where it ends. */
interface Drawn {
  svg: string[];
  bottom: number;
}

/**
 * Draws what became of the requests of one case: how many, how fast, and who answered them.
 * @returns SVG that needs no other file and no script. Whatever the report says is text in it.
 */
export function renderTimeline(
  one: CaseReport,
  origin: Origin,
  { id = "timeline", width = 960, embedded = false }: Drawing = {},
): string {
  const { bucketS, buckets, fault, events } = one;
  const ends = [bucketS * buckets.length, fault.toS, ...events.map(({ atS }) => atS)];
  const endS = Math.max(...ends) || 1;
  const left = margin.left;
  const right = width - margin.right;
  const xOf = (seconds: number): number => left + ((right - left) * seconds) / endS;
  const frame: Frame = { one, id, left, right, endS, xOf };

  const header = embedded ? { svg: [], bottom: 4 } : drawHeader(frame, origin, width);
  const requests = drawRequests(frame, header.bottom + 18);
  const latency = drawLatency(frame, requests.bottom + 38);
  const shares = drawShares(frame, latency.bottom + 32);
  const axis = drawTimeAxis(frame, shares.bottom);
  const list = drawEventList(frame, requests.numbered, axis.bottom);
  const print = embedded ? [] : smallPrint(origin, width);
  const printed = print.map((words, index) =>
    text(margin.right, list.bottom + 22 + index * 16, words, "muted"),
  );
  const height = Math.ceil(list.bottom + (embedded ? 4 : 18 + print.length * 16));
  return `<svg xmlns="http://www.w3.org/2000/svg" class="timeline" viewBox="0 0 ${width} ${height}" ${embedded ? "" : `width="${width}" height="${height}" `}role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${escapeXml(titleOf(one, origin))}</title>
<desc id="${id}-desc">${escapeXml(describe(one))}</desc>
${embedded ? "" : `<style>${timelineStyle}</style>\n${rect(0, 0, width, height, 'class="ground"')}\n`}<defs>
<pattern id="${id}-slanted" width="6" height="6" patternUnits="userSpaceOnUse"><path class="stripe" d="M-1 1L1 -1M-1 7L7 -1M5 7L7 5"/></pattern>
<pattern id="${id}-upright" width="5" height="5" patternUnits="userSpaceOnUse"><path class="stripe" d="M2.5 0V5"/></pattern>
</defs>
${[header, requests, latency, shares, axis, list].flatMap(({ svg }) => svg).join("\n")}
${printed.join("\n")}
</svg>
`;
}

const titleOf = ({ name, round }: CaseReport, { stack }: Pick<LabReport, "stack">): string =>
  `${stack}: ${name}${round > 1 ? `, round ${round}` : ""}`;

/** When all servers shared evenly, in words. */
function evenness({ evenAfterS, shares }: CaseReport): string {
  if (evenAfterS !== null) return `even again after ${tenths(evenAfterS)} s`;
  return shares.length === 0 ? "evenness not known" : "never even again";
}

/** A part of the result, and whether it is a bad one. */
interface Finding {
  text: string;
  isBad: boolean;
}

/** The result of a case, part by part. */
export function findingsOf(one: CaseReport): Finding[] {
  const { sent, lost, turnedAway, worstMs, p99Ms, missed } = one;
  return [
    { text: `${whole(sent)} ${sent === 1 ? "request" : "requests"} sent`, isBad: false },
    { text: `${whole(lost)} lost`, isBad: lost > 0 },
    ...(turnedAway > 0 ? [{ text: `${whole(turnedAway)} turned away`, isBad: false }] : []),
    {
      text: `worst latency ${whole(worstMs)} ms (99 %: ${whole(p99Ms)} ms)`,
      isBad: missed.includes("worstMs"),
    },
    { text: evenness(one), isBad: missed.includes("evenS") },
    { text: `${verdictOf(one)} (target: ${describeTarget(one.target)})`, isBad: isBad(one) },
  ];
}

const isBad = ({ lost, missed }: CaseReport): boolean => lost > 0 || missed.length > 0;

/** All that the picture shows, in words. */
function describe(one: CaseReport): string {
  const { about, fault, events, shares } = one;
  const findings = findingsOf(one).map((finding) => finding.text);
  const told = events.map(({ atS, label }) => `at ${tenths(atS)} s: ${label}`);
  const answers = shares.map(({ server, answers }) => `${server} ${whole(answers)}`);
  return [
    `${about}.`,
    `The fault lasted from ${tenths(fault.fromS)} s to ${tenths(fault.toS)} s.`,
    `${findings.join("; ")}.`,
    ...(told.length === 0 ? [] : [`Events: ${told.join("; ")}.`]),
    `API answers by server: ${answers.length === 0 ? "not known" : answers.join(", ")}.`,
  ].join(" ");
}

function drawHeader({ one }: Frame, origin: Origin, width: number): Drawn {
  const left = margin.right;
  const room = width - 2 * left;
  const svg: string[] = [];
  let y = 14;
  // Bold letters are a little wider
  for (const words of wrap(titleOf(one, origin), room / 1.1, large)) {
    y += 20;
    svg.push(text(left, y, words, "title"));
    y += 4;
  }
  for (const words of wrap(one.about, room, 14)) {
    y += 19;
    svg.push(text(left, y, words, "about muted"));
  }
  y += 5;
  for (const findings of linesOf(findingsOf(one), room)) {
    y += 19;
    const spans = findings.map(
      (finding) =>
        `<tspan${finding.isBad ? ' class="bad"' : ""}>${escapeXml(finding.text)}</tspan>`,
    );
    svg.push(`<text x="${px(left)}" y="${px(y)}" class="result">${spans.join(separator)}</text>`);
  }
  return { svg, bottom: y + 12 };
}

const separator = " · ";

/** Breaks findings into lines, within one where it is too long by itself. */
function linesOf(findings: readonly Finding[], room: number): Finding[][] {
  const lines: Finding[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const { text, isBad } of findings) {
    for (const part of wrap(text, room / 1.1, 14)) {
      const width = textWidth(part, 14) * (isBad ? 1.1 : 1);
      if (used + width > room) {
        lines.push([]);
        used = 0;
      }
      lines.at(-1)?.push({ text: part, isBad });
      used += width + textWidth(separator, 14);
    }
  }
  return lines;
}

/** Puts things of known width one beside the other, in as many rows as it takes. */
function flow<T extends { width: number }>(
  things: readonly T[],
  left: number,
  right: number,
): { items: (T & { x: number; row: number })[]; rows: number } {
  let x = left;
  let at = 0;
  const items = things.map((thing) => {
    if (x > left && x + thing.width > right) {
      x = left;
      at += 1;
    }
    const item = { ...thing, x, row: at };
    x += thing.width;
    return item;
  });
  return { items, rows: things.length === 0 ? 0 : at + 1 };
}

interface Entry {
  label: string;
  /** Draws what stands for it, 18 by 12. */
  swatch(x: number, y: number): string;
  className?: string;
  /** In full, where the label is cut. */
  full?: string;
}

/** A panel's heading, and beside or below it what its colours mean. */
function drawHeading({ left, right }: Frame, y: number, title: string, legend: Entry[]): Drawn {
  const widthOf = ({ label }: Entry): number => 24 + textWidth(label, small) * 1.05 + 16;
  const entries = legend.map((entry) => ({ ...entry, width: widthOf(entry) }));
  const titleWidth = textWidth(title, usual) * 1.08 + 24;
  const legendWidth = entries.reduce((sum, entry) => sum + entry.width, 0);
  const isBeside = left + titleWidth + legendWidth <= right + 16;
  const { items, rows } = flow(entries, isBeside ? left + titleWidth : left, right + 16);
  const first = isBeside ? y : y + row + 2;
  const svg = items.flatMap((entry) => {
    const base = first + entry.row * row;
    const words = text(entry.x + 24, base, entry.label, entry.className);
    return [
      entry.swatch(entry.x, base - 10),
      entry.full === undefined ? words : `<g><title>${escapeXml(entry.full)}</title>${words}</g>`,
    ];
  });
  const below = isBeside || rows === 0 ? 0 : 2 + rows * row;
  return { svg: [text(left, y, title, "heading"), ...svg], bottom: y + below + 9 };
}

const swatchOf =
  (className: string) =>
  (x: number, y: number): string =>
    rect(x, y, 18, 12, `class="${className}"`);

interface Axis {
  top: number;
  height: number;
  marks: { y: number; text: string }[];
}

/** A panel's ground, grid and numbers. */
function drawPanel({ left, right, endS, xOf }: Frame, { top, height, marks }: Axis): string[] {
  return [
    rect(left, top, right - left, height, 'class="panel"'),
    ...timesOf(left, right, endS).map((s) => line(xOf(s), top, xOf(s), top + height, "grid")),
    ...marks.flatMap((mark) => [
      line(left, mark.y, right, mark.y, "grid"),
      text(left - 7, mark.y + 4, mark.text, "muted", "end"),
    ]),
  ];
}

/** What lies over the data of a panel: the fault, its events, the axis. */
function drawOver({ one, left, right, xOf }: Frame, top: number, height: number): string[] {
  const { fault, events } = one;
  const [from, to] = [xOf(fault.fromS), xOf(fault.toS)];
  // Many lines must not hide the data
  const name = events.length > 12 ? "event crowded" : "event";
  return [
    rect(from, top, Math.max(1, to - from), height, 'class="fault"'),
    ...events.map(({ atS }) => line(xOf(atS), top, xOf(atS), top + height, name)),
    line(left, top + height, right, top + height, "axis"),
  ];
}

const timesOf = (left: number, right: number, endS: number): number[] =>
  ticks(endS, Math.max(2, (right - left) / 65));

/** @returns The outline of an area of steps, from a base up to a height for each bucket. */
function steps({ one, xOf }: Frame, base: number, yOf: (bucket: Bucket) => number): string {
  const parts = [`M${px(xOf(0))} ${px(base)}`];
  let before = px(base);
  for (const bucket of one.buckets) {
    const y = px(yOf(bucket));
    if (y !== before) parts.push(`H${px(xOf(bucket.atS))}V${y}`);
    before = y;
  }
  return `${parts.join("")}H${px(xOf(one.bucketS * one.buckets.length))}V${px(base)}Z`;
}

const area = (className: string, outline: string): string =>
  `<path class="area ${className}" d="${outline}"/>`;

function drawRequests(frame: Frame, y: number): Drawn & { numbered: boolean } {
  const { one, left, right, xOf } = frame;
  const { buckets, bucketS, fault, sent } = one;
  const count = (of: (bucket: Bucket) => number): number =>
    buckets.reduce((sum, bucket) => sum + of(bucket), 0);
  const span = `fault, ${tenths(fault.fromS)} to ${tenths(fault.toS)} s`;
  const away = count((bucket) => bucket.turnedAway);
  const heading = drawHeading(frame, y, "Requests per second", [
    { label: `served ${whole(count(({ served }) => served))}`, swatch: swatchOf("served") },
    ...(away === 0
      ? []
      : [{ label: `turned away ${whole(away)}`, swatch: stripedSwatch(frame, "turned-away") }]),
    {
      label: `lost ${whole(one.lost)}`,
      ...(one.lost > 0 && { className: "bad" }),
      swatch: swatchOf(one.lost > 0 ? "lost" : "lost none"),
    },
    { label: span, swatch: swatchOf("fault") },
  ]);
  const events = drawEventLabels(frame, heading.bottom);

  const top = events.bottom;
  const height = heights.requests;
  const base = top + height;
  const total = ({ served, turnedAway, lost }: Bucket): number => served + turnedAway + lost;
  const busiest = Math.max(0, ...buckets.map(total)) / bucketS;
  const rates = ticks((busiest || 1) * 1.08, 4);
  const most = (busiest || 1) * 1.08;
  const yOf = (requests: number): number => base - (height * requests) / bucketS / most;
  const answered = (bucket: Bucket): number => yOf(bucket.served + bucket.turnedAway);
  const withLost = (bucket: Bucket): number =>
    bucket.lost === 0
      ? answered(bucket)
      : Math.max(top, Math.min(yOf(total(bucket)), answered(bucket) - leastLost));
  const last = buckets.length > 1 ? buckets.at(-1) : undefined;
  const awayOutline = steps(frame, base, answered);
  return {
    svg: [
      ...heading.svg,
      ...drawPanel(frame, {
        ...{ top, height },
        marks: rates.map((rate) => ({ y: yOf(rate * bucketS), text: whole(rate) })),
      }),
      // From the highest to the lowest, so that no seam shows between them
      ...(one.lost === 0 ? [] : [area("lost", steps(frame, base, withLost))]),
      ...(away === 0
        ? []
        : [
            area("turned-away", awayOutline),
            `<path class="area" fill="url(#${frame.id}-slanted)" d="${awayOutline}"/>`,
          ]),
      area(
        "served",
        steps(frame, base, ({ served }) => yOf(served)),
      ),
      // The load ends within the last bucket: it is no rate
      ...(last === undefined
        ? []
        : [
            rect(
              xOf(last.atS),
              top,
              xOf(last.atS + bucketS) - xOf(last.atS),
              height,
              'class="veil"',
            ),
          ]),
      ...drawOver(frame, top, height),
      ...events.svg,
      ...drawLostMarks(frame, base),
      ...(sent === 0
        ? [text((left + right) / 2, top + height / 2, "no requests", "halo", "middle")]
        : []),
    ],
    bottom: base,
    numbered: events.numbered,
  };
}

const stripedSwatch =
  ({ id }: Frame, className: string, pattern = "slanted") =>
  (x: number, y: number): string =>
    rect(x, y, 18, 12, `class="${className}"`) +
    rect(x, y, 18, 12, `fill="url(#${id}-${pattern})"`);

/** Under the axis, so that one of ten thousand is seen as well. */
function drawLostMarks({ one, xOf, right, left }: Frame, base: number): string[] {
  const runs: { fromS: number; toS: number; lost: number }[] = [];
  for (const { atS, lost } of one.buckets) {
    if (lost === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && atS - last.toS < one.bucketS / 2) {
      last.toS = atS + one.bucketS;
      last.lost += lost;
    } else {
      runs.push({ fromS: atS, toS: atS + one.bucketS, lost });
    }
  }
  const marks = runs.map(({ fromS, toS, lost }) => {
    const middle = (xOf(fromS) + xOf(toS)) / 2;
    const from = Math.min(xOf(fromS), middle - 5);
    return { middle, from, to: Math.max(xOf(toS), middle + 5), label: `${whole(lost)} lost` };
  });
  const labels = marks.map(({ from, to, label }, index) => {
    const width = textWidth(label, small) * 1.1 + 8;
    const isAfter = to + width <= (marks[index + 1]?.from ?? right);
    const isBefore = marks.length === 1 && from - width >= left;
    const name = "bad lost-count";
    if (isAfter) return text(to + 4, base + 13, label, name);
    return isBefore ? text(from - 4, base + 13, label, name, "end") : undefined;
  });
  const shapes = marks.map(
    ({ middle, from, to }) =>
      `<path class="lost-mark" d="M${px(middle)} ${px(base + 1)}l5 8H${px(to)}v4H${px(from)}v-4H${px(middle - 5)}Z"/>`,
  );
  // Some numbers without the others would be taken for all; the legend has the sum
  const areAllThere = labels.every((label) => label !== undefined);
  return areAllThere ? [...shapes, ...labels] : shapes;
}

/** Events by time, whatever their order was. */
const inOrder = ({ events }: CaseReport): CaseReport["events"] =>
  events
    .map(({ atS, label }) => ({ atS, label: label.replace(/\s+/g, " ") }))
    .sort((a, b) => a.atS - b.atS);

/** The events' labels above the first panel; or numbers, where there is no room for them. */
function drawEventLabels(
  { one, left, right, xOf }: Frame,
  top: number,
): Drawn & { numbered: boolean } {
  const events = inOrder(one);
  if (events.length === 0) return { svg: [], bottom: top, numbered: false };
  const labels = events.map(({ atS, label }) => ({ x: xOf(atS), text: label }));
  const room = { left, right: right + margin.right - 4, size: small };
  const placed = placeLabels(labels, { ...room, mostRows: 4 });
  if (placed === undefined) {
    const bottom = top + 22;
    const marks = numberMarks(
      labels.map(({ x }) => x),
      room,
    );
    return {
      svg: [
        ...labels.map(({ x }) => line(x, bottom - 4, x, bottom, "event")),
        ...marks.map((mark) => {
          const width = mark.right - mark.left;
          const pill = rect(mark.left, top + 1, width, 17, 'class="event-mark" rx="8.5"');
          const middle = mark.left + width / 2;
          return pill + text(middle, top + 14, mark.text, "event-number", "middle");
        }),
      ],
      bottom,
      numbered: true,
    };
  }
  const rows = Math.max(...placed.map((label) => label.row)) + 1;
  const bottom = top + rows * row + 4;
  return {
    svg: placed.flatMap((label) => {
      const base = bottom - 7 - label.row * row;
      const x = label.anchor === "start" ? label.left : label.right;
      return [
        line(label.x, base - 11, label.x, bottom, "event"),
        text(x, base, label.text, "event-label", label.anchor),
      ];
    }),
    bottom,
    numbered: false,
  };
}

/** What the numbers above the panels stand for. */
function drawEventList({ one, left, right }: Frame, numbered: boolean, top: number): Drawn {
  if (!numbered) return { svg: [], bottom: top };
  const events = inOrder(one);
  const numbers = textWidth(String(events.length), small) + 12;
  const times = textWidth(`${tenths(events.at(-1)?.atS ?? 0)} s`, small) + 12;
  const widths = events.map(({ label }) => textWidth(label, small)).sort((a, b) => a - b);
  // One label that is long does not take the second column from many that are short
  const common = numbers + times + 24 + (widths[Math.floor(widths.length * 0.8)] ?? 0);
  const columns = Math.max(1, Math.min(3, Math.floor((right - left + 24) / common)));
  const column = (right - left + 24) / columns;
  const words = events.map(({ label }) => wrap(label, column - numbers - times - 24, small));
  const perColumn = Math.ceil(events.length / columns);
  const svg: string[] = [];
  let bottom = top;
  for (let start = 0; start < events.length; start += perColumn) {
    const x = left + (start / perColumn) * column;
    let y = top + 16;
    for (const [index, { atS }] of events.slice(start, start + perColumn).entries()) {
      svg.push(text(x + numbers - 12, y, String(start + index + 1), "heading", "end"));
      svg.push(text(x + numbers + times - 12, y, `${tenths(atS)} s`, "muted", "end"));
      for (const part of words[start + index] ?? []) {
        svg.push(text(x + numbers + times, y, part, "event-text"));
        y += row;
      }
      if (words[start + index]?.length === 0) y += row;
    }
    bottom = Math.max(bottom, y - row + 8);
  }
  return { svg, bottom };
}

function drawLatency(frame: Frame, y: number): Drawn {
  const { one, left, right, xOf } = frame;
  const { bucketS, buckets, target } = one;
  const title = `Worst latency in ${whole(bucketS * 1_000)} ms (ms, log scale)`;
  const heading = drawHeading(frame, y, title, []);
  const top = heading.bottom;
  const height = heights.latency;
  const base = top + height;
  const slowest = Math.max(10, target.worstMs, ...buckets.map(({ worstMs }) => worstMs));
  const decades = Math.log10(roundUp(slowest * 1.05));
  const yOf = (ms: number): number => base - (height * Math.log10(Math.max(1, ms))) / decades;
  const marks = Array.from({ length: Math.floor(decades + 1e-9) + 1 }, (_, power) => 10 ** power);
  const hasAnswers = ({ served, turnedAway, lost }: Bucket): boolean =>
    served + turnedAway + lost > 0;
  // Buckets without an answer are gaps
  const runs: Bucket[][] = [];
  for (const [index, bucket] of buckets.entries()) {
    if (!hasAnswers(bucket)) continue;
    const before = buckets[index - 1];
    if (before !== undefined && hasAnswers(before)) runs.at(-1)?.push(bucket);
    else runs.push([bucket]);
  }
  const outlines = runs.map((run) => {
    const path = run.map(({ atS, worstMs }) => `${px(yOf(worstMs))}H${px(xOf(atS + bucketS))}`);
    const from = px(xOf(run[0]?.atS ?? 0));
    return { from, path: `M${from} ${path.join("V")}` };
  });
  const all = outlines.map(({ path }) => path).join("");
  const filled = outlines.map(({ from, path }) => `${path}V${px(base)}H${from}Z`).join("");
  const goal = yOf(target.worstMs);
  return {
    svg: [
      ...heading.svg,
      ...drawPanel(frame, {
        ...{ top, height },
        marks: marks.map((ms) => ({ y: yOf(ms), text: whole(ms) })),
      }),
      ...(all === ""
        ? [text((left + right) / 2, top + height / 2, "no answers", "halo", "middle")]
        : [`<path class="latency-area" d="${filled}"/>`, `<path class="latency" d="${all}"/>`]),
      ...drawOver(frame, top, height),
      line(left, goal, right, goal, "target"),
      text(right - 5, goal + 14, `target ${whole(target.worstMs)} ms`, "on-target halo", "end"),
    ],
    bottom: base,
  };
}

function drawShares(frame: Frame, y: number): Drawn {
  const { one, left, right } = frame;
  const { buckets, shares } = one;
  const numberOf = (index: number): string => String(index + 1);
  const heading = drawHeading(
    frame,
    y,
    "Share of the API's answers by server (%)",
    shares.map(({ server, answers }, index) => {
      const full = `${server.replace(/\s+/g, " ")} ${whole(answers)}`;
      const label = shorten(full, right - left - 40, small);
      const drawn = (x: number, top: number): string =>
        bandSwatch(frame, index)(x, top) +
        text(x + 9, top + 10, numberOf(index), "on-band", "middle");
      return { label, swatch: drawn, ...(label !== full && { full }) };
    }),
  );
  const top = heading.bottom;
  const height = heights.shares;
  const base = top + height;
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
  /** The part of a bucket's answers that is of the servers up to one. */
  const upTo = (bucket: Bucket, index: number): number =>
    sum(bucket.shares.slice(0, index + 1)) / (sum(bucket.shares) || 1);
  const yOf = (part: number): number => base - height * part;
  const isKnown = shares.length > 0;
  const words = isKnown ? "no API answers" : "not known: the answers do not say who served them";
  const lines = wrap(words, right - left - 20, small);
  const isEmpty = !isKnown || buckets.every((bucket) => sum(bucket.shares) === 0);
  return {
    svg: [
      ...heading.svg,
      ...drawPanel(frame, {
        ...{ top, height },
        marks: [0, 25, 50, 75, 100].map((part) => ({ y: yOf(part / 100), text: String(part) })),
      }),
      // As above: each up to the base, the lowest last
      ...shares
        .flatMap((_, index) => {
          const outline = steps(frame, base, (bucket) => yOf(upTo(bucket, index)));
          const pattern = stripes[Math.floor(index / bands.length) % stripes.length];
          const striped = `<path class="area" fill="url(#${frame.id}-${pattern})" d="${outline}"/>`;
          const plain = area(`share-${index % bands.length}`, outline);
          return pattern ? [plain + striped] : [plain];
        })
        .reverse(),
      ...drawOver(frame, top, height),
      ...shares.flatMap((_, index) => drawBandNumber(frame, index, upTo, yOf)),
      ...(isEmpty
        ? lines.map((part, index) =>
            text(
              (left + right) / 2,
              top + height / 2 + index * row,
              part,
              "unknown halo",
              "middle",
            ),
          )
        : []),
    ],
    bottom: base,
  };
}

const bandSwatch = (frame: Frame, index: number): ((x: number, y: number) => string) => {
  const pattern = stripes[Math.floor(index / bands.length) % stripes.length];
  const className = `share-${index % bands.length}`;
  return pattern ? stripedSwatch(frame, className, pattern) : swatchOf(className);
};

/** A server's number where its band is thickest, if it is thick enough anywhere. */
function drawBandNumber(
  { one, xOf }: Frame,
  index: number,
  upTo: (bucket: Bucket, index: number) => number,
  yOf: (part: number) => number,
): string[] {
  const number = String(index + 1);
  const needed = textWidth(number, small) + 6;
  const length = Math.max(1, Math.ceil(needed / (xOf(one.bucketS) - xOf(0))));
  const spans = one.buckets.slice(0, 1 - length || undefined).map((_, from) => {
    const covered = one.buckets.slice(from, from + length);
    const top = Math.max(...covered.map((bucket) => yOf(upTo(bucket, index))));
    const bottom = Math.min(...covered.map((bucket) => yOf(upTo(bucket, index - 1))));
    const middle = xOf((from + length / 2) * one.bucketS);
    const isFree = one.events.every(({ atS }) => Math.abs(xOf(atS) - middle) > needed / 2 + 1);
    return { top, bottom, middle, thickness: isFree ? bottom - top : 0 };
  });
  const thickest = Math.max(0, ...spans.map(({ thickness }) => thickness));
  const alike = spans.filter(({ thickness }) => thickness > thickest - 1);
  const best = alike[Math.floor(alike.length / 2)];
  return best === undefined || best.thickness < 13
    ? []
    : [text(best.middle, (best.top + best.bottom) / 2 + 4, number, "on-band", "middle")];
}

function drawTimeAxis({ left, right, endS, xOf }: Frame, top: number): Drawn {
  return {
    svg: [
      ...timesOf(left, right, endS).flatMap((s) => [
        line(xOf(s), top, xOf(s), top + 4, "axis"),
        text(xOf(s), top + 17, String(s), "muted", "middle"),
      ]),
      text((left + right) / 2, top + 35, "seconds from the start of the load", "", "middle"),
    ],
    bottom: top + 42,
  };
}

function smallPrint({ machine, date, connections }: Origin, width: number): string[] {
  const load = `${connections} ${connections === 1 ? "connection" : "connections"}`;
  return wrap(`${load} · ${machine} · ${formatDate(date)}`, width - 2 * margin.right, small);
}
