import { Agent } from "node:http";
import { type Answer, fetchAnswer } from "../../tools/lib/http";

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
