import type { ContenderName } from "./contenders";

/** The results of a run. Every figure comes with the raw ones that it is made from. */
export interface BenchReport {
  /** The machine and the engine, in one line. */
  machine: string;
  date: Date;
  /** CPU cores of the machine, which the load generator and the stack share. */
  cores: number;
  settings: { quick: boolean; rounds: number; seconds: number };
  /** As shipped: each request is logged by the proxy and by the server. */
  contenders: ContenderReport[];
  /** The same without access logs. */
  withoutLogs: ContenderReport[];
  byTheClock: ClockPoint[];
}

export interface ContenderReport {
  name: ContenderName;
  title: string;
  about: string;
  /** The versions of its programs, such as `nginx 1.30.0, Node.js 24.11.1`. */
  versions: string;
  load: LoadPoint[];
}

/** A number of connections, with a sample for each round. */
export interface LoadPoint {
  connections: number;
  samples: Sample[];
}

/** A load whose requests are due at a fixed rate, with a sample for each round. */
export interface ClockPoint {
  name: ContenderName;
  title: string;
  logs: boolean;
  /** The slowest proxy, and the share of its requests per second that are due here. */
  slowest: string;
  share: number;
  /** Requests per second. */
  rate: number;
  samples: Sample[];
}

/** Some seconds of load. */
export interface Sample {
  requests: number;
  /** Requests without a response, or with another status than 200. */
  failed: number;
  perSecond: number;
  medianMs: number;
  p99Ms: number;
  p999Ms: number;
  worstMs: number;
  /** How late the generator sent 99 % of the requests by the clock; undefined for other loads. */
  lateMs?: number;
  /** Each service, the load generator included, all its containers together. */
  usage: Usage[];
}

/** What the containers of one service use, together. */
export interface Usage {
  service: string;
  containers: number;
  /** Without the page cache, which containers share. */
  megabytes: number;
  /** CPU time in this sample. */
  cpuSeconds: number;
}
