/** How much is measured. */
export interface Plan {
  rounds: number;
  /** Seconds of load for each sample, and before it. */
  seconds: number;
  warmUp: number;
  /** Numbers of connections; contenders are compared at the first. */
  connections: readonly [number, ...number[]];
  rotation: {
    servers: readonly [number, ...number[]];
    connections: readonly number[];
    requests: number;
  };
  /** Seconds of continuous load; 0 for none. */
  soak: number;
}

/** After two seconds, Node.js has compiled what it executes often. */
export const fullPlan: Plan = {
  rounds: 3,
  seconds: 3,
  warmUp: 2,
  connections: [32, 1, 256],
  rotation: { servers: [1, 2, 4, 8], connections: [1, 32, 256], requests: 10_000 },
  soak: 300,
};

export const quickPlan: Plan = {
  rounds: 1,
  seconds: 1,
  warmUp: 0.5,
  connections: [32],
  rotation: { servers: [2, 4], connections: [32, 256], requests: 10_000 },
  soak: 0,
};
