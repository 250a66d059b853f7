import { describe, expect, it, vi } from "vitest";
import { waitUntil } from "../../tools/lib/wait";

const quick = { for: "the moon", timeoutMs: 1000, intervalMs: 1 };

describe("waitUntil", () => {
  it("asks again and again until there is an answer", async () => {
    const condition = vi.fn<() => string | undefined | false>();
    condition.mockReturnValueOnce(undefined).mockReturnValueOnce(false).mockReturnValue("full");
    expect(await waitUntil(condition, quick)).toBe("full");
    expect(condition).toHaveBeenCalledTimes(3);
  });

  it.each([0, "", null])("takes %j for an answer", async (answer) => {
    expect(await waitUntil(() => answer, quick)).toBe(answer);
  });

  it("waits for an answer that takes its time", async () => {
    expect(await waitUntil(async () => "later", quick)).toBe("later");
  });

  it("says what it waited for, and how long, when the time is over", async () => {
    const wait = waitUntil(() => false, { ...quick, timeoutMs: 20 });
    await expect(wait).rejects.toThrow("waited 0.02 s for the moon, in vain");
  });

  it("asks at least once, however short the time", async () => {
    expect(await waitUntil(() => "at once", { ...quick, timeoutMs: 0 })).toBe("at once");
  });

  it("throws what the condition throws", async () => {
    const wait = waitUntil(() => Promise.reject(new Error("no moon")), quick);
    await expect(wait).rejects.toThrow("no moon");
  });

  it("stops with the signal's reason when it aborts", async () => {
    const controller = new AbortController();
    const wait = waitUntil(() => controller.abort(new Error("Ctrl-C")) ?? false, {
      ...quick,
      signal: controller.signal,
    });
    await expect(wait).rejects.toThrow("Ctrl-C");
  });

  it("does not ask when the signal has aborted already", async () => {
    const condition = vi.fn(() => true);
    await expect(waitUntil(condition, { ...quick, signal: AbortSignal.abort() })).rejects.toThrow();
    expect(condition).not.toHaveBeenCalled();
  });
});
