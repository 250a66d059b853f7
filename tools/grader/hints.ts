import type { TaskReport } from "./messages";
import type { Point } from "./point";

/** What a report tells about a point, beside its verdict. Each level includes those before it. */
export const hintLevels = ["none", "where", "what"] as const;
export type HintLevel = (typeof hintLevels)[number];

/**
 * Removes what a course does not want to give away, before a report is rendered.
 * @param level `none` keeps the verdict, `where` also the cause, file and line, `what` everything. Why
 *   a point was skipped always stays: it is another point, or the machine, and not a mistake.
 */
export function withhold(reports: readonly TaskReport[], level: HintLevel): TaskReport[] {
  return reports.map((report) => ({
    ...report,
    points: report.points.map((point) => withholdFrom(point, level)),
  }));
}

function withholdFrom(point: Point, level: HintLevel): Point {
  if (level === "what") return point;
  const { id, title, source, verdict, cause } = point;
  if (level === "none") {
    return { id, title, source, verdict, ...(verdict === "skipped" && cause && { cause }) };
  }
  const { hint: _, ...rest } = point;
  return rest;
}
