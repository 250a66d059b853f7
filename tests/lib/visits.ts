import { expect } from "vitest";
import { argv } from "../../tools/lib/argv";
import { type Answer, waitUntilServed } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { fetchDuring } from "./load";
import type { TestStack } from "./stacks";

/** Whatever happens to the webapp or to Redis, a response takes less. */
export const maxResponseMs = 2_000;

/** @returns A URL of the visitor counter. */
export const counterUrl = ({ ports }: TestStack, path: string): string =>
  `http://localhost:${ports.web}${path}`;

/**
 * Reads the visitor's number in a response.
 * @throws {Error} if there is none.
 */
export function numberIn({ status, body }: Answer): number {
  const number = /^You are visitor number (\d+)\.\n$/.exec(body)?.[1];
  if (number === undefined) throw new Error(`no number in ${status} ${body}`);
  return Number(number);
}

/**
 * Runs a command in a stack's Redis. Not through Compose, which takes three times as long.
 * @param command Without spaces in its arguments, such as `set visits 5`.
 */
export const redisCli = ({ project }: TestStack, command: string): Promise<string> =>
  run("docker", argv`exec ${`${project}-redis-1`} redis-cli ${command.split(" ")}`);

/** @returns The count in Redis; undefined before the first visit. */
export async function storedCount(stack: TestStack): Promise<string | undefined> {
  const value = await redisCli(stack, "get visits");
  return value === "" ? undefined : value;
}

/** Visits over 32 connections, before, during and after an event, until visits are counted again. */
export async function visitDuring(stack: TestStack, event: () => Promise<unknown>) {
  const before = Number((await storedCount(stack)) ?? 0);
  const counted: Answer[] = [];
  const failed: Answer[] = [];
  const load = {
    connections: 32,
    onAnswer: (response: Answer) => (response.status === 200 ? counted : failed).push(response),
  };
  const waitForVisits = async (count: number): Promise<void> => {
    const goal = counted.length + count;
    await waitUntil(() => counted.length >= goal, { for: `${count} visits`, timeoutMs: 30_000 });
  };
  await fetchDuring(counterUrl(stack, "/count"), load, async () => {
    await waitForVisits(500);
    await event();
    await waitForVisits(500);
  });
  return {
    sent: counted.length + failed.length,
    numbers: counted.map(numberIn),
    /** All other responses, and requests without one. */
    failed,
    /** By how much the stored count rose. */
    rise: Number(await storedCount(stack)) - before,
    slowestMs: Math.max(...[...counted, ...failed].map(({ ms }) => ms)),
  };
}

/** Waits until a visit is counted. */
export async function waitUntilCounting(stack: TestStack): Promise<void> {
  await waitUntilServed(counterUrl(stack, "/count"), { timeoutMs: 20_000, intervalMs: 20 });
}

/** No number was given out twice, and each counted visit is stored. */
export function expectExact(outcome: Awaited<ReturnType<typeof visitDuring>>): void {
  const { sent, numbers, rise } = outcome;
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(rise).toBeGreaterThanOrEqual(numbers.length);
  expect(rise).toBeLessThanOrEqual(sent);
}

/** A well-formed 503, in time. */
export function expectUnavailable({ status, headers, body, ms }: Answer, text: string): void {
  const { "retry-after": retryAfter, "cache-control": cacheControl } = headers;
  expect([status, retryAfter, cacheControl]).toEqual([503, "1", "no-store"]);
  expect(body).toContain(text);
  expect(ms).toBeLessThan(maxResponseMs);
}
