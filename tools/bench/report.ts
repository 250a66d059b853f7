import type { ContenderName } from "./contenders";

/** The results of a run. Every figure comes with the raw ones that it is made from. */
export interface BenchReport {
  /** The machine and the engine, in one line. */
  machine: string;
  date: Date;
  settings: { quick: boolean; rounds: number; seconds: number };
  contenders: ContenderReport[];
  rotation: RotationPoint[];
  /** Undefined in a quick run. */
  soak: SoakReport | undefined;
}

export interface ContenderReport {
  name: ContenderName;
  title: string;
  about: string;
  /** The versions of its programs, such as `nginx 1.30.0, Node.js 24.11.1`. */
  versions: string;
  load: LoadPoint[];
  /** Each service under load, all its containers together, read in the first round. */
  busy: Usage[];
}

/** A number of servers and connections, with a sample for each round. */
export interface LoadPoint {
  /** Replicas of the back-end. */
  servers: number;
  connections: number;
  samples: Sample[];
}

/** Some seconds of load, in which every connection sends its next request after each response. */
export interface Sample {
  requests: number;
  /** Requests without a response, or with another status than 200. */
  failed: number;
  perSecond: number;
  medianMs: number;
  p99Ms: number;
  worstMs: number;
}

/** What the containers of one service use, together. */
export interface Usage {
  service: string;
  containers: number;
  /** Without the page cache, which containers share. */
  megabytes: number;
  /** CPU cores in use, on average. */
  cores: number;
}

/** How evenly production shares requests among its servers. */
export interface RotationPoint {
  servers: number;
  connections: number;
  requests: number;
  /** Requests in the log of each server. */
  shares: number[];
  /** The largest share minus the smallest. */
  difference: number;
}

/** Memory of production under continuous load. */
export interface SoakReport {
  seconds: number;
  connections: number;
  requests: number;
  failed: number;
  /** Readings at equal intervals. */
  services: { service: string; megabytes: number[] }[];
}
