/** What a case should reach. Only lost requests decide the exit code. */
export interface Target {
  worstMs: number;
  evenS: number;
  p99Ms?: number;
  over400Ms?: number;
  turnedAwayMs?: number;
  /** From the start of the first server until it serves a request. */
  servedAgainS?: number;
}

/** The requests that ended within a short span of time. */
export interface Bucket {
  /** Seconds from the start of the load. */
  atS: number;
  served: number;
  turnedAway: number;
  lost: number;
  worstMs: number;
  /** API responses by server, in the order of the case's shares. */
  shares: number[];
}

/** One run of a fault. */
export interface CaseReport {
  name: string;
  /** What was done, in a sentence. */
  about: string;
  round: number;
  sent: number;
  lost: number;
  /** Rejected while the fault allows it. */
  turnedAway: number;
  /** Of the requests in progress during the fault. */
  p99Ms: number;
  /** From the fault on, as the next ones: not during the warm-up. */
  worstMs: number;
  /** The number of requests that took 400 ms or longer. */
  over400Ms: number;
  /** The maximum number of requests in flight. */
  maxInFlight: number;
  /** How late the load sent its requests, other than because of the limit in flight. */
  lateness: { p99Ms: number; worstMs: number };
  slowestTurnedAwayMs?: number;
  /** Seconds from the start of the first server until it served, if all servers were down. */
  servedAgainS?: number;
  /** Seconds from the end of the fault until the load was balanced; null if unknown or never. */
  evenAfterS: number | null;
  /** API responses by server, such as `back-end-1`; empty if responses do not name the server. */
  shares: { server: string; answers: number }[];
  target: Target;
  missed: (keyof Target)[];
  /** Seconds from the start of the load until the fault began, and until all was restored. */
  fault: { fromS: number; toS: number };
  events: { atS: number; label: string }[];
  bucketS: number;
  buckets: Bucket[];
  lostExamples: { atS: number; path: string; status: number | null; reason: string }[];
}

export interface LabReport {
  stack: string;
  machine: string;
  date: Date;
  rounds: number;
  /** Requests per second. */
  rate: number;
  inFlightLimit: number;
  cases: CaseReport[];
}
