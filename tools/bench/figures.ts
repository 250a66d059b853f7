import { decimal } from "../lib/format";
import type { ContenderName } from "./contenders";
import type { BenchReport, ContenderReport, Sample, SoakReport } from "./report";

/** A number, or undefined if it was not measured. */
export type Figure = number | undefined;

/** The number of connections at which contenders are compared. */
export const comparedConnections = 32;

/** @returns The value in the middle, or the mean of the two in the middle. */
function median(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** @returns The quotient; undefined if it is not a finite number. */
export function ratio(dividend: Figure, divisor: Figure): Figure {
  const quotient = (dividend ?? Number.NaN) / (divisor ?? Number.NaN);
  return Number.isFinite(quotient) ? quotient : undefined;
}

/** The memory of a service in a soak, in megabytes. */
interface Growth {
  service: string;
  early: number;
  late: number;
  grows: boolean;
}

/**
 * Compares the median of the last fifth of the readings with that of the second fifth, for each
 * service with ten readings or more. In the first fifth, caches and heaps fill. A service grows if the
 * difference is more than 5 % and 2 MB: less is due to garbage collection.
 */
export function growthOf({ services }: SoakReport): Growth[] {
  return services.flatMap(({ service, megabytes }) => {
    const fifth = megabytes.length / 5;
    const early = median(megabytes.slice(Math.floor(fifth), Math.floor(2 * fifth)));
    const late = median(megabytes.slice(Math.ceil(4 * fifth)));
    if (megabytes.length < 10 || early === undefined || late === undefined) return [];
    return [{ service, early, late, grows: late > early * 1.05 + 2 }];
  });
}

export function contenderIn(report: BenchReport, name: ContenderName): ContenderReport | undefined {
  return report.contenders.find((contender) => contender.name === name);
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

/** Such as `0.74` and `11.5`. */
export const times = (value: Figure): string => decimal(value, (value ?? 0) < 2 ? 2 : 1);

/** Such as `5.5 ms` and `23 ms`. */
export function millis(value: Figure): string {
  const digits = decimal(value, (value ?? 0) < 10 ? 1 : 0);
  return digits === "-" ? digits : `${digits} ms`;
}

/** Such as `medians of 3 rounds of 3 s`. */
export const describeRounds = ({ settings: { rounds, seconds } }: BenchReport): string =>
  rounds === 1 ? `one round of ${seconds} s` : `medians of ${rounds} rounds of ${seconds} s`;
