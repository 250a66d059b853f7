import pc from "picocolors";
import { align, decimal, formatDate, whole } from "../lib/format";
import { median, sum } from "../lib/stats";
import type { ContenderName } from "./contenders";
import { failures } from "./failures";
import {
  compare,
  comparedConnections,
  describeRounds,
  estimate,
  type Figure,
  loadService,
  loadShareOf,
  microsOf,
  millis,
  p99Of,
  rateOf,
  samplesOf,
  type Table,
} from "./figures";
import type { BenchReport, ContenderReport } from "./report";
import { targetsOf, whoIsAhead } from "./targets";

/** @returns The report for a terminal or a pipe; its tables are at most 100 columns wide. */
export function renderText(report: BenchReport): string {
  const problems = failures(report);
  const end = problems.length === 0 ? pc.green("nothing failed") : pc.red("failed");
  const load = `2 servers, ${comparedConnections} connections`;
  return [
    pc.bold(`As shipped, with logs: ${load}`),
    ...renderTable(report, report.contenders),
    "",
    pc.bold(`Without access logs: ${load}`),
    ...renderTable(report, report.withoutLogs),
    pc.dim(`  ${describeRounds(report)}; ±: 95 % interval of the ratio, compared round by round`),
    pc.dim("  conn.: requests/s over so many connections; µs/req: CPU time for a request;"),
    pc.dim(
      "  MB: memory of all containers, under load; load: the generator's share of all CPU time",
    ),
    ...[true, false].flatMap((logs) => renderClock(report, logs)),
    ...renderTargets(report),
    "",
    end,
    ...problems.map((problem) => pc.red(`  ${problem}`)),
    "",
    ...report.contenders.map(({ title, about, versions }) => `${title}: ${about} (${versions})`),
    `${report.machine}, ${formatDate(report.date)}`,
    "",
  ].join("\n");
}

function renderTable({ cores }: BenchReport, table: Table): string[] {
  const points = table.flatMap(({ load }) => load);
  const connections = [...new Set(points.map((point) => point.connections))]
    .filter((count) => count !== comparedConnections)
    .sort((a, b) => a - b);
  const against = (name: ContenderName, other: ContenderName): string =>
    name === other ? "1" : estimate(compare(table, name, other));
  const rows = table.map((contender) => [
    contender.title,
    whole(rateOf(contender)),
    against(contender.name, "original"),
    against(contender.name, "limit"),
    millis(p99Of(contender)),
    ...connections.map((count) => whole(rateOf(contender, count))),
    whole(microsOf(samplesOf(contender))),
    memoryOf(contender),
    percent(loadShareOf(samplesOf(contender), cores)),
  ]);
  const rates = connections.map((count) => `${count} conn.`);
  const columns = ["", "requests/s", "× original", "× limit", "p99", ...rates];
  return withHeader([...columns, "µs/req", "MB", "load"], rows);
}

function renderClock({ byTheClock, cores }: BenchReport, logs: boolean): string[] {
  const points = byTheClock.filter((point) => point.logs === logs);
  const [first] = points;
  if (first === undefined) return [];
  const whose = `shares of ${first.slowest}'s requests/s, ${logs ? "with" : "without"} logs`;
  const rows = points.map(({ title, share, rate, samples }) => {
    const middle = (figure: "medianMs" | "p99Ms" | "p999Ms"): string =>
      millis(median(samples.map((sample) => sample[figure])));
    return [
      title,
      percent(share),
      whole(rate),
      ...[middle("medianMs"), middle("p99Ms"), middle("p999Ms")],
      ...["proxy", "back-end"].map((service) => whole(microsOf(samples, service))),
      percent(loadShareOf(samples, cores)),
    ];
  });
  const lateness = Math.max(
    ...points.flatMap(({ samples }) => samples.map(({ lateMs }) => lateMs ?? 0)),
  );
  const columns = ["", "share", "requests/s", "p50", "p99", "p99.9", "proxy µs/req", "API µs/req"];
  return [
    "",
    pc.bold(`By the clock: ${whose}`),
    ...withHeader([...columns, "load"], rows),
    pc.dim(`  latency from when a request is due; 99 % were sent within ${millis(lateness)} of it`),
  ];
}

function withHeader(columns: readonly string[], rows: readonly string[][]): string[] {
  const [header = "", ...lines] = align([columns, ...rows]);
  return [pc.dim(header), ...lines];
}

function renderTargets(report: BenchReport): string[] {
  const rows = targetsOf(report).map(({ target, measured, met }) => {
    const line = `${met ? "✔ met" : "✘ missed"}: ${target}: ${measured}`;
    return `  ${met ? pc.green(line) : pc.yellow(line)}`;
  });
  const ahead = whoIsAhead(report.withoutLogs).map((sentence) => `  without logs, ${sentence}`);
  const heading = ["", pc.bold("Targets, with logs")];
  return rows.length + ahead.length === 0 ? [] : [...heading, ...rows, ...ahead];
}

const percent = (share: Figure): string => (share === undefined ? "-" : `${whole(share * 100)} %`);

/** The memory of the contender without the load generator, the median over rounds. */
const memoryOf = (contender: ContenderReport): string =>
  decimal(
    median(
      samplesOf(contender).map(({ usage }) =>
        sum(usage.flatMap(({ service, megabytes }) => (service === loadService ? [] : megabytes))),
      ),
    ),
    1,
  );
