import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchAnswer } from "../../tools/lib/http";

/**
 * Sends ordinary requests while something else happens to the stack: GET requests to some paths, one
 * after the other over a connection for each path.
 * @param expected The body of each path's response.
 * @returns Ends it after the requests in flight. `failures` has each response other than the expected.
 */
export function startBystander(
  origin: string,
  expected: Readonly<Record<string, string>>,
): () => Promise<{ sent: number; failures: string[] }> {
  let sent = 0;
  const failures: string[] = [];
  const leaving = new AbortController();
  const clients = Object.entries(expected).map(async ([path, expectedBody]) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!leaving.signal.aborted) {
      const { status, error, body, ms } = await fetchAnswer(origin + path, { agent });
      sent += 1;
      if (status !== 200 || body !== expectedBody) {
        const start = JSON.stringify(body.slice(0, 60));
        failures.push(`${path}: ${status ?? error} after ${Math.round(ms)} ms ${start}`);
      }
      await sleep(5);
    }
    agent.destroy();
  });
  return async () => {
    leaving.abort();
    await Promise.all(clients);
    return { sent, failures };
  };
}
