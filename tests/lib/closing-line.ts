import type { Reporter, TestModule } from "vitest/node";

/**
 * Prints `N passed, N failed, N skipped` on a separate line after a run. In CI a skipped test is a
 * failure, because everything that the tests need can be installed there.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) count[test.result().state] += 1;
      // A file that does not load has no tests
      if (tests.length === 0 && module.state() === "failed") count.failed += 1;
    }
    const skipped = count.skipped + count.pending;
    if (skipped > 0 && process.env.CI !== undefined) process.exitCode = 1;
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${skipped} skipped\n`);
  }
}
