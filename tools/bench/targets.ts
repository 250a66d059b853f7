import type { Estimate } from "../lib/stats";
import { compare, estimate, type Table } from "./figures";
import type { BenchReport } from "./report";

/** What production should reach, with logs. A missed target does not fail the benchmark. */
interface Target {
  target: string;
  /** What was measured, such as `12 ± 3 %`. */
  measured: string;
  met: boolean;
}

/** The widest half-width of an interval around a ratio that is quoted. */
const maxHalfWidth = 0.05;

/** @returns Production's targets; those that compare it with a contender that was not measured are left out. */
export function targetsOf({ contenders }: BenchReport): Target[] {
  const targets: Target[] = [];
  const quoted: Estimate[] = [];
  const judge = (
    target: string,
    measured: Estimate | undefined,
    isMet: (ratio: number) => boolean,
  ): void => {
    if (measured === undefined) return;
    quoted.push(measured);
    targets.push({ target, measured: estimate(measured), met: isMet(measured.ratio) });
  };
  const rate = (other: "original" | "limit" | "haproxy" | "caddy"): Estimate | undefined =>
    compare(contenders, "production", other);
  judge("10 × the original's requests/s (aim: 12)", rate("original"), (ratio) => ratio >= 10);
  const p99 = compare(contenders, "production", "original", "p99Ms");
  judge("a p99 of at most 0.20 × the original's", p99, (ratio) => ratio <= 0.2);
  judge("0.70 × the limit's requests/s (aim: 0.75)", rate("limit"), (ratio) => ratio >= 0.7);
  judge("more requests/s than HAProxy", rate("haproxy"), (ratio) => ratio > 1);
  judge("more requests/s than Caddy", rate("caddy"), (ratio) => ratio > 1);
  const widths = quoted.flatMap(({ halfWidth }) => halfWidth ?? []);
  if (widths.length > 0) {
    const widest = Math.max(...widths);
    const measured = `± ${(widest * 100).toFixed(1)} %`;
    targets.push({ target: "intervals of at most ± 5 %", measured, met: widest <= maxHalfWidth });
  }
  return targets;
}

/** @returns A sentence for each other proxy: which one serves more requests per second. */
export function whoIsAhead(table: Table): string[] {
  return (["haproxy", "caddy"] as const).flatMap((name) => {
    const measured = compare(table, "production", name);
    if (measured === undefined) return [];
    const { ratio, halfWidth = 0 } = measured;
    const title = table.find((contender) => contender.name === name)?.title;
    const figures = `${estimate(measured)} × ${title}'s requests/s`;
    if (ratio / (1 + halfWidth) > 1) return [`production is ahead of ${title}: ${figures}`];
    if (ratio * (1 + halfWidth) < 1) return [`${title} is ahead of production: ${figures}`];
    return [`production and ${title} are equal within the interval: ${figures}`];
  });
}
