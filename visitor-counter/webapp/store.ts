import { once } from "node:events";
import { createClient } from "@redis/client";

/** Redis did not respond. */
export class StoreUnavailable extends Error {}

/** The stored value is not a count. It is left unchanged. */
export class InvalidCount extends Error {}

const key = "visits";

/** Milliseconds after which an operation fails. */
const timeoutMs = 1_000;

/** Milliseconds after which Redis refuses to count: before a visit is reported as not counted. */
const countDeadlineMs = 900;

/** Redis remembers a visit's ID for longer than nginx repeats a request. */
const visitTtlSeconds = "60";

/**
 * Counts a visit once, however often its ID (KEYS[2]) is sent, and not after its deadline: Redis would
 * otherwise, after it hung, count visits that have been reported as failed. The result is read with
 * GET because numbers in Lua are exact only up to 2^53. Redis runs a script atomically:
 * https://redis.io/docs/latest/develop/programmability/eval-intro/
 */
const countVisit = `
  local counted = redis.call("GET", KEYS[2])
  if counted then return counted end

  local now, deadline = redis.call("TIME"), tonumber(ARGV[1])
  if now[1] * 1000 + now[2] / 1000 > deadline then
    return redis.error_reply("LATE the deadline has passed")
  end
  local count = redis.call("GET", KEYS[1])
  if count and not count:find("^%d+$") then
    return redis.error_reply("INVALID the value is not a count")
  end
  redis.call("INCR", KEYS[1])
  count = redis.call("GET", KEYS[1])
  redis.call("SET", KEYS[2], count, "EX", ARGV[2])
  return count
`;

/** Errors about the stored value: the script's own, another type, a number beyond 64 bits. */
const valueErrors = /^(INVALID|WRONGTYPE|ERR) /;

type Client = ReturnType<typeof createRedisClient>;

/** The count in Redis. */
export class Store {
  #client: Client;
  /** Milliseconds by which Redis's clock is ahead of `performance.now()`. */
  #clockOffset = Promise.resolve(0);
  #lastLine = "";

  private constructor(client: Client) {
    this.#client = this.#connect(client);
  }

  /** Connects. The promise resolves after the first attempt, whether it succeeds or not. */
  static async open(host: string, port: number): Promise<Store> {
    const client = createRedisClient(host, port);
    const store = new Store(client);
    await once(client, "ready").catch(() => undefined);
    return store;
  }

  /**
   * Counts a visit.
   * @param id A visit whose ID has been counted already is not counted again.
   * @returns The visitor's number, in digits.
   * @throws {StoreUnavailable} within a second.
   * @throws {InvalidCount} if the stored value is not a count.
   */
  async count(id: string): Promise<string> {
    const deadline = performance.now() + countDeadlineMs;
    const count = await this.#run(async (client) => {
      const redisDeadline = String(deadline + (await this.#clockOffset));
      const keys = [key, `visit:${id}`];
      return client.eval(countVisit, { keys, arguments: [redisDeadline, visitTtlSeconds] });
    });
    return String(count);
  }

  /** @returns The count, in digits; 0 before the first visit. Throws like {@link count}. */
  async current(): Promise<string> {
    const value = (await this.#run((client) => client.get(key))) ?? "0";
    if (!/^\d+$/.test(value)) throw new InvalidCount("the value is not a count");
    return value;
  }

  /** @returns Whether Redis responds within a second. */
  isReachable(): Promise<boolean> {
    return this.#run((client) => client.ping()).then(
      () => true,
      () => false,
    );
  }

  close(): void {
    this.#client.destroy();
  }

  async #run<T>(operation: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no response within ${timeoutMs} ms`));
        this.#replace(client);
      }, timeoutMs);
    });
    try {
      return await Promise.race([operation(client), timeout]);
    } catch (error) {
      const { message } = error as Error;
      throw valueErrors.test(message) ? new InvalidCount(message) : new StoreUnavailable(message);
    } finally {
      clearTimeout(timer);
    }
  }

  #connect(client: Client): Client {
    client.on("ready", () => {
      this.#log("Redis is reachable");
      this.#clockOffset = measureClockOffset(client);
      // Its failure is that of the visits that wait for it
      this.#clockOffset.catch(() => undefined);
    });
    client.on("error", (error: Error) => this.#log(`Redis is unreachable: ${reasonFor(error)}`));
    // Its failures are also events
    client.connect().catch(() => undefined);
    return client;
  }

  /** Replaces a connection that hangs, and closes it once all operations on it have timed out. */
  #replace(client: Client): void {
    if (client !== this.#client) return;
    this.#client = this.#connect(client.duplicate());
    setTimeout(() => client.destroy(), timeoutMs).unref();
  }

  /** Logs changes, not each attempt to connect. */
  #log(line: string): void {
    if (line !== this.#lastLine) console.log(line);
    this.#lastLine = line;
  }
}

/**
 * Creates a client that reconnects by itself. Its commands wait for a connection in a queue, so that a
 * webapp whose connection timed out while it was paused still counts.
 * https://redis.io/docs/latest/develop/clients/nodejs/connect/
 */
function createRedisClient(host: string, port: number) {
  return createClient({
    socket: { host, port, connectTimeout: 300, socketTimeout: timeoutMs, reconnectStrategy: 200 },
    // Without a ping, an idle connection would reach the socket's timeout
    pingInterval: timeoutMs / 2,
  });
}

/** In protected mode or without room, Redis responds before it is asked: the client may throw for that. */
function reasonFor(error: Error): string {
  const isRefused = error instanceof TypeError || error.message.startsWith("DENIED ");
  return isRefused ? "it refuses connections, as in protected mode" : error.message;
}

async function measureClockOffset(client: Client): Promise<number> {
  const [seconds, microseconds] = await client.time();
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000 - performance.now();
}
