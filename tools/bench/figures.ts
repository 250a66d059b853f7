import type { ContenderName } from "./contenders";
import { type BenchReport, type ContenderReport, median, type Sample } from "./report";

/** What tables and charts call everybody; what they are is said once, above them. */
export const shortNames: Record<ContenderName, string> = {
  production: "production",
  haproxy: "HAProxy",
  caddy: "Caddy",
  task6: "task6",
  gunicorn: "gunicorn",
  original: "original",
  limit: "limit",
  nginx: "nginx alone",
};

/** A number, or undefined where it was not measured; never NaN and never infinite. */
export type Figure = number | undefined;

/** Where everybody is compared. */
export const compared = { servers: 2, connections: 32 } as const;

const finite = (value: number): Figure => (Number.isFinite(value) ? value : undefined);

/** @returns The median; undefined of none. */
export const middle = (values: readonly number[]): Figure => finite(median(values));

/** @returns How many times one figure is another one; undefined where either is not known, or is 0 below. */
export const ratio = (one: Figure, other: Figure): Figure =>
  one === undefined || other === undefined ? undefined : finite(one / other);

/** Finds a contender that took part. */
export const contender = (
  { contenders }: BenchReport,
  name: ContenderName,
): ContenderReport | undefined => contenders.find((one) => one.name === name);

/** @returns The samples with some number of servers and connections: none, where it was not measured. */
export const samplesAt = (
  one: ContenderReport | undefined,
  servers: number,
  connections: number,
): readonly Sample[] =>
  one?.load.find((point) => point.servers === servers && point.connections === connections)
    ?.samples ?? [];

/**
 * Finds the number of servers with which a contender is compared: two, but for nginx answering by
 * itself, which has no servers behind it and is measured as it is.
 */
export const comparedServers = ({ name, load }: ContenderReport): number =>
  name === "nginx" ? (load[0]?.servers ?? compared.servers) : compared.servers;

/** @returns The samples by which contenders are compared, or those with other connections. */
export const comparedSamples = (
  one: ContenderReport | undefined,
  connections: number = compared.connections,
): readonly Sample[] =>
  one === undefined ? [] : samplesAt(one, comparedServers(one), connections);

/** Requests per second, the median over rounds. */
export const rateOf = (samples: readonly Sample[]): Figure =>
  middle(samples.map(({ perSecond }) => perSecond));

/** The 99th percentile of latency in milliseconds, the median over rounds. */
export const p99Of = (samples: readonly Sample[]): Figure =>
  middle(samples.map(({ p99Ms }) => p99Ms));

/** All numbers of servers, or of connections, that somebody was measured with, in order. */
export function measured(
  { contenders }: BenchReport,
  what: "servers" | "connections",
): readonly number[] {
  const points = contenders.flatMap((one) =>
    one.load.filter((point) =>
      what === "servers"
        ? one.name !== "nginx" && point.connections === compared.connections
        : point.servers === comparedServers(one),
    ),
  );
  return [...new Set(points.map((point) => point[what]))].sort((a, b) => a - b);
}

/** What stands for a figure that is not known. */
export const none = "-";

const shown =
  (format: (value: number) => string) =>
  (value: Figure): string =>
    value === undefined || !Number.isFinite(value) ? none : format(value);

const fixed = (value: number, digits: number): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A count, with its thousands apart. */
export const whole = shown((value) => fixed(value, 0));
/** Milliseconds, such as `0.62 ms`, `8.4 ms` and `1,204 ms`. */
export const millis = shown((value) => `${fixed(value, value < 1 ? 2 : value < 100 ? 1 : 0)} ms`);
/** Seconds, such as `1.42 s` and `38.1 s`. */
export const seconds = shown((value) => `${fixed(value, value < 10 ? 2 : 1)} s`);
/** Megabytes, such as `31.4 MB` and `212 MB`. */
export const megabytes = shown((value) => `${fixed(value, value < 100 ? 1 : 0)} MB`);
/** Processor cores in use, such as `0.83`. */
export const cores = shown((value) => fixed(value, 2));
/** Bytes as they are counted, such as `48,211 bytes`. */
export const bytes = shown((value) => `${fixed(value, 0)} bytes`);
/** A ratio, such as `0.13 ×`, `7.4 ×` and `120 ×`. */
export const times = shown((value) =>
  value === 1 ? "1 ×" : `${fixed(value, value < 2 ? 2 : value < 100 ? 1 : 0)} ×`,
);

/** The least and the greatest of some figures, such as `6,310–6,502`. */
export function range(values: readonly number[], format: (value: Figure) => string): string {
  if (values.length === 0) return none;
  const [least, most] = [Math.min(...values), Math.max(...values)].map(format);
  return least === most ? `${least}` : `${least?.replace(/ \w+$/, "")}–${most}`;
}

/** Such as `1 server` and `2 servers`. */
export const plural = (count: number, what: string): string =>
  `${whole(count)} ${what}${count === 1 ? "" : "s"}`;
