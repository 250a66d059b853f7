import { whole } from "../lib/format";
import { sum } from "../lib/stats";
import type { BenchReport } from "./report";

/**
 * What this project's own proxy did wrong, whatever the speed: these decide the exit code. Requests
 * that another contender fails are not this project's errors.
 * @returns A sentence for each: failed requests, and a rotation that is not exact.
 */
export function failures({ contenders, rotation, soak }: BenchReport): string[] {
  const loads = contenders
    .filter(({ name }) => name === "production" || name === "limit")
    .flatMap(({ name, load }) => load.map((point) => ({ name, ...point })))
    .map(({ name, servers, connections, samples }) => ({
      where: `${name}, servers ${servers}, connections ${connections}`,
      failed: sum(samples.map((sample) => sample.failed)),
      requests: sum(samples.map((sample) => sample.requests)),
    }));
  const all = soak === undefined ? loads : [...loads, { where: "soak", ...soak }];
  const lost = all
    .filter(({ failed }) => failed > 0)
    .map(({ where, failed, requests }) => {
      return `${where}: ${whole(failed)} of ${whole(requests)} requests failed`;
    });
  const uneven = rotation
    .filter(({ difference }) => difference > 1)
    .map(({ servers, connections, difference, shares }) => {
      const where = `rotation, servers ${servers}, connections ${connections}`;
      return `${where}: shares differ by ${whole(difference)}: ${shares.map(whole).join(", ")}`;
    });
  return [...lost, ...uneven];
}
