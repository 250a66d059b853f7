import {
  compared,
  comparedSamples,
  contender,
  measured,
  middle,
  millis,
  none,
  p99Of,
  plural,
  range,
  rateOf,
  ratio,
  samplesAt,
  shortNames,
  times,
  whole,
} from "./figures";
import type { BenchReport, ContenderReport, Sample } from "./report";
import { cell, settingsOf, sum, type Table } from "./table";

/** Everybody at the point where all are compared. */
export function compareTable(report: BenchReport): Table {
  const rateFor = (name: ContenderReport["name"]) =>
    rateOf(comparedSamples(contender(report, name)));
  const [original, limit] = [rateFor("original"), rateFor("limit")];
  const all = (samples: readonly Sample[], what: keyof Sample): number[] =>
    samples.map((sample) => sample[what]);
  return {
    id: "compared",
    title: `Side by side: ${plural(compared.servers, "server")}, ${plural(compared.connections, "connection")}`,
    columns: [
      { title: "", spoken: "contender", left: true },
      ...["requests/s", "min–max", "× original", "× limit", "median", "p99", "worst"].map(
        (title) => ({ title }),
      ),
    ],
    rows: report.contenders.map((one) => {
      const samples = comparedSamples(one);
      const rate = rateOf(samples);
      const worst = samples.length === 0 ? undefined : Math.max(...all(samples, "worstMs"));
      const isBad = sum(all(samples, "failed")) > 0;
      return [
        cell(shortNames[one.name], isBad),
        ...[
          ...[whole(rate), range(all(samples, "perSecond"), whole)],
          ...[times(ratio(rate, original)), times(ratio(rate, limit))],
          ...[millis(middle(all(samples, "medianMs"))), millis(p99Of(samples)), millis(worst)],
        ].map((text) => cell(text)),
      ];
    }),
    notes: [`${settingsOf(report)}; min–max and worst are of all rounds`],
  };
}

/** Requests per second of everybody, and next to them how many times the original's they are. */
function throughputTable(
  report: BenchReport,
  at: readonly number[],
  samplesOf: (one: ContenderReport | undefined, at: number) => readonly Sample[],
  nameOf: (at: number) => string,
): Pick<Table, "columns" | "rows" | "notes"> {
  const original = contender(report, "original");
  const spreads = report.contenders.flatMap((one) =>
    at.flatMap((where) => {
      const rates = samplesOf(one, where).map(({ perSecond }) => perSecond);
      const part = ratio(Math.max(...rates) - Math.min(...rates), middle(rates));
      return part === undefined
        ? []
        : [{ part, name: `${shortNames[one.name]}, ${nameOf(where)}` }];
    }),
  );
  const widest = spreads.toSorted((one, other) => other.part - one.part)[0];
  return {
    columns: [
      { title: "", spoken: "contender", left: true },
      ...at.flatMap((where) => [
        { title: nameOf(where) },
        { title: "", spoken: `times the original's, ${nameOf(where)}` },
      ]),
    ],
    rows: report.contenders.map((one) => [
      cell(shortNames[one.name]),
      ...at.flatMap((where) => {
        const samples = samplesOf(one, where);
        const theirs = rateOf(samplesOf(original, where));
        const isBad = samples.some(({ failed }) => failed > 0);
        return [cell(whole(rateOf(samples)), isBad), cell(times(ratio(rateOf(samples), theirs)))];
      }),
    ]),
    notes: [
      "×: how many times the original's",
      ...(widest === undefined || report.settings.rounds === 1
        ? []
        : [
            `rounds differ most at ${widest.name}: min–max is ${Math.round(widest.part * 100)} % of the median`,
          ]),
    ],
  };
}

/** Everybody with two servers, and more and more connections; no rows of a quick run. */
export function connectionsTable(report: BenchReport): Table {
  const at = measured(report, "connections");
  const name = (connections: number) => plural(connections, "connection");
  const table = throughputTable(report, at, comparedSamples, name);
  const title = `Requests per second over connections, ${plural(compared.servers, "server")}`;
  // With one number alone it would repeat the table above
  return { id: "connections", title, ...table, ...(at.length < 2 && { rows: [] }) };
}

/** How long an answer takes, with two servers and more and more connections; no rows of a quick run. */
export function latencyTable(report: BenchReport): Table {
  const at = measured(report, "connections");
  const bare = (value: number | undefined): string => millis(value).replace(/ ms$/, "");
  const latency = (samples: readonly Sample[]): string => {
    if (samples.length === 0) return none;
    const median = middle(samples.map(({ medianMs }) => medianMs));
    const worst = Math.max(...samples.map(({ worstMs }) => worstMs));
    return [median, p99Of(samples), worst].map(bare).join(" / ");
  };
  return {
    id: "latency",
    title: `Latency over connections, ${plural(compared.servers, "server")}: median / p99 / worst, in ms`,
    columns: [
      { title: "", spoken: "contender", left: true },
      ...at.map((connections) => ({ title: plural(connections, "connection") })),
    ],
    rows:
      at.length < 2
        ? []
        : report.contenders.map((one) => [
            cell(shortNames[one.name]),
            ...at.map((connections) => cell(latency(comparedSamples(one, connections)))),
          ]),
    notes: ["worst is of all rounds"],
  };
}

/** Everybody with 32 connections, and more and more servers; no rows of a quick run. */
export function serversTable(report: BenchReport): Table {
  const at = measured(report, "servers");
  const table = throughputTable(
    report,
    at,
    (one, servers) => samplesAt(one, servers, compared.connections),
    (servers) => plural(servers, "server"),
  );
  const title = `Requests per second over servers, ${plural(compared.connections, "connection")}`;
  return { id: "servers", title, ...table, ...(at.length < 2 && { rows: [] }) };
}
