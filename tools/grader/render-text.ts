import pc from "picocolors";
import type { TaskReport } from "./messages";
import type { Point } from "./point";
import { colors, isConsequence, marks, placeOf, scoreLine, unjudged } from "./score";

/** @returns The report for a terminal or a pipe: for each task its points, causes and score. */
export function renderText(tasks: readonly TaskReport[]): string {
  const blocks = tasks.map(({ task, source, points, seconds }) => {
    const heading = pc.bold(`${task}  ${source.replace(/^\d\. /, "")}`);
    const causes = points
      .filter((point) => point.verdict !== "pass" && point.cause && !isConsequence(point))
      .map((point) => `\n${renderCause(point)}`);
    const score = `  ${scoreLine(points)} (${seconds} s)`;
    return [heading, ...points.map(renderPoint), ...causes, "", score].join("\n");
  });
  const all = tasks.flatMap(({ points }) => points);
  const { length } = unjudged(all);
  const rest = `${length} point${length === 1 ? "" : "s"} could not be judged on this machine.\n`;
  const total = `${pc.bold("In total")}: ${scoreLine(all)}\n`;
  return `${blocks.join("\n\n")}\n\n${total}${length === 0 ? "" : rest}`;
}

function renderPoint({ verdict, title, cause }: Point): string {
  const observed = verdict === "pass" && cause ? ` (${cause})` : "";
  return `  ${colors[verdict](marks[verdict])} ${title}${observed}`;
}

/** @returns Two lines on a point that does not hold: why, where, and what to do. */
export function renderCause(point: Point): string {
  const { verdict, id, title, cause, hint } = point;
  const place = placeOf(point);
  const label = colors[verdict](`${marks[verdict]} ${id}`);
  return `  ${label}: ${cause ?? title}${place ? ` (${place})` : ""}${hint ? `\n    ${hint}` : ""}`;
}
