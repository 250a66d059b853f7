import { afterEach, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { endScripts, startScript } from "../lib/child";

afterEach(endScripts);

it("shows of a step what is printable", async () => {
  const child = startScript(["tests/unit/fixtures/progress.ts"], {
    cwd: root,
    env: { NO_COLOR: "1" },
  });
  expect(await child.ended).toBe(0);
  expect(child.output.stderr).toContain("a milestone");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(child.output.stderr).not.toMatch(/[\x1b\x07]/);
});
