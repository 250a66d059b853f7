/** How much is measured. */
export interface Plan {
  rounds: number;
  /** Seconds of load for a sample. */
  seconds: number;
  /** Seconds of load before the first sample of a stack that was just started. */
  warmUp: number;
  /** Further numbers of connections, in the first rounds. */
  further: { connections: readonly number[]; seconds: number; rounds: number };
  /** Requests that arrive by the clock, at shares of the slowest proxy's rate. */
  clock: { shares: readonly number[]; rounds: number };
}

/** After two seconds, Node.js has compiled what it executes often. */
export const fullPlan: Plan = {
  rounds: 7,
  seconds: 10,
  warmUp: 2,
  further: { connections: [1, 256], seconds: 3, rounds: 3 },
  clock: { shares: [0.25, 0.5, 0.75], rounds: 3 },
};

export const quickPlan: Plan = {
  rounds: 1,
  seconds: 1,
  warmUp: 0.5,
  further: { connections: [], seconds: 1, rounds: 0 },
  clock: { shares: [0.5], rounds: 1 },
};
