import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  /** What is waited for, as it reads after "timed out after 5 s waiting for". */
  for: string;
  timeoutMs: number;
  intervalMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Polls a condition, at least once, until it returns something other than undefined or false.
 * @returns That value.
 * @throws {Error} after the timeout; the signal's reason if it aborts.
 */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const { timeoutMs, intervalMs = 100, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() >= deadline) {
      throw new Error(`timed out after ${timeoutMs / 1000} s waiting for ${options.for}`);
    }
    await sleep(intervalMs);
  }
}
