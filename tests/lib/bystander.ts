import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, fetchAnswer } from "../../tools/lib/http";

/** What came of the requests of an ordinary client. */
export interface Experience {
  sent: number;
  /** Answers other than the expected one, and the lack of one. */
  failures: string[];
}

/** A client that goes on asking politely while something else happens to the stack. */
export interface Bystander {
  /** Ends it after the answers that are under way. */
  leave(): Promise<Experience>;
}

const tellFailure = ({ status, error, body, ms }: Answer, path: string): string =>
  `${path}: ${status ?? error} after ${Math.round(ms)} ms ${JSON.stringify(body.slice(0, 60))}`;

/**
 * Sends GETs one after the other to each of some paths, each path over a connection of its own.
 * @param expected The body that each path must be answered with.
 */
export function startBystander(
  origin: string,
  expected: Readonly<Record<string, string>>,
): Bystander {
  const experience: Experience = { sent: 0, failures: [] };
  const leaving = new AbortController();
  const clients = Object.entries(expected).map(async ([path, body]) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!leaving.signal.aborted) {
      const answer = await fetchAnswer(origin + path, { agent });
      experience.sent += 1;
      if (answer.status !== 200 || answer.body !== body) {
        experience.failures.push(tellFailure(answer, path));
      }
      await sleep(5);
    }
    agent.destroy();
  });
  return {
    leave: async () => {
      leaving.abort();
      await Promise.all(clients);
      return experience;
    },
  };
}
