import { whole } from "../lib/format";
import { sum } from "../lib/stats";
import type { BenchReport, ContenderReport, Sample } from "./report";

interface Load {
  name: string;
  where: string;
  samples: readonly Sample[];
}

const silently = ", without logs";

/**
 * What this project's own proxy did wrong, whatever the speed: these decide the exit code. Requests
 * that another contender fails are not this project's errors.
 * @returns A sentence for each: failed requests, and a rotation that is not exact.
 */
export function failures(report: BenchReport): string[] {
  const { contenders, withoutLogs, byTheClock, rotation, soak } = report;
  const inTable = (table: readonly ContenderReport[], suffix: string): Load[] =>
    table.flatMap(({ name, load }) =>
      load.map(({ servers, connections, samples }) => {
        const where = `${name}, servers ${servers}, connections ${connections}${suffix}`;
        return { name, where, samples };
      }),
    );
  const clocked = byTheClock.map(({ name, rate, logs, samples }) => {
    return { name, where: `${name}, ${rate} requests/s${logs ? "" : silently}`, samples };
  });
  const loads = [...inTable(contenders, ""), ...inTable(withoutLogs, silently), ...clocked]
    .filter(({ name }) => ["production", "https", "limit"].includes(name))
    .map(({ where, samples }) => ({
      where,
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
