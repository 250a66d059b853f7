import {
  type ContenderName,
  contenderNames,
  contenders,
  proxyNames,
} from "../../../tools/bench/contenders";
import type {
  BenchReport,
  ClockPoint,
  ContenderReport,
  LoadPoint,
  Usage,
} from "../../../tools/bench/report";

/** Requests per second and the 99th percentile in milliseconds. */
const speeds: Record<ContenderName, [rate: number, p99Ms: number]> = {
  production: [4_800, 14],
  haproxy: [4_600, 15],
  caddy: [3_400, 25],
  https: [3_900, 17],
  task6: [2_100, 34],
  gunicorn: [1_240, 58],
  original: [640, 120],
  limit: [6_400, 12],
};

/** What a load of some requests uses: 100 µs of CPU time for each in the proxy, 300 in the servers. */
const usageFor = (requests: number): Usage[] => {
  const usage = (service: string, containers: number, megabytes: number, micros: number): Usage => {
    return { service, containers, megabytes, cpuSeconds: (requests * micros) / 1e6 };
  };
  return [usage("proxy", 1, 8.5, 100), usage("back-end", 2, 56.5, 300), usage("load", 1, 4, 20)];
};

/** Three samples that are 2 % apart; their rates can have another spread. */
export function loadPoint(
  connections: number,
  rate: number,
  p99Ms: number,
  spread = 0.01,
): LoadPoint {
  const samples = [-1, 0, 1].map((step) => {
    const perSecond = rate * (1 + step * spread);
    const requests = Math.round(perSecond * 3);
    return {
      requests,
      failed: 0,
      perSecond,
      medianMs: (1_000 * connections) / rate,
      p99Ms: p99Ms * (1 + step / 100),
      p999Ms: p99Ms * 2,
      worstMs: p99Ms * 3,
      usage: usageFor(requests),
    };
  });
  return { connections, samples };
}

function exampleContender(name: ContenderName, factor: number): ContenderReport {
  const [rate, p99Ms] = speeds[name];
  const { title, about } = contenders[name];
  const load = [loadPoint(32, rate * factor, p99Ms / factor)];
  const further = [loadPoint(1, rate / 3, p99Ms / 9), loadPoint(256, rate * 0.9, p99Ms * 8)];
  return {
    name,
    title,
    about,
    versions: "nginx 1.30.0",
    load: factor === 1 ? [...load, ...further] : load,
  };
}

function examplePoint(name: ContenderName, logs: boolean): ClockPoint {
  const { title } = contenders[name];
  const [{ samples }, rate] = [loadPoint(32, 1_700, 4), 1_700];
  const timed = samples.map((sample) => ({ ...sample, lateMs: 0.9 }));
  return { name, title, logs, slowest: "Caddy", share: 0.5, rate, samples: timed };
}

/** @returns A run without a failure that meets every target. */
export function exampleReport(): BenchReport {
  return {
    machine: "2 × AMD EPYC, Docker Engine 26.1",
    date: new Date("2026-11-21T09:30:00Z"),
    cores: 2,
    settings: { quick: false, rounds: 3, seconds: 3 },
    contenders: contenderNames.map((name) => exampleContender(name, 1)),
    withoutLogs: contenderNames.map((name) => exampleContender(name, 2)),
    byTheClock: [true, false].flatMap((logs) => proxyNames.map((name) => examplePoint(name, logs))),
  };
}

/** @returns The report with another load of one contender at 32 connections. */
export function withSpeed(
  report: BenchReport,
  name: ContenderName,
  rate: number,
  p99Ms = speeds[name][1],
  spread?: number,
): BenchReport {
  const load = [loadPoint(32, rate, p99Ms, spread)];
  const contenders = report.contenders.map((contender) =>
    contender.name === name ? { ...contender, load } : contender,
  );
  return { ...report, contenders };
}
