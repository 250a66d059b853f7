import type { ContenderName } from "./contenders";

/** All that a run of the benchmark found. Every figure comes with the raw ones it was made from. */
export interface BenchReport {
  /** What it was measured on, in a line. */
  machine: string;
  date: Date;
  settings: Settings;
  contenders: ContenderReport[];
  rotation: RotationPoint[];
  /** What follows is undefined where it was not measured: in a quick run, or without a browser. */
  builds: BuildReport | undefined;
  page: PageReport | undefined;
  soak: SoakReport | undefined;
}

export interface Settings {
  quick: boolean;
  /** Turns that each contender had. */
  rounds: number;
  /** Of load for each sample, after a warm-up that does not count. */
  seconds: number;
}

/** What was measured of one stack. */
export interface ContenderReport {
  name: ContenderName;
  /** For a table, such as `production`. */
  title: string;
  about: string;
  /** Of what makes the difference, such as `nginx 1.30.0, Node.js 24.11.1`. */
  versions: string;
  load: LoadPoint[];
  /** Seconds from `docker-compose up` to the first right answer, images built, one for each round. */
  startSeconds: number[];
  /** Each service, its containers together, after the start and before any load. */
  rest: Usage[];
  /** The same under load: two servers, 32 connections. */
  busy: Usage[];
  images: ImageSize[];
}

/** A number of servers and connections, and what came of it in each round. */
export interface LoadPoint {
  /** Replicas of the service that answers. */
  servers: number;
  connections: number;
  samples: Sample[];
}

/** Some seconds of load: every connection sends its next request once it has its answer. */
export interface Sample {
  requests: number;
  /** Requests without an answer, or with another status than 200. */
  failed: number;
  perSecond: number;
  medianMs: number;
  p99Ms: number;
  worstMs: number;
}

/** What the containers of one service took, together. */
export interface Usage {
  service: string;
  containers: number;
  /** Without pages of files, which containers share. */
  megabytes: number;
  /** Cores in use, averaged over the time that was measured. */
  cores: number;
}

export interface ImageSize {
  service: string;
  /** All of it, of 1,000,000 bytes each. */
  megabytes: number;
  /** What it has on top of its base image; undefined where the engine does not have that. */
  aboveBase: number | undefined;
}

/** How evenly production shares some number of requests. */
export interface RotationPoint {
  servers: number;
  connections: number;
  requests: number;
  /** Requests that each server answered, by its own log. */
  shares: number[];
  /** Largest less smallest share. */
  difference: number;
}

/** Seconds to build the images of production. */
export interface BuildReport {
  /** All three, nothing cached. */
  coldSeconds: number;
  /** The back-end, after a change to api.ts alone; one for each try. */
  editSeconds: number[];
}

/** The front page in a real browser, whole page scrolled. */
export interface PageReport {
  ours: PageWeight;
  /** A page of the original's weight, so that both are timed by one browser; see its files. */
  original: PageWeight;
}

export interface PageWeight {
  requests: number;
  /** On the wire, headers included. */
  bytes: number;
  /** Milliseconds to the largest contentful paint, one for each visit. */
  largestPaintMs: number[];
}

/** Memory of production under load that goes on. */
export interface SoakReport {
  seconds: number;
  connections: number;
  requests: number;
  failed: number;
  services: SoakedService[];
}

export interface SoakedService {
  service: string;
  /** One for each reading, in equal steps over the soak. */
  megabytes: number[];
}

/** @returns The middle one, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}
