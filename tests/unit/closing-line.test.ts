import path from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { attempt } from "../../tools/lib/run";

/** Runs fixtures in a Vitest of their own. */
async function outcomeOf(fixture: string, env: NodeJS.ProcessEnv) {
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const cwd = path.join(__dirname, "fixtures/outcomes");
  const ended = await attempt(process.execPath, [vitest, "run", fixture], { cwd, env });
  return { lastLine: ended.stdout.trim().split("\n").at(-1), exitCode: ended.exitCode };
}

describe.each([
  { where: "in CI", env: { CI: "true" }, afterSkip: 1 },
  { where: "elsewhere", env: { CI: undefined }, afterSkip: 0 },
])("the closing line $where", ({ env, afterSkip }) => {
  it.each([
    { fixture: "passes", lastLine: "2 passed, 0 failed, 0 skipped", exitCode: 0 },
    { fixture: "skips", lastLine: "1 passed, 0 failed, 1 skipped", exitCode: afterSkip },
    { fixture: "fails", lastLine: "0 passed, 1 failed, 0 skipped", exitCode: 1 },
    { fixture: "does-not-load", lastLine: "0 passed, 1 failed, 0 skipped", exitCode: 1 },
    { fixture: "fixture", lastLine: "3 passed, 2 failed, 1 skipped", exitCode: 1 },
  ])("counts what the run of $fixture came to", async ({ fixture, ...expected }) => {
    expect(await outcomeOf(fixture, env)).toEqual(expected);
  });
});
