import { whole } from "../lib/format";
import { sum } from "../lib/stats";
import type { BenchReport } from "./report";

/** The contenders whose proxy is this project's own. */
const judged = ["production", "https", "limit"];

/**
 * What this project's own proxy did wrong, whatever the speed: these decide the exit code. Requests
 * that another contender fails are not this project's errors.
 * @returns A sentence for each load with failed requests.
 */
export function failures({ contenders, withoutLogs, byTheClock }: BenchReport): string[] {
  const tables = [
    ...contenders.map((contender) => ({ ...contender, logs: true })),
    ...withoutLogs.map((contender) => ({ ...contender, logs: false })),
  ];
  const full = tables.flatMap(({ name, logs, load }) =>
    load.map(({ connections, samples }) => {
      return { name, logs, samples, what: `connections ${connections}` };
    }),
  );
  const clocked = byTheClock.map((point) => ({ ...point, what: `${point.rate} requests/s` }));
  return [...full, ...clocked].flatMap(({ name, logs, samples, what }) => {
    const failed = sum(samples.map((sample) => sample.failed));
    if (failed === 0 || !judged.includes(name)) return [];
    const requests = sum(samples.map((sample) => sample.requests));
    const where = `${name}, ${what}${logs ? "" : ", without logs"}`;
    return [`${where}: ${whole(failed)} of ${whole(requests)} requests failed`];
  });
}
