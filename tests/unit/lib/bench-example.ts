import { type ContenderName, contenderNames as names } from "../../../tools/bench/contenders";
import type {
  BenchReport,
  ContenderReport,
  LoadPoint,
  PageReport,
  Usage,
} from "../../../tools/bench/report";

/** Pseudo-random around 1, the same each time. */
const wobble = (seed: number, by: number): number => 1 + by * Math.sin(seed * 12.9898);

function point(servers: number, connections: number, rate: number, p99Ms: number): LoadPoint {
  return {
    servers,
    connections,
    samples: [1, 2, 3].map((round) => {
      const perSecond = rate * wobble(round + servers + connections, 0.02);
      return {
        ...{ requests: Math.round(perSecond * 5), failed: 0, perSecond },
        medianMs: (1_000 * connections) / perSecond / 1.1,
        p99Ms: p99Ms * wobble(round, 0.05),
        worstMs: p99Ms * 3 * wobble(round, 0.3),
      };
    }),
  };
}

const use = (service: string, containers: number, megabytes: number, cores: number): Usage => ({
  ...{ service, containers, megabytes, cores },
});

interface Traits {
  title: string;
  about: string;
  versions: string;
  rate: number;
  p99Ms: number;
  startSeconds: number;
  backEnd: [megabytes: number, cores: number];
}

const traits: Record<ContenderName, Traits> = {
  production: {
    ...{ title: "production", about: "This project's stack: nginx before Express." },
    ...{ versions: "nginx 1.30.0, Node.js 24.11.1", rate: 4_812, p99Ms: 14.2 },
    ...{ startSeconds: 2.4, backEnd: [64, 1.31] },
  },
  haproxy: {
    ...{ title: "HAProxy + Express", about: "production with HAProxy for its proxy." },
    ...{ versions: "HAProxy 3.2.4, Node.js 24.11.1", rate: 4_630, p99Ms: 15.1 },
    ...{ startSeconds: 2.3, backEnd: [65, 1.33] },
  },
  caddy: {
    ...{ title: "Caddy + Express", about: "production with Caddy for its proxy." },
    ...{ versions: "Caddy 2.10.2, Node.js 24.11.1", rate: 3_391, p99Ms: 24.8 },
    ...{ startSeconds: 2.5, backEnd: [64, 0.98] },
  },
  task6: {
    ...{ title: "task6", about: "The course's last step: nginx before Express." },
    ...{ versions: "nginx 1.30.0, Node.js 24.11.1", rate: 2_105, p99Ms: 33.5 },
    ...{ startSeconds: 2.9, backEnd: [63, 1.12] },
  },
  gunicorn: {
    ...{ title: "nginx + Flask, gunicorn", about: "The original, its API under gunicorn." },
    ...{ versions: "nginx 1.30.0, Flask 3.1.2, gunicorn 23.0.0", rate: 1_240, p99Ms: 58 },
    ...{ startSeconds: 3.3, backEnd: [112, 1.62] },
  },
  original: {
    ...{ title: "nginx + Flask", about: "The stack of the course's text." },
    ...{ versions: "nginx 1.30.0, Flask 3.1.2, Python 3.13.5", rate: 648, p99Ms: 121 },
    ...{ startSeconds: 3.1, backEnd: [74, 1.66] },
  },
  limit: {
    ...{ title: "production's proxy alone", about: "Before servers that cost nothing." },
    ...{ versions: "nginx 1.30.0", rate: 6_420, p99Ms: 11.9 },
    ...{ startSeconds: 1.4, backEnd: [9, 0.4] },
  },
  nginx: {
    ...{ title: "one nginx, no proxy", about: "One of those servers, asked directly." },
    ...{ versions: "nginx 1.30.0", rate: 17_900, p99Ms: 4.4 },
    ...{ startSeconds: 0.9, backEnd: [5, 0.7] },
  },
};

