import pc from "picocolors";
import { align, whole } from "../lib/format";
import { sum } from "../lib/stats";
import type { CaseReport, LabReport, Target } from "./report";

const seconds = (value: number): string => `${value.toFixed(1)} s`;

const headers = ["fault", "sent", "lost", "rejected", "p99", "worst", "balanced after"];

function cellsOf(report: CaseReport): string[] {
  const { name, sent, lost, turnedAway, p99Ms, worstMs, evenAfterS, shares } = report;
  const unbalanced = shares.length === 0 ? "–" : "never";
  const balanced = evenAfterS === null ? unbalanced : seconds(evenAfterS);
  const counts = [sent, lost, turnedAway].map(whole);
  return [name, ...counts, `${p99Ms} ms`, `${whole(worstMs)} ms`, balanced];
}

const explainMissed: Record<keyof Target, (limit?: number) => string> = {
  worstMs: (limit) => `slower than ${limit} ms`,
  evenS: (limit) => `not balanced within ${limit} s`,
  turnedAwayMs: (limit) => `rejected after more than ${limit} ms`,
  servedAgainS: (limit) => `not served again within ${limit} s`,
};

function verdictOf({ lost, missed, target }: CaseReport): string {
  const failures = missed.map((key) => explainMissed[key](target[key]));
  if (lost > 0) failures.unshift("requests lost");
  return failures.length === 0 ? "✔" : pc.red(`✘ ${failures.join(", ")}`);
}

/** The report for a terminal or a pipe: a table, the servers' shares, and what was lost. */
export function renderText({ stack, rounds, connections, cases }: LabReport): string {
  const heading = `${stack}, ${connections} connections${rounds === 1 ? "" : `, ${rounds} rounds`}`;
  const [head, ...body] = align([headers, ...cases.map(cellsOf)]);
  const table = cases.map((report, index) => `${body[index]}  ${verdictOf(report)}`);
  const lost = sum(cases.map((report) => report.lost));
  const sent = sum(cases.map((report) => report.sent));
  const total = lost === 0 ? pc.green("nothing lost") : pc.red(`${whole(lost)} lost`);
  const lines = [pc.bold(heading), "", head, ...table, "", ...cases.flatMap(detailsOf)];
  return `${lines.join("\n")}\n${total} of ${whole(sent)} requests\n`;
}

function detailsOf(report: CaseReport): string[] {
  const { name, lost, shares, slowestTurnedAwayMs, servedAgainS, lostExamples } = report;
  const lines = [shares.map(({ server, answers }) => `${server} ${whole(answers)}`).join(", ")];
  if (slowestTurnedAwayMs !== undefined) lines.push(`slowest rejection: ${slowestTurnedAwayMs} ms`);
  if (servedAgainS !== undefined) {
    lines.push(`served again ${seconds(servedAgainS)} after the first server was started`);
  }
  for (const { atS, path, reason } of lostExamples) {
    lines.push(`lost at ${atS.toFixed(3)} s: ${path} ${reason}`);
  }
  if (lost > lostExamples.length) lines.push(`and ${whole(lost - lostExamples.length)} more`);
  const details = lines.filter((line) => line !== "").map((line) => `    ${line}`);
  return details.length === 0 ? [] : [`  ${pc.bold(name)}`, ...details, ""];
}
