import path from "node:path";
import { expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { attempt } from "../../tools/lib/run";

it.concurrent.each([
  { fixture: "fixture", CI: "true", lastLine: "3 passed, 2 failed, 1 skipped", exitCode: 1 },
  { fixture: "skips", CI: "true", lastLine: "1 passed, 0 failed, 1 skipped", exitCode: 1 },
  { fixture: "skips", CI: undefined, lastLine: "1 passed, 0 failed, 1 skipped", exitCode: 0 },
])("counts the run of $fixture if CI is $CI", async ({ fixture, CI, ...expected }) => {
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const cwd = path.join(__dirname, "fixtures/outcomes");
  const run = argv`${vitest} run ${fixture}`;
  const { stdout, exitCode } = await attempt(process.execPath, run, { cwd, env: { CI } });
  expect({ lastLine: stdout.trim().split("\n").at(-1), exitCode }).toEqual(expected);
});
