import { afterEach, expect, it, vi } from "vitest";
import { type Report, runSteps } from "../../tools/lib/progress";

afterEach(() => vi.restoreAllMocks());

it("prints steps without control sequences", async () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const run = async (report: Report): Promise<string> => {
    report("\x1b]0;title\x07a milestone");
    report.detail("\x1b]52;c;cm0=\x07a detail");
    return "\x1b[2Jdone";
  };
  await runSteps([{ title: "a step", run }]);
  const output = write.mock.calls.join("");
  expect(output).toContain("a milestone");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colors are listr2's
  expect(output.replace(/\x1b\[\d+m/g, "")).not.toMatch(/[\x1b\x07]/);
});

it("throws what a step throws, and does not run later steps", async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const error = new Error("no space left");
  const later = vi.fn();
  const steps = [
    { title: "a step", run: () => Promise.reject(error) },
    { title: "a later step", run: later },
  ];
  await expect(runSteps(steps)).rejects.toBe(error);
  expect(later).not.toHaveBeenCalled();
});
