import type { Reporter, TestModule } from "vitest/node";

/**
 * Ends a run with `N passed, N failed, N skipped` on a line of its own. In CI a skip is a failure:
 * there, everything that the tests need can be had.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) count[test.result().state] += 1;
      // A file that does not even load has no tests to count
      if (tests.length === 0 && module.state() === "failed") count.failed += 1;
    }
    const skipped = count.skipped + count.pending;
    if (skipped > 0 && process.env.CI !== undefined) process.exitCode = 1;
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${skipped} skipped\n`);
  }
}
