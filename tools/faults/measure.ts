import type { Sample } from "./load";
import type { Bucket } from "./report";

/** Whether the API has served a request. */
export const isApiResponse = ({ probe, outcome }: Sample): boolean =>
  probe.kind === "api" && outcome === "served";

/** API responses per server in the window that is checked for balance. */
const windowPerServer = 20;
/** A server's count in it may differ from the equal share by this part. */
const tolerance = 0.2;

/**
 * Finds when the load is balanced: the first window of 20 API responses per server in which no
 * server has more than a fifth above or below its equal share.
 * @param samples In the order of their completion.
 * @param fromMs Requests sent earlier are ignored.
 * @returns When the first request of that window was sent; undefined if there is no such window.
 */
export function balancedFrom(
  samples: readonly Sample[],
  fromMs: number,
  servers: readonly string[],
): number | undefined {
  const served = samples.filter((sample) => isApiResponse(sample) && sample.startMs >= fromMs);
  const size = windowPerServer * servers.length;
  const counts = new Map<string | undefined, number>();
  const add = (sample: Sample | undefined, change: number): void => {
    counts.set(sample?.server, (counts.get(sample?.server) ?? 0) + change);
  };
  // Counts instead of copies of each window: what takes long delays the load
  for (const [index, sample] of served.entries()) {
    add(sample, 1);
    add(served[index - size], -1);
    const isBalanced = servers.every((name) => {
      const count = counts.get(name) ?? 0;
      return Math.abs(count - windowPerServer) <= tolerance * windowPerServer;
    });
    if (isBalanced && index >= size - 1) return served[index - size + 1]?.startMs;
  }
  return undefined;
}

const bucketMs = 200;

/** Counts requests over time, by when they ended, and API responses for each of the servers. */
export function timeline(
  samples: readonly Sample[],
  servers: readonly string[],
): { bucketS: number; buckets: Bucket[] } {
  const buckets: Bucket[] = [];
  for (const { startMs, latencyMs, outcome, probe, server } of samples) {
    const index = Math.floor((startMs + latencyMs) / bucketMs);
    for (let at = buckets.length; at <= index; at += 1) {
      const [atS, shares] = [(at * bucketMs) / 1_000, servers.map(() => 0)];
      buckets.push({ atS, served: 0, turnedAway: 0, lost: 0, worstMs: 0, shares });
    }
    const bucket = buckets[index] as Bucket;
    bucket[outcome === "rejected" ? "turnedAway" : outcome] += 1;
    bucket.worstMs = Math.max(bucket.worstMs, Math.round(latencyMs));
    const share = probe.kind === "api" ? servers.indexOf(server ?? "") : -1;
    if (share >= 0) bucket.shares[share] = (bucket.shares[share] as number) + 1;
  }
  return { bucketS: bucketMs / 1_000, buckets };
}
