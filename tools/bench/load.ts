import { run } from "../lib/run";
import type { Sample } from "./report";

/** Where a load comes from and where it goes. */
export interface Target {
  /** The container that h2load runs in; see stacks/load. */
  loader: string;
  /** As that container sees it. */
  url: string;
  /** Held open, each with one request at a time. */
  connections: number;
}

/** Where h2load writes a line for each request, in its container. */
const requestLog = "/tmp/requests";
/** Seconds without a byte after which a connection's request has failed. */
const patience = 10;

/**
 * Loads a stack for a while, every connection sending its next request once it has its answer.
 * @param seconds To measure.
 * @param warmUp Seconds of load before that, which do not count.
 * @throws {CommandError} when h2load cannot work, for instance as nothing listens.
 */
export async function loadFor(
  target: Target,
  seconds: number,
  warmUp: number,
  signal: AbortSignal,
): Promise<Sample> {
  const duration = [`--duration=${seconds * 1_000}ms`, `--warm-up-time=${warmUp * 1_000}ms`];
  const { summary, log } = await h2load(target, duration, signal);
  return sampleOf(log, failedIn(summary), seconds);
}

/** What came of a number of requests. */
export interface Burst {
  failed: number;
  /** Of all bodies together. */
  bodyBytes: number;
}

/**
 * Sends so many requests and no more.
 * @throws {CommandError} when h2load cannot work.
 */
export async function sendExactly(
  target: Target,
  requests: number,
  signal: AbortSignal,
): Promise<Burst> {
  const { summary } = await h2load(target, [`--requests=${requests}`], signal);
  return { failed: failedIn(summary), bodyBytes: bodyBytesIn(summary) };
}

async function h2load(
  { loader, url, connections }: Target,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ summary: string; log: string }> {
  const inLoader = (...command: string[]): Promise<string> =>
    run("docker", ["exec", loader, ...command], { signal });
  // h2load would add to it
  await inLoader("rm", "-f", requestLog);
  const summary = await inLoader(
    ...["h2load", "--h1", `--clients=${connections}`, `--log-file=${requestLog}`],
    ...[`--connection-inactivity-timeout=${patience}`, ...args, url],
  );
  return { summary, log: await inLoader("cut", "-f2,3", requestLog) };
}

/**
 * @param log A line for each request that was answered: its status, a tab, microseconds.
 * @param failed Requests that h2load counts as failed, those with another status among them.
 * @param seconds In which they were answered.
 */
export function sampleOf(log: string, failed: number, seconds: number): Sample {
  const lines = log.split("\n").filter((line) => line !== "");
  const rows = lines.map((line) => line.split("\t").map(Number));
  const wrong = rows.filter(([status]) => status !== 200).length;
  const micros = Float64Array.from(rows, ([, duration = Number.NaN]) => duration).sort();
  // The nearest rank: as many of a hundred are at most as long
  const percentile = (percent: number): number =>
    (micros[Math.max(0, Math.ceil((micros.length * percent) / 100) - 1)] ?? Number.NaN) / 1_000;
  return {
    requests: rows.length,
    failed: Math.max(failed, wrong),
    perSecond: rows.length / seconds,
    medianMs: percentile(50),
    p99Ms: percentile(99),
    worstMs: percentile(100),
  };
}

/** @returns The failed requests in h2load's summary, by status or without an answer. */
export function failedIn(summary: string): number {
  return numberIn(summary, /^requests: .* (\d+) failed,/m);
}

/** @returns The bytes of all bodies in h2load's summary. */
export function bodyBytesIn(summary: string): number {
  return numberIn(summary, /^traffic: .* \((\d+)\) data$/m);
}

function numberIn(summary: string, pattern: RegExp): number {
  const found = pattern.exec(summary)?.[1];
  if (found === undefined) throw new Error(`h2load says something else than it did:\n${summary}`);
  return Number(found);
}
