import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  /** What is waited for, as it reads after "waited 5 s for". */
  for: string;
  timeoutMs: number;
  intervalMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Polls until a condition holds.
 * @param condition Answers something other than undefined or false once it holds.
 * @returns That answer.
 * @throws {Error} when the time is over; the signal's reason when it aborts.
 */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const { timeoutMs, intervalMs = 100, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await condition();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeoutMs / 1000} s for ${options.for}, in vain`);
    }
    await sleep(intervalMs);
  }
}
