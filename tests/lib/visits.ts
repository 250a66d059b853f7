import { compose, type Stack } from "../../tools/lib/compose";
import { type Answer, fetchAnswer, fetchMany } from "../../tools/lib/http";
import { waitUntil } from "../../tools/lib/wait";
import type { TestStack } from "./stacks";

/** @returns An address of the visitor counter. */
export const counterUrl = ({ ports }: TestStack, path: string): string =>
  `http://localhost:${ports.web}${path}`;

/**
 * Reads the number that a counted visit was told.
 * @throws {Error} where it was told none.
 */
export function numberIn({ status, body }: Answer): number {
  const number = /^You are visitor number (\d+)\.\n$/.exec(body)?.[1];
  if (number === undefined) throw new Error(`no number in ${status} ${body}`);
  return Number(number);
}

/** @returns The count that the store holds, read beside the webapp; undefined before any visit. */
export async function storedCount(stack: Stack): Promise<string | undefined> {
  const value = await compose(stack, ["exec", "-T", "redis", "redis-cli", "get", "visits"]);
  return value === "" ? undefined : value;
}

/** What came of visits while something happened to the stack. */
export interface Outcome {
  sent: number;
  /** The numbers that visitors were told. */
  numbers: number[];
  /** Visits that were told of a problem, and those without any answer. */
  refused: Answer[];
  /** By how much the stored count rose. */
  rise: number;
  slowestMs: number;
}

/**
 * Visits over 32 connections, lets something happen in the middle, and goes on until visits are
 * counted again.
 */
export async function visitDuring(
  stack: TestStack,
  event: () => Promise<unknown>,
): Promise<Outcome> {
  const before = Number((await storedCount(stack)) ?? 0);
  const controller = new AbortController();
  const answers: Answer[] = [];
  const visits = fetchMany(counterUrl(stack, "/count"), {
    connections: 32,
    signal: controller.signal,
    onAnswer: (answer) => answers.push(answer),
  });
  const counted = (): number => answers.filter(({ status }) => status === 200).length;
  const untilCounted = async (more: number): Promise<void> => {
    const goal = counted() + more;
    await waitUntil(() => counted() >= goal, { for: `${more} visits`, timeoutMs: 30_000 });
  };
  try {
    await untilCounted(500);
    await event();
    await untilCounted(500);
  } finally {
    controller.abort();
    await visits;
  }
  const good = answers.filter(({ status }) => status === 200);
  return {
    sent: answers.length,
    numbers: good.map(numberIn),
    refused: answers.filter(({ status }) => status !== 200),
    rise: Number(await storedCount(stack)) - before,
    slowestMs: Math.max(...answers.map(({ ms }) => ms)),
  };
}

/** @returns The numbers that more than one visitor was told. */
export function repeated(numbers: readonly number[]): number[] {
  const seen = new Set<number>();
  return numbers.filter((number) => seen.size === seen.add(number).size);
}

/** Waits until a visit is counted. @returns Milliseconds that it took. */
export async function untilItCounts(stack: TestStack): Promise<number> {
  const start = performance.now();
  await waitUntil(async () => (await fetchAnswer(counterUrl(stack, "/count"))).status === 200, {
    for: "a visit to be counted",
    timeoutMs: 20_000,
    intervalMs: 20,
  });
  return performance.now() - start;
}
