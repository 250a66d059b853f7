import { visible } from "../../lib/format";
import { tasks } from "../repository";
import { tally } from "../score";
import { failingOf, type Member, pointsOf } from "./member";

/**
 * Makes one cell of text: in quotes, on one line, and with an apostrophe wherever a spreadsheet would
 * begin a formula, at the text's start or, should it split cells at another separator, after that.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvText(text: string): string {
  const line = visible(text.replace(/\s+/g, " ")).trim();
  const inert = line.replace(/(^|[,;|])(["'\s]*)(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g, "$1'$2");
  return `"${inert.replaceAll('"', '""')}"`;
}

/**
 * @returns The class as CSV (RFC 4180), one line a repository. It begins with a byte order mark,
 *   without which Excel does not read UTF-8.
 */
export function renderCsv(members: readonly Member[]): string {
  const header = `repository points hold deviate fail skipped ${tasks.join(" ")} failing problem graded report`;
  const lines = members.map((member) => {
    const points = pointsOf(member);
    const { pass, deviation, fail, skipped } = tally(points);
    const totals = [points.length, pass, deviation, fail, skipped];
    const isGraded = member.tasks !== undefined;
    return [
      csvText(member.name),
      ...totals.map((total) => (isGraded ? total : undefined)),
      ...tasks.map((task) => {
        const report = member.tasks?.find((report) => report.task === task);
        return report && tally(report.points).pass;
      }),
      csvText(failingOf(member).join(" ")),
      csvText(member.problem ?? ""),
      csvText(member.graded?.toISOString() ?? ""),
      csvText(isGraded ? `${member.output}/report.html` : ""),
    ].join(",");
  });
  return `\uFEFF${[header.replaceAll(" ", ","), ...lines, ""].join("\r\n")}`;
}
