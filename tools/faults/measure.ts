import type { Sample } from "./load";

/**
 * Finds the value that a share of all values does not exceed (nearest rank).
 * @param share From 0 to 1.
 * @returns 0 for no values.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Answers per server in a window that is judged: enough to see turns, few enough to be a moment. */
const answersEach = 20;
/** A server's share may differ from the equal one by this part of it. */
const tolerance = 0.2;

/**
 * Finds when all servers share the load evenly: the first window of 20 API answers for each server
 * in which none has more than a fifth more or less than its equal share.
 * @param samples In the order in which they ended.
 * @param fromMs Requests sent before are passed over.
 * @param expected What each server calls itself in `X-Served-By`.
 * @returns When the first request of that window was sent; undefined when there is none yet.
 */
export function evenFrom(
  samples: readonly Sample[],
  fromMs: number,
  expected: readonly string[],
): number | undefined {
  const answers = samples.filter(
    ({ ask, outcome, startMs }) => ask.kind === "api" && outcome === "served" && startMs >= fromMs,
  );
  const size = answersEach * expected.length;
  const counts = new Map(expected.map((server) => [server, 0]));
  const count = (sample: Sample | undefined, by: number): void => {
    const server = sample?.server ?? "";
    const before = counts.get(server);
    if (before !== undefined) counts.set(server, before + by);
  };
  const isEven = (): boolean =>
    [...counts.values()].every((own) => Math.abs(own - answersEach) <= tolerance * answersEach);
  for (const [index, answer] of answers.entries()) {
    count(answer, 1);
    if (index >= size) count(answers[index - size], -1);
    if (index >= size - 1 && isEven()) return answers[index - size + 1]?.startMs;
  }
  return undefined;
}

/** What happened in a short span of time, by when the answers came. */
export interface Bucket {
  /** Seconds from the start of the load. */
  atS: number;
  served: number;
  turnedAway: number;
  lost: number;
  worstMs: number;
  /** API answers by server, in the order of the case's shares. */
  shares: number[];
}

/** Buckets that a timeline has at most. */
const mostBuckets = 160;
const bucketLengths = [50, 100, 200, 250, 500, 1_000, 2_000, 5_000];

/**
 * Sums requests up over time.
 * @param servers What each server calls itself, in the order of the shares.
 * @returns Buckets of equal length, from 0 to the last answer; that length in seconds.
 */
export function timeline(
  samples: readonly Sample[],
  servers: readonly string[],
): { bucketS: number; buckets: Bucket[] } {
  const endMs = samples.reduce((end, one) => Math.max(end, one.startMs + one.latencyMs), 0);
  const lengthMs = bucketLengths.find((length) => endMs / length <= mostBuckets) ?? 10_000;
  const buckets = Array.from({ length: Math.floor(endMs / lengthMs) + 1 }, (_, index) => ({
    atS: (index * lengthMs) / 1_000,
    ...{ served: 0, turnedAway: 0, lost: 0, worstMs: 0 },
    shares: servers.map(() => 0),
  }));
  for (const { startMs, latencyMs, outcome, ask, server } of samples) {
    const bucket = buckets[Math.floor((startMs + latencyMs) / lengthMs)];
    if (bucket === undefined) continue;
    bucket[outcome === "turned away" ? "turnedAway" : outcome] += 1;
    bucket.worstMs = Math.max(bucket.worstMs, Math.round(latencyMs));
    const index = ask.kind === "api" && server !== undefined ? servers.indexOf(server) : -1;
    if (index >= 0) bucket.shares[index] = (bucket.shares[index] ?? 0) + 1;
  }
  return { bucketS: lengthMs / 1_000, buckets };
}
