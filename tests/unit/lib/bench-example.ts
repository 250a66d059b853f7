import { type ContenderName, contenderNames, contenders } from "../../../tools/bench/contenders";
import type {
  BenchReport,
  ContenderReport,
  LoadPoint,
  RotationPoint,
} from "../../../tools/bench/report";

/** Requests per second and the 99th percentile in milliseconds. */
const speeds: Record<ContenderName, [rate: number, p99Ms: number]> = {
  production: [4_800, 14],
  haproxy: [4_600, 15],
  caddy: [3_400, 25],
  task6: [2_100, 34],
  gunicorn: [1_240, 58],
  original: [640, 120],
  limit: [6_400, 12],
};

/** Three samples that are 2 % apart. */
export function loadPoint(connections: number, rate: number, p99Ms: number): LoadPoint {
  const samples = [0.99, 1, 1.01].map((factor) => ({
    requests: Math.round(rate * factor * 3),
    failed: 0,
    perSecond: rate * factor,
    medianMs: (1_000 * connections) / rate,
    p99Ms: p99Ms * factor,
    worstMs: p99Ms * 3,
  }));
  return { servers: 2, connections, samples };
}

function exampleContender(name: ContenderName): ContenderReport {
  const [rate, p99Ms] = speeds[name];
  const { title, about } = contenders[name];
  const usage = { service: "back-end", containers: 2, megabytes: 40.25, cores: 0.02 };
  return {
    name,
    title,
    about,
    versions: "nginx 1.30.0",
    load: [
      loadPoint(32, rate, p99Ms),
      loadPoint(1, rate / 3, p99Ms / 9),
      loadPoint(256, rate * 0.9, p99Ms * 8),
    ],
    busy: [
      { service: "proxy", containers: 1, megabytes: 8.5, cores: 0.5 },
      { ...usage, megabytes: 56.5, cores: 1.42 },
    ],
  };
}

/** @returns A count of 10,000 requests. */
export function rotationOf(...shares: number[]): RotationPoint {
  const difference = Math.max(...shares) - Math.min(...shares);
  return { servers: shares.length, connections: 32, requests: 10_000, shares, difference };
}

/** @returns A run without a failure that meets every target. */
export function exampleReport(): BenchReport {
  return {
    machine: "2 × AMD EPYC, Docker Engine 26.1",
    date: new Date("2026-11-21T09:30:00Z"),
    settings: { quick: false, rounds: 3, seconds: 3 },
    contenders: contenderNames.map(exampleContender),
    rotation: [rotationOf(5_000, 5_000), rotationOf(3_334, 3_333, 3_333)],
    soak: {
      seconds: 300,
      connections: 32,
      requests: 1_401_220,
      failed: 0,
      services: [
        { service: "proxy", megabytes: Array.from({ length: 30 }, (_, at) => 8 + (at % 2)) },
      ],
    },
  };
}

/** @returns The report with another load of one contender at 32 connections. */
export function withSpeed(
  report: BenchReport,
  name: ContenderName,
  rate: number,
  p99Ms = speeds[name][1],
): BenchReport {
  const contenders = report.contenders.map((contender) =>
    contender.name === name ? { ...contender, load: [loadPoint(32, rate, p99Ms)] } : contender,
  );
  return { ...report, contenders };
}
