import { Agent, request } from "node:http";

/** One answer, or the lack of one. */
export interface Answer {
  /** Undefined when no answer came. */
  status: number | undefined;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
  /** Milliseconds from sending to the last byte. */
  ms: number;
  /** Why no answer came. */
  error?: string;
}

/** Bytes; an answer that goes on for longer is cut off. */
const longestBody = 5_000_000;

export interface Request {
  method?: string;
  headers?: Record<string, string>;
  agent?: Agent;
  timeoutMs?: number;
}

/**
 * Sends one request and reads the whole answer.
 * @param url An http address.
 * @returns The answer; a refused, cut or late one has an `error` and no status. Never throws.
 */
export function fetchAnswer(url: string, options: Request = {}): Promise<Answer> {
  const { method = "GET", headers = {}, agent, timeoutMs = 10_000 } = options;
  const start = performance.now();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const settle = (answer: Pick<Answer, "status" | "headers"> & { error?: string }): void => {
      const body = Buffer.concat(chunks).toString();
      resolve({ ...answer, body, ms: performance.now() - start });
    };
    const fail = (error: Error): void =>
      settle({ status: undefined, headers: {}, error: error.message });
    const sent = request(
      url,
      { method, headers, agent, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > longestBody) sent.destroy(new Error(`more than ${longestBody / 1e6} MB`));
        });
        response.on("end", () =>
          settle({ status: response.statusCode, headers: response.headers }),
        );
        response.on("error", fail);
      },
    );
    sent.on("error", fail);
    sent.end();
  });
}

export interface Load {
  /** Requests in total; without it, as many as there is time for. */
  count?: number;
  /** Connections that stay open, each with one request at a time. */
  connections: number;
  /** Ends it after the answers that are under way. */
  signal?: AbortSignal;
  /** Told of each answer. */
  onAnswer?: (answer: Answer) => void;
}

/**
 * Sends many requests over a fixed number of connections, each connection sending its next request
 * once it has the answer to the last.
 * @returns All answers, in the order in which they came.
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
