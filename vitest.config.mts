import { defineConfig } from "vitest/config";

const minutes = 60_000;

/** Some CI systems have output in color by default; tests read it without. */
const plain = { env: { NO_COLOR: "1" } };

/** Tests that need Docker: an engine is found or brought up before them. */
const withEngine = {
  ...plain,
  globalSetup: ["tests/lib/engine.setup.ts"],
  // Unlike processes, threads never outlive a run that is cut off
  pool: "threads" as const,
  testTimeout: 2 * minutes,
  hookTimeout: 10 * minutes,
};

/** Tests that also look at pages: a Chromium is found or installed before them. */
const withChromium = {
  ...withEngine,
  globalSetup: [...withEngine.globalSetup, "tests/lib/chromium.setup.ts"],
  retry: { count: 3, condition: /ERR_NETWORK_CHANGED/ },
};

const faults = "tests/stack/faults.test.ts";
const cluster = "tests/stack/cluster*.test.ts";
const bench = "tests/stack/bench.test.ts";
const leftovers = "tests/stack/grader-leftovers.test.ts";
/** On a busy machine, a proxy takes a server that responds late for one that fails. */
const failover = ["post-once", "redeploy", "scaling", "tracing", "visitor-counter-faults"].map(
  (name) => `tests/stack/${name}.test.ts`,
);

export default defineConfig({
  test: {
    // By default one processor stays idle, which is half of a machine with two
    maxWorkers: "100%",
    reporters: ["default", "./tests/lib/closing-line.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/unit/**/*.test.ts"],
          testTimeout: 30_000,
          ...plain,
        },
      },
      { test: { name: "contract", include: ["tests/contract/**/*.test.ts"], ...withEngine } },
      {
        test: {
          name: "stack",
          include: ["tests/stack/**/*.test.ts"],
          exclude: [faults, cluster, bench, leftovers, ...failover],
          ...withChromium,
        },
      },
      { test: { name: "browser", include: ["tests/browser/**/*.test.ts"], ...withChromium } },
      {
        test: {
          name: "failover",
          include: failover,
          ...withEngine,
          // One after the other, and after those above
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "faults",
          include: [faults],
          ...withEngine,
          // After the others: servers that do not get to run while they start are another fault
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "cluster",
          include: [cluster],
          ...withEngine,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "bench",
          include: [bench],
          ...withEngine,
          // Alone: other tests would distort the figures
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "leftovers",
          include: [leftovers],
          ...withEngine,
          // Alone: it compares all that there is on the engine and on the machine
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
