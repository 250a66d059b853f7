import pc from "picocolors";
import { formatDate } from "../lib/page";
import { shortNames } from "./figures";
import type { BenchReport } from "./report";
import { describeContender, settingsOf, type Table } from "./table";
import { tablesOf } from "./tables";
import { failures, judgeTargets, type Target } from "./targets";

/** Columns of a terminal. */
const mostWide = 100;
const indent = "  ";
/** Characters; names of services are the only texts that are not ours. */
const mostInCell = 22;

/**
 * The report for a terminal or a pipe.
 * @returns Tables that line up, at most 100 columns wide, then targets and what failed. Colours are
 *   picocolors' to decide, so `NO_COLOR` is respected.
 */
export function renderText(report: BenchReport): string {
  const { machine, date, settings } = report;
  const wrong = failures(report);
  const kind = settings.quick ? "a quick run" : "a full run";
  return [
    ...[pc.bold("production side by side"), ""],
    ...describeContenders(report),
    "",
    ...tablesOf(report).flatMap((table) => [...renderTable(table), ""]),
    ...renderTargets(judgeTargets(report)),
    "",
    ...(wrong.length === 0
      ? [pc.green("nothing failed")]
      : [pc.red("failed"), ...wrong.flatMap((one) => wrapped(one, indent).map(pc.red))]),
    "",
    ...wrapped(`${clean(machine)}`, ""),
    ...wrapped(`${formatDate(date)}, ${kind}, ${settingsOf(report)}`, ""),
    "",
  ].join("\n");
}

/** Who takes part, and with what. */
function describeContenders({ contenders }: BenchReport): string[] {
  const width = Math.max(0, ...contenders.map(({ name }) => shortNames[name].length));
  return contenders.flatMap((one) => {
    const { name: key } = one;
    const hanging = " ".repeat(indent.length + width + 2);
    const lines = wrapped(describeContender(one).join(" "), hanging);
    const name = pc.bold(shortNames[key].padEnd(width));
    const [first = "", ...rest] = lines;
    return [`${indent}${name}  ${first.trimStart()}`.trimEnd(), ...rest];
  });
}

/** One line, without what would move the cursor. */
const clean = (text: string): string => text.replace(/[\p{Cc}\p{Bidi_Control}\s]+/gu, " ").trim();

/** Shortens a text with an ellipsis. */
function shorten(text: string, width: number): string {
  const line = clean(text);
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1)).trimEnd()}…`;
}

/** Breaks a text into lines that begin with some indent. */
function wrapped(text: string, before: string): string[] {
  const room = mostWide - before.length;
  const lines: string[] = [];
  for (const word of clean(text).match(new RegExp(`\\S{1,${room}}`, "g")) ?? []) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.map((line) => before + line);
}

interface Shown {
  text: string;
  paint?: ((text: string) => string) | undefined;
}

/** Pads cells; the first column of words gives way where the table would be too wide. */
function align(rows: Shown[][], isLeft: (at: number) => boolean, flexible = 0): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, at) =>
    Math.max(0, ...rows.map((row) => row[at]?.text.length ?? 0)),
  );
  const all = indent.length + widths.reduce((sum, width) => sum + width + 2, -2);
  widths[flexible] = Math.max(6, (widths[flexible] ?? 0) - Math.max(0, all - mostWide));
  return rows.map((row) => {
    const cells = row.map(({ text, paint = (same: string) => same }, at) => {
      const width = widths[at] ?? 0;
      const fitted = at === flexible ? shorten(text, width) : text;
      return paint(isLeft(at) ? fitted.padEnd(width) : fitted.padStart(width));
    });
    return `${indent}${cells.join("  ")}`;
  });
}

function renderTable({ title, columns, rows, notes }: Table): string[] {
  const shown: Shown[][] = [
    columns.map((column) => ({ text: column.title, paint: pc.dim })),
    ...rows.map((row) =>
      row.map(({ text, isBad, isRepeated }, at) => ({
        text: isRepeated ? "" : shorten(text, at === 0 ? mostWide : mostInCell),
        paint: isBad ? pc.red : undefined,
      })),
    ),
  ];
  return [
    pc.bold(title),
    ...align(shown, (at) => columns[at]?.left === true),
    ...notes.flatMap((note) => wrapped(note, indent).map(pc.dim)),
  ];
}

const marks = { met: "✔", missed: "✘", unknown: "-" };

/** @returns Its mark, as text and as a page show it. */
export const markOf = ({ met }: Target): string =>
  met === undefined ? marks.unknown : met ? marks.met : marks.missed;

function renderTargets(targets: readonly Target[]): string[] {
  const rows = targets.map((target): Shown[] => {
    const paint = target.met === undefined ? pc.dim : target.met ? undefined : pc.red;
    const mark = target.met ? pc.green : paint;
    return [
      { text: markOf(target), paint: mark },
      ...[target.what, target.wanted, target.found].map((text) => ({ text: clean(text), paint })),
    ];
  });
  return [pc.bold(`Targets: ${summarize(targets)}`), ...align(rows, () => true, 3).map(trimEnd)];
}

const trimEnd = (line: string): string => line.trimEnd();

/** Such as `11 of 12 met, 1 not measured`. */
export function summarize(targets: readonly Target[]): string {
  const known = targets.filter(({ met }) => met !== undefined);
  const unknown = targets.length - known.length;
  const met = known.filter((target) => target.met).length;
  return `${met} of ${known.length} met${unknown === 0 ? "" : `, ${unknown} not measured`}`;
}
