import pc from "picocolors";
import { align, decimal, formatDate, whole } from "../lib/format";
import { sum } from "../lib/stats";
import { failures } from "./failures";
import {
  comparedConnections,
  contenderIn,
  describeRounds,
  growthOf,
  millis,
  p99Of,
  rateOf,
  ratio,
  samplesOf,
  times,
} from "./figures";
import type { BenchReport, ContenderReport, SoakReport } from "./report";

/** @returns The report for a terminal or a pipe; its table is at most 100 columns wide. */
export function renderText(report: BenchReport): string {
  const problems = failures(report);
  const end = problems.length === 0 ? pc.green("nothing failed") : pc.red("failed");
  return [
    pc.bold(`Side by side: 2 servers, ${comparedConnections} connections`),
    ...renderTable(report),
    pc.dim(`  ${describeRounds(report)}, at most ${spreadOf(report)} apart`),
    pc.dim("  conn.: requests/s over so many connections; µs/req: CPU time for a request;"),
    pc.dim("  memory: of all containers, under load"),
    "",
    ...renderChecks(report),
    "",
    end,
    ...problems.map((problem) => pc.red(`  ${problem}`)),
    "",
    ...report.contenders.map(({ title, about, versions }) => `${title}: ${about} (${versions})`),
    `${report.machine}, ${formatDate(report.date)}`,
    "",
  ].join("\n");
}

function renderTable(report: BenchReport): string[] {
  const points = report.contenders.flatMap(({ load }) => load);
  const connections = [...new Set(points.map((point) => point.connections))]
    .filter((count) => count !== comparedConnections)
    .sort((a, b) => a - b);
  const original = rateOf(contenderIn(report, "original"));
  const limit = rateOf(contenderIn(report, "limit"));
  const rows = report.contenders.map((contender) => [
    contender.title,
    whole(rateOf(contender)),
    times(ratio(rateOf(contender), original)),
    times(ratio(rateOf(contender), limit)),
    millis(p99Of(contender)),
    ...connections.map((count) => whole(rateOf(contender, count))),
    costOf(contender),
    memoryOf(contender),
  ]);
  const rates = connections.map((count) => `${count} conn.`);
  const columns = ["", "requests/s", "× original", "× limit", "p99", ...rates];
  const [header = "", ...lines] = align([[...columns, "µs/req", "memory"], ...rows]);
  return [pc.dim(header), ...lines];
}

/** How far the rounds are apart at most: (max − min) ÷ median. */
function spreadOf({ contenders }: BenchReport): string {
  const spreads = contenders.map((contender) => {
    const rates = samplesOf(contender).map(({ perSecond }) => perSecond);
    return ratio(Math.max(...rates) - Math.min(...rates), rateOf(contender)) ?? 0;
  });
  return `${whole(Math.max(...spreads) * 100)} %`;
}

const memoryOf = ({ busy }: ContenderReport): string =>
  `${decimal(sum(busy.map(({ megabytes }) => megabytes)), 1)} MB`;

/** Microseconds of CPU time for a request, by the rate of the round in which the usage was read. */
function costOf(contender: ContenderReport): string {
  const cores = sum(contender.busy.map((usage) => usage.cores));
  return whole(ratio(cores * 1e6, samplesOf(contender)[0]?.perSecond));
}

function renderChecks({ rotation, soak }: BenchReport): string[] {
  const exact = rotation.filter(({ difference }) => difference <= 1);
  const counted = `rotation: exact in ${exact.length} of ${rotation.length} counts`;
  return [
    ...(rotation.length > 0 ? [counted] : []),
    ...(soak === undefined ? [] : [describeSoak(soak)]),
  ];
}

function describeSoak(soak: SoakReport): string {
  const growths = growthOf(soak).map(({ service, early, late, grows }) => {
    const memory = `${service} ${decimal(early, 1)} → ${decimal(late, 1)} MB`;
    return grows ? pc.red(`${memory} (grows)`) : memory;
  });
  const requests = `${whole(soak.requests)} requests, ${whole(soak.failed)} failed`;
  return [`soak of ${soak.seconds} s: ${requests}`, ...growths].join("; ");
}
