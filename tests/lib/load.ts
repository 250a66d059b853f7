import { Agent } from "node:http";
import { countServed, type Stack } from "../../tools/lib/compose";
import { type Answer, fetchAnswer } from "../../tools/lib/http";
import { waitUntil } from "../../tools/lib/wait";

interface Load {
  /** Requests in total; without it, until `signal` aborts. */
  count?: number;
  /** Keep-alive connections, each with one request at a time. */
  connections: number;
  /** Sends no more requests once it aborts. */
  signal?: AbortSignal;
  /** Called with each response. */
  onAnswer?: (answer: Answer) => void;
}

/**
 * Sends many requests over a fixed number of connections.
 * @returns All responses, in the order in which they arrived.
 */
export async function fetchMany(url: string, load: Load): Promise<Answer[]> {
  const { count = Number.POSITIVE_INFINITY, connections, signal, onAnswer } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answers: Answer[] = [];
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < count && signal?.aborted !== true) {
      sent += 1;
      const answer = await fetchAnswer(url, { agent });
      answers.push(answer);
      onAnswer?.(answer);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
  return answers;
}

/**
 * Sends requests from before some work until it is done, however fast they are served.
 * @returns All responses, in the order in which they arrived.
 * @throws What the work throws, once the last response is there.
 */
export async function fetchDuring(
  url: string,
  load: Pick<Load, "connections" | "onAnswer">,
  work: () => Promise<unknown>,
): Promise<Answer[]> {
  const controller = new AbortController();
  const responses = fetchMany(url, { ...load, signal: controller.signal });
  try {
    await work();
  } finally {
    controller.abort();
    await responses;
  }
  return responses;
}

/** Waits, during a load with a marker, until each server of a service has got a request of it. */
export async function waitUntilEachServed(
  stack: Stack,
  service: string,
  marker: string,
): Promise<void> {
  await waitUntil(
    async () => {
      const served = await countServed(stack, service, marker, 1);
      return [...served.values()].every((count) => count > 0);
    },
    { for: `a request at each server of ${service}`, timeoutMs: 10_000, intervalMs: 20 },
  );
}