function contender(name: ContenderName, isQuick: boolean): ContenderReport {
  const { title, about, versions, rate, p99Ms, startSeconds, backEnd } = traits[name];
  const servers = name === "nginx" ? 1 : 2;
  const [megabytes, cores] = backEnd;
  const compared = point(servers, 32, rate, p99Ms);
  const isAlone = name === "nginx";
  const grown = (scale: number): number => rate * (0.86 + 0.07 * Math.log2(scale * 2));
  return {
    ...{ name, title, about, versions },
    load: [
      ...(isQuick
        ? [{ ...compared, samples: compared.samples.slice(0, 1) }]
        : [
            compared,
            point(servers, 1, rate * 0.32, p99Ms / 9),
            point(servers, 256, rate * 0.94, p99Ms * 8),
            ...(isAlone ? [] : [1, 4, 8].map((scale) => point(scale, 32, grown(scale), p99Ms))),
          ]),
    ],
    startSeconds: (isQuick ? [1] : [1, 2, 3]).map((round) => startSeconds * wobble(round, 0.05)),
    rest: [
      ...(isAlone ? [] : [use("proxy", 1, 6.1, 0)]),
      use(isAlone ? "nginx" : "back-end", servers, megabytes, 0.01),
    ],
    busy: [
      ...(isAlone ? [] : [use("proxy", 1, 8.4, 0.52)]),
      use(isAlone ? "nginx" : "back-end", servers, megabytes * 1.4, cores),
    ],
    images: [
      ...(isAlone ? [] : [{ service: "proxy", megabytes: 198.2, aboveBase: 0.1 }]),
      { service: isAlone ? "nginx" : "back-end", megabytes: 236.4, aboveBase: 124.8 },
    ],
  };
}

/** @returns A front page that weighs so many bytes, and one of the original's weight. */
export const pageOf = (bytes: number): PageReport => ({
  ours: { requests: 9, bytes, largestPaintMs: [212, 205, 240] },
  original: { requests: 31, bytes: 1_482_133, largestPaintMs: [871, 902, 866] },
});

/** @returns A run in which everything was measured and every target is met. */
export function fullReport(): BenchReport {
  return {
    machine: "2 × AMD EPYC, 7.8 GB, Debian 12, Docker Engine 26.1",
    date: new Date("2026-11-21T09:30:00Z"),
    settings: { quick: false, rounds: 3, seconds: 5 },
    contenders: names.map((name) => contender(name, false)),
    rotation: [
      { servers: 2, connections: 1, requests: 1_000, shares: [500, 500], difference: 0 },
      { servers: 2, connections: 32, requests: 10_001, shares: [5_001, 5_000], difference: 1 },
      ...[4, 8].map((servers) => ({
        ...{ servers, connections: 32, requests: 10_000, difference: 0 },
        shares: Array.from({ length: servers }, () => 10_000 / servers),
      })),
    ],
    builds: { coldSeconds: 41.2, editSeconds: [3.4, 3.1, 3.6] },
    page: pageOf(48_211),
    soak: {
      ...{ seconds: 300, connections: 32, requests: 1_401_220, failed: 0 },
      services: [
        { service: "proxy", megabytes: Array.from({ length: 30 }, (_, at) => 8 + (at % 2) / 10) },
        {
          service: "back-end",
          megabytes: Array.from({ length: 30 }, (_, at) => 104 - 30 / (at + 1) + 4 * (at % 3)),
        },
      ],
    },
  };
}

/** @returns A quick run: one number of servers and of connections, no builds, page or soak, and no Caddy. */
export function quickReport(): BenchReport {
  const report = fullReport();
  return {
    ...report,
    settings: { quick: true, rounds: 1, seconds: 2 },
    contenders: names.filter((name) => name !== "caddy").map((name) => contender(name, true)),
    ...{ builds: undefined, page: undefined, soak: undefined },
  };
}

/** @returns The same report, with one contender replaced. */
export const replaced = (
  report: BenchReport,
  name: ContenderName,
  by: (one: ContenderReport) => Partial<ContenderReport>,
): BenchReport => ({
  ...report,
  contenders: report.contenders.map((one) => (one.name === name ? { ...one, ...by(one) } : one)),
});

/** @returns The same report, with all rates of one contender multiplied. */
export const scaled = (report: BenchReport, name: ContenderName, by: number): BenchReport =>
  replaced(report, name, ({ load }) => ({
    load: load.map((at) => ({
      ...at,
      samples: at.samples.map((sample) => ({ ...sample, perSecond: sample.perSecond * by })),
    })),
  }));
