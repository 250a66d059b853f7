import { describe, expect, it, vi } from "vitest";
import { waitUntil } from "../../tools/lib/wait";

const quick = { for: "the moon", timeoutMs: 1_000, intervalMs: 1 };

describe("waitUntil", () => {
  it("polls until the condition returns a value", async () => {
    const condition = vi.fn<() => Promise<string | undefined | false>>();
    condition.mockResolvedValueOnce(undefined).mockResolvedValueOnce(false);
    condition.mockResolvedValue("full");
    expect(await waitUntil(condition, quick)).toBe("full");
    expect(condition).toHaveBeenCalledTimes(3);
  });

  it.each([0, "", null])("returns the value %j, even without time to wait", async (value) => {
    expect(await waitUntil(() => value, { ...quick, timeoutMs: 0 })).toBe(value);
  });

  it("throws after the timeout", async () => {
    const wait = waitUntil(() => false, { ...quick, timeoutMs: 20 });
    await expect(wait).rejects.toThrow("timed out after 0.02 s waiting for the moon");
  });

  it("throws the signal's reason if it aborts", async () => {
    const controller = new AbortController();
    const condition = vi.fn(() => controller.abort(new Error("Ctrl-C")) ?? false);
    const wait = { ...quick, signal: controller.signal };
    await expect(waitUntil(condition, wait)).rejects.toThrow("Ctrl-C");
    await expect(waitUntil(condition, wait)).rejects.toThrow("Ctrl-C");
    expect(condition).toHaveBeenCalledOnce();
  });
});
