import { decimal, whole } from "../lib/format";
import { type Estimate, median, pairedRatio, sum } from "../lib/stats";
import type { ContenderName } from "./contenders";
import type { BenchReport, ContenderReport, Sample } from "./report";

/** A number, or undefined if it was not measured. */
export type Figure = number | undefined;

/** The service that sends the load. */
export const loadService = "load";

/** The number of connections at which contenders are compared. */
export const comparedConnections = 32;

/** Contenders that were measured under equal conditions: with logs or without. */
export type Table = readonly ContenderReport[];

export function contenderIn(table: Table, name: ContenderName): ContenderReport | undefined {
  return table.find((contender) => contender.name === name);
}

/** @returns A contender's samples, one for each round. */
export function samplesOf(
  contender: ContenderReport | undefined,
  connections = comparedConnections,
): readonly Sample[] {
  const point = contender?.load.find((candidate) => candidate.connections === connections);
  return point?.samples ?? [];
}

/** @returns The median over rounds. */
export function rateOf(contender: ContenderReport | undefined, connections?: number): Figure {
  return median(samplesOf(contender, connections).map(({ perSecond }) => perSecond));
}

/** @returns The 99th percentile of the latency in milliseconds, the median over rounds. */
export function p99Of(contender: ContenderReport | undefined): Figure {
  return median(samplesOf(contender).map(({ p99Ms }) => p99Ms));
}

/** @returns What one contender has of another's figure, compared round by round. */
export function compare(
  table: Table,
  name: ContenderName,
  other: ContenderName,
  figure: "perSecond" | "p99Ms" = "perSecond",
): Estimate | undefined {
  const [figures, others] = [name, other].map((each) =>
    samplesOf(contenderIn(table, each)).map((sample) => sample[figure]),
  );
  return pairedRatio(figures ?? [], others ?? []);
}

/** @returns Microseconds of CPU time for a request, the median over samples; of all services by default. */
export function microsOf(samples: readonly Sample[], ...services: readonly string[]): Figure {
  return median(
    samples.map(({ usage, requests }) => {
      const counted = usage.filter(({ service }) =>
        services.length === 0 ? service !== loadService : services.includes(service),
      );
      return (sum(counted.map(({ cpuSeconds }) => cpuSeconds)) * 1e6) / requests;
    }),
  );
}

/** @returns The load generator's share of the CPU time that the machine has, the median over rounds. */
export function loadShareOf(samples: readonly Sample[], cores: number): Figure {
  const micros = microsOf(samples, loadService);
  const rate = median(samples.map(({ perSecond }) => perSecond));
  return micros === undefined || rate === undefined ? undefined : (micros * rate) / (cores * 1e6);
}

/** With two digits, such as `0.74`, `1.0` and `12`. */
export function times(value: Figure): string {
  if (value === undefined || !Number.isFinite(value)) return "-";
  return value >= 9.95 ? whole(value) : value.toPrecision(2);
}

/** Such as `12 ± 3 %`; the half-width of the interval is rounded up. */
export function estimate(value: Estimate | undefined): string {
  const { ratio, halfWidth } = value ?? {};
  if (halfWidth === undefined) return times(ratio);
  return `${times(ratio)} ± ${whole(Math.ceil(halfWidth * 100))} %`;
}

/** Such as `5.5 ms` and `23 ms`. */
export function millis(value: Figure): string {
  const digits = decimal(value, (value ?? 0) < 10 ? 1 : 0);
  return digits === "-" ? digits : `${digits} ms`;
}

/** Such as `medians of 3 rounds of 3 s`. */
export const describeRounds = ({ settings: { rounds, seconds } }: BenchReport): string =>
  rounds === 1 ? `one round of ${seconds} s` : `medians of ${rounds} rounds of ${seconds} s`;
