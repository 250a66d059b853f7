import { argv } from "../lib/argv";
import { run } from "../lib/run";
import { percentile } from "../lib/stats";
import type { Sample } from "./report";

/** Where a load comes from and where it goes. */
export interface Endpoint {
  /** The id of the container with the load generators; see stacks/load. */
  loader: string;
  /** As seen from that container. */
  url: string;
}

/** Where h2load writes a line for each request, in its container. */
const requestLog = "/tmp/requests";
/** Without a response for so long, a request has failed. */
const timeoutSeconds = 10;

/** A sample without the usage, which the kernel counts. */
export type Timings = Omit<Sample, "usage">;

/** Seconds in which a load by the clock opens its connections. */
export const clockWarmUp = 1;

/**
 * Loads a stack for some seconds; every connection sends its next request after each response.
 * @throws {CommandError} if h2load fails, for instance because nothing listens.
 */
export async function loadFor(
  endpoint: Endpoint,
  connections: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Timings> {
  const options = argv`--clients=${connections} --duration=${seconds * 1_000}ms`;
  const { summary, log } = await h2load(endpoint, options, signal);
  return sampleOf(log, failedIn(summary), seconds);
}

/**
 * Loads a stack for some seconds with requests that are due at a fixed rate. Latency counts from then.
 * @param rate Requests per second.
 * @throws {CommandError} if the generator fails.
 */
export async function loadByTheClock(
  { loader, url }: Endpoint,
  rate: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Timings> {
  const figures = argv`${rate} ${seconds} ${clockWarmUp} ${timeoutSeconds}`;
  const command = argv`node /by-the-clock.ts ${url} ${figures}`;
  return sampleOf(await run("docker", argv`exec ${loader} ${command}`, { signal }), 0, seconds);
}

/**
 * Sends an exact number of requests.
 * @returns How many failed, and the bytes of all bodies together.
 * @throws {CommandError} if h2load fails.
 */
export async function sendExactly(
  endpoint: Endpoint,
  connections: number,
  requests: number,
  signal: AbortSignal,
): Promise<{ failed: number; bodyBytes: number }> {
  const options = argv`--clients=${connections} --requests=${requests}`;
  const { summary } = await h2load(endpoint, options, signal);
  return { failed: failedIn(summary), bodyBytes: bodyBytesIn(summary) };
}

/**
 * Loads over HTTP/1.1, also over TLS: nginx ends a connection after 1,000 requests, and h2load does not
 * reopen one of HTTP/2.
 */
async function h2load(
  { loader, url }: Endpoint,
  options: readonly string[],
  signal: AbortSignal,
): Promise<{ summary: string; log: string }> {
  const inLoader = (command: readonly string[]): Promise<string> =>
    run("docker", argv`exec ${loader} ${command}`, { signal });
  // h2load would append to it
  await inLoader(argv`rm -f ${requestLog}`);
  const summary = await inLoader(
    argv`h2load --h1 --log-file=${requestLog}
      --connection-inactivity-timeout=${timeoutSeconds} ${options} ${url}`,
  );
  return { summary, log: await inLoader(argv`cut -f2,3 ${requestLog}`) };
}

/**
 * @param log A line for each response: its status, a tab, microseconds and, if it was due by the clock,
 *   a tab and how many microseconds late it was sent.
 * @param failed Failed requests by h2load's count; a response with another status can be among them.
 * @param seconds The time in which the responses came.
 */
export function sampleOf(log: string, failed: number, seconds: number): Timings {
  const lines = log.split("\n").filter((line) => line !== "");
  const rows = lines.map((line) => line.split("\t").map(Number));
  const wrong = rows.filter(([status]) => status !== 200).length;
  const latencies = rows.map(([, micros = Number.NaN]) => micros / 1_000);
  const late = rows.flatMap(([, , micros]) => (micros === undefined ? [] : [micros / 1_000]));
  return {
    requests: rows.length,
    failed: Math.max(failed, wrong),
    perSecond: rows.length / seconds,
    medianMs: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    p999Ms: percentile(latencies, 0.999),
    worstMs: percentile(latencies, 1),
    ...(late.length > 0 && { lateMs: percentile(late, 0.99) }),
  };
}

/** @returns The failed requests in h2load's summary, by status or without a response. */
export function failedIn(summary: string): number {
  return numberIn(summary, /^requests: .* (\d+) failed,/m);
}

/** @returns The bytes of all bodies in h2load's summary. */
export function bodyBytesIn(summary: string): number {
  return numberIn(summary, /^traffic: .* \((\d+)\) data$/m);
}

function numberIn(summary: string, pattern: RegExp): number {
  const digits = pattern.exec(summary)?.[1];
  if (digits === undefined) throw new Error(`unexpected output of h2load:\n${summary}`);
  return Number(digits);
}
