import pc from "picocolors";
import type { TaskReport } from "./messages";
import type { Point, Verdict } from "./point";

const marks: Record<Verdict, string> = { pass: "✔", deviation: "≈", fail: "✘", skipped: "–" };

const colours: Record<Verdict, (text: string) => string> = {
  pass: pc.green,
  deviation: pc.yellow,
  fail: pc.red,
  skipped: pc.dim,
};

/** A point on one line, for a table or while it goes on. */
export const pointLine = ({ verdict, title, cause }: Point): string =>
  `${colours[verdict](marks[verdict])} ${title}${verdict === "pass" && cause ? ` (${cause})` : ""}`;

/** @returns How many points have a verdict. */
export function tally(points: readonly Point[]): Record<Verdict, number> {
  const counts: Record<Verdict, number> = { pass: 0, deviation: 0, fail: 0, skipped: 0 };
  for (const { verdict } of points) counts[verdict] += 1;
  return counts;
}

/** Such as `12 of 14 hold, 1 deviates, 1 skipped`. */
export function scoreLine(points: readonly Point[]): string {
  const { pass, deviation, fail, skipped } = tally(points);
  const parts = [
    `${pass} of ${points.length} hold`,
    ...(fail > 0 ? [pc.red(`${fail} fail${fail === 1 ? "s" : ""}`)] : []),
    ...(deviation > 0 ? [pc.yellow(`${deviation} deviate${deviation === 1 ? "s" : ""}`)] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return parts.join(", ");
}

/** The report for a terminal or a pipe: a table of points for each task, causes, and the score. */
export function renderText(tasks: readonly TaskReport[]): string {
  const blocks = tasks.map(({ task, source, points, seconds }) => {
    const heading = pc.bold(`${task}  ${source.replace(/^\d\. /, "")}`);
    const notes = points.filter(({ verdict, cause }) => verdict !== "pass" && cause !== undefined);
    const causes = notes
      .filter(({ cause }) => !cause?.startsWith("needs: "))
      .flatMap((point) => ["", ...renderFinding(point)]);
    const table = points.map((point) => `  ${pointLine(point)}`);
    return [heading, ...table, ...causes, "", `  ${scoreLine(points)} (${seconds} s)`].join("\n");
  });
  const all = tasks.flatMap(({ points }) => points);
  return `${blocks.join("\n\n")}\n\n${pc.bold("In total")}: ${scoreLine(all)}\n`;
}

function renderFinding({ verdict, id, cause, hint, file, line }: Point): string[] {
  const place = file === undefined ? "" : ` (${file}${line === undefined ? "" : `:${line}`})`;
  return [
    `  ${colours[verdict](`${marks[verdict]} ${id}`)}: ${cause}${place}`,
    ...(hint === undefined ? [] : [`    ${hint}`]),
  ];
}
