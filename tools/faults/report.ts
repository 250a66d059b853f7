import type { Bucket } from "./measure";

/** What a case should reach; only lost requests decide the exit code. */
export interface Target {
  worstMs: number;
  evenS: number;
  /** The slowest answer that turns a visitor away. */
  turnedAwayMs?: number;
  /** From the return of the first server until an answer of it. */
  servedAgainS?: number;
}

/** One fault, tried once. */
export interface CaseReport {
  name: string;
  /** What was done, in a sentence. */
  about: string;
  /** Counted from 1. */
  round: number;
  sent: number;
  lost: number;
  turnedAway: number;
  p99Ms: number;
  worstMs: number;
  slowestTurnedAwayMs?: number;
  /** Seconds from the return of the first server until it served, where none was left. */
  servedAgainS?: number;
  /** Seconds from the restoring until all servers shared evenly; null where it cannot be known. */
  evenAfterS: number | null;
  /** API answers by server, for instance `back-end-1`; empty where it cannot be known. */
  shares: { server: string; answers: number }[];
  target: Target;
  /** What is beyond its target. */
  missed: (keyof Target)[];
  /** Seconds from the start of the load: when the fault began and when all was restored. */
  fault: { fromS: number; toS: number };
  events: { atS: number; label: string }[];
  bucketS: number;
  buckets: Bucket[];
  /** The first few. */
  lostExamples: { atS: number; path: string; status: number | null; reason: string }[];
}

export interface LabReport {
  stack: string;
  machine: string;
  date: Date;
  rounds: number;
  connections: number;
  cases: CaseReport[];
}
