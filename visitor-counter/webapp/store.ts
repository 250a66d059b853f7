import { createClient } from "@redis/client";

/** The store cannot be asked just now; what it holds is untouched. */
export class StoreUnavailable extends Error {}

/** What the store holds is no count; it stays as it is until somebody has looked. */
export class NotACount extends Error {}

const key = "visits";

/** Milliseconds after which nobody waits for the store's answer any more. */
const patience = 1_000;

/** Milliseconds after which the store does not begin to count: its answer would come too late. */
const countWithin = 900;

/** Milliseconds for a connection to come about: one to a container that just starts gets stuck. */
const connectTimeout = 300;

/** Milliseconds from the loss of a connection to the next attempt. */
const pause = 200;

/**
 * INCR, with two questions before it: has the visitor been told meanwhile that his visit could not
 * be counted, because it stood in front of a Redis that hung? And is the value a count at all?
 * The answer is read by GET: a number in a script is exact only up to 2^53, a text always.
 * A script is atomic: https://redis.io/docs/latest/develop/programmability/eval-intro/
 */
const countVisit = `
  local time = redis.call("TIME")
  if time[1] * 1000 + time[2] / 1000 > tonumber(ARGV[1]) then
    return redis.error_reply("LATE nobody waits for the answer any more")
  end
  local count = redis.call("GET", KEYS[1])
  if count and not count:find("^%d+$") then
    return redis.error_reply("DAMAGED value is not a count")
  end
  redis.call("INCR", KEYS[1])
  return redis.call("GET", KEYS[1])
`;

/** What error replies about the value begin with: the script's, another type, beyond 64 bits. */
const aboutTheValue = /^(DAMAGED|WRONGTYPE|ERR) /;

type Client = ReturnType<typeof clientFor>;

/**
 * The count in Redis, over one connection that is made anew whenever it fails or hangs. While there
 * is none, every question fails at once: none waits to be asked later.
 */
export class Store {
  readonly #host: string;
  readonly #port: number;
  /** The one that connects or is connected. */
  #client: Client | undefined;
  #isReady = false;
  /** Milliseconds by which the store's clock is ahead of `performance.now()`. */
  #clockAhead = 0;
  #nextAttempt: NodeJS.Timeout | undefined;
  #lastSaid = "";

  private constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /**
   * Begins to connect, and goes on until {@link close}.
   * @returns The store, once the first attempt has succeeded or failed.
   */
  static async open(host: string, port: number): Promise<Store> {
    const store = new Store(host, port);
    await store.#connect();
    return store;
  }

  /**
   * Counts a visit.
   * @returns The new count, in digits.
   * @throws {StoreUnavailable} within a second.
   * @throws {NotACount} when the stored value is none.
   */
  async count(): Promise<string> {
    const deadline = performance.now() + this.#clockAhead + countWithin;
    const parameters = { keys: [key], arguments: [String(deadline)] };
    return String(await this.#ask((client) => client.eval(countVisit, parameters)));
  }

  /**
   * Reads the count.
   * @returns The count, in digits; 0 before the first visit.
   * @throws {StoreUnavailable} within a second.
   * @throws {NotACount} when the stored value is none.
   */
  async current(): Promise<string> {
    const value = (await this.#ask((client) => client.get(key))) ?? "0";
    if (!/^\d+$/.test(value)) throw new NotACount("value is not a count");
    return value;
  }

  /** @returns Whether the store answers within a second. */
  isReachable(): Promise<boolean> {
    return this.#ask((client) => client.ping()).then(
      () => true,
      () => false,
    );
  }

  /** Lets the connection go. */
  close(): void {
    clearTimeout(this.#nextAttempt);
    const client = this.#client;
    this.#client = undefined;
    this.#isReady = false;
    client?.destroy();
  }

  async #ask<T>(question: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (client === undefined || !this.#isReady) {
      throw new StoreUnavailable("there is no connection");
    }
    try {
      return await inTime(question(client), patience);
    } catch (error) {
      const reason = error as Error;
      if (aboutTheValue.test(reason.message)) throw new NotACount(reason.message);
      this.#reconnect(client, reason);
      throw new StoreUnavailable(reason.message);
    }
  }

  async #connect(): Promise<void> {
    const client = clientFor(this.#host, this.#port);
    this.#client = client;
    client.on("error", (error: Error) => this.#reconnect(client, error));
    try {
      await inTime(client.connect(), connectTimeout + patience);
      this.#clockAhead = await clockOf(client);
      if (client !== this.#client) return;
      this.#isReady = true;
      this.#say("The store is reachable");
    } catch (error) {
      this.#reconnect(client, error as Error);
    }
  }

  #reconnect(client: Client, { message }: Error): void {
    // One failure is told by every question that was under way
    if (client !== this.#client) return;
    this.#client = undefined;
    this.#isReady = false;
    // For those who wait, the old connection stays until their time is over: told sooner that they
    // were not counted, they might still be counted
    setTimeout(() => client.destroy(), patience).unref();
    this.#say(`The store is unreachable: ${message}`);
    this.#nextAttempt = setTimeout(() => this.#connect(), pause);
  }

  /** Logs a change, not each attempt. */
  #say(line: string): void {
    if (line !== this.#lastSaid) console.log(line);
    this.#lastSaid = line;
  }
}

function clientFor(host: string, port: number) {
  return createClient({
    // Store itself reconnects: the client would not notice a server that hangs
    socket: { host, port, connectTimeout, reconnectStrategy: false },
    disableOfflineQueue: true,
  });
}

/** @returns Milliseconds by which the store's clock is ahead of `performance.now()`. */
async function clockOf(client: Client): Promise<number> {
  const [seconds, microseconds] = await inTime(client.time(), patience);
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000 - performance.now();
}

/** @throws {Error} when the answer does not come in time; it is not waited for then. */
function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
