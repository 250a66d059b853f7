import pc from "picocolors";
import { align, whole } from "../lib/format";
import { sum } from "../lib/stats";
import type { CaseReport, LabReport, Target } from "./report";

const seconds = (value: number): string => `${value.toFixed(1)} s`;

const headers = [
  "fault",
  "sent",
  "lost",
  "rejected",
  "p99",
  "worst",
  "≥ 400 ms",
  "in flight",
  "balanced",
];

function cellsOf(report: CaseReport): string[] {
  const { name, sent, lost, turnedAway, p99Ms, worstMs, evenAfterS, shares } = report;
  const unbalanced = shares.length === 0 ? "–" : "never";
  const balanced = evenAfterS === null ? unbalanced : seconds(evenAfterS);
  const times = [p99Ms, worstMs].map((ms) => `${whole(ms)} ms`);
  const counts = [report.over400Ms, report.maxInFlight].map(whole);
  return [name, ...[sent, lost, turnedAway].map(whole), ...times, ...counts, balanced];
}

const explainMissed: Record<keyof Target, (limit?: number) => string> = {
  p99Ms: (limit) => `p99 above ${limit} ms`,
  worstMs: (limit) => `slower than ${limit} ms`,
  over400Ms: (limit) => `more than ${limit} requests took 400 ms`,
  evenS: (limit) => `not balanced within ${limit} s`,
  turnedAwayMs: (limit) => `rejected after more than ${limit} ms`,
  servedAgainS: (limit) => `not served again within ${limit} s`,
};

function failuresOf({ lost, missed, target }: CaseReport): string[] {
  const failures = missed.map((key) => explainMissed[key](target[key]));
  return lost > 0 ? ["requests lost", ...failures] : failures;
}

/** The report for a terminal or a pipe: a table, the servers' shares, and what was lost. */
export function renderText({ stack, rounds, rate, cases }: LabReport): string {
  const load = `${whole(rate)} requests per second`;
  const heading = `${stack}, ${load}${rounds === 1 ? "" : `, ${rounds} rounds`}`;
  const [head, ...body] = align([headers, ...cases.map(cellsOf)]);
  const table = cases.map(
    (report, index) => `${body[index]}  ${failuresOf(report).length > 0 ? pc.red("✘") : "✔"}`,
  );
  const lost = sum(cases.map((report) => report.lost));
  const sent = sum(cases.map((report) => report.sent));
  const total = lost === 0 ? pc.green("nothing lost") : pc.red(`${whole(lost)} lost`);
  const late = (key: keyof CaseReport["lateness"]): string =>
    `${whole(Math.max(...cases.map(({ lateness }) => lateness[key])))} ms`;
  const clock = `the load's own delay: p99 ${late("p99Ms")}, worst ${late("worstMs")}`;
  const lines = [pc.bold(heading), "", head, ...table, "", ...cases.flatMap(detailsOf), clock];
  return `${lines.join("\n")}\n${total} of ${whole(sent)} requests\n`;
}

function detailsOf(report: CaseReport): string[] {
  const { name, lost, shares, slowestTurnedAwayMs, servedAgainS, lostExamples } = report;
  const failures = failuresOf(report).join(", ");
  const lines = [
    failures === "" ? "" : pc.red(`✘ ${failures}`),
    shares.map(({ server, answers }) => `${server} ${whole(answers)}`).join(", "),
  ];
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
