import { Agent, type ClientRequest, request } from "node:http";
import { type Ask, type Judged, judge } from "./judge";

/** One request and what became of it. */
export interface Sample extends Judged {
  /** Milliseconds from the start of the load until it was sent. */
  startMs: number;
  /** Milliseconds until the last byte of its answer, or until it was given up. */
  latencyMs: number;
  ask: Ask;
  /** What the answer says of who served it, in `X-Served-By`. */
  server?: string;
}

/** Milliseconds; who has no answer by then has lost his request. */
const patience = 10_000;

/** @returns Milliseconds since some moment that stays the same. */
type Clock = () => number;

/**
 * A steady load: connections that stay open, each sending its next request once it has the answer
 * to the last, all that is asked for in turn. Nothing is ever sent a second time: what a visitor
 * would lose is lost.
 */
export class Load {
  /** All requests that came to an end, in that order. */
  readonly samples: Sample[] = [];
  readonly now: Clock;
  readonly #origin: string;
  readonly #asks: readonly Ask[];
  readonly #inFlight = new Map<ClientRequest, number>();
  readonly #servers = new Map<string, string>();
  readonly #watch: NodeJS.Timeout;
  readonly #clients: Promise<unknown>;
  #stopping = false;

  /**
   * Begins at once.
   * @param origin Such as `http://localhost:8080`.
   * @param connections How many.
   */
  constructor(origin: string, asks: readonly Ask[], connections: number) {
    const begin = performance.now();
    this.now = () => performance.now() - begin;
    this.#origin = origin;
    this.#asks = asks;
    // One watch for all, as a timer for each request would be a load of its own
    this.#watch = setInterval(() => this.#giveUp(), 100);
    this.#clients = Promise.all(Array.from({ length: connections }, (_, at) => this.#client(at)));
  }

  /** Ends it once the answers that are under way are there. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#clients;
    clearInterval(this.#watch);
  }

  #giveUp(): void {
    for (const [sent, startMs] of this.#inFlight) {
      if (this.now() - startMs > patience) sent.destroy(new Error(`no answer in ${patience} ms`));
    }
  }

  async #client(first: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = first; !this.#stopping; turn += 1) {
      const ask = this.#asks[turn % this.#asks.length];
      if (ask !== undefined) this.samples.push(await this.#send(ask, agent));
    }
    agent.destroy();
  }

  #send(ask: Ask, agent: Agent): Promise<Sample> {
    return new Promise((resolve) => {
      const startMs = this.now();
      const end = (judged: Judged, server?: string): void => {
        this.#inFlight.delete(sent);
        const served = server === undefined ? {} : { server: this.#intern(server) };
        resolve({ startMs, latencyMs: this.now() - startMs, ask, ...judged, ...served });
      };
      const fail = (error: Error): void => end({ outcome: "lost", reason: error.message });
      const sent = request(`${this.#origin}${ask.path}`, { agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", fail);
        response.on("end", () => {
          const { statusCode: status = 0, headers } = response;
          const body = Buffer.concat(chunks).toString("latin1");
          const server = headers["x-served-by"];
          end(judge(ask, { status, headers, body }), server?.toString());
        });
      });
      this.#inFlight.set(sent, startMs);
      sent.on("error", fail).end();
    });
  }

  /** The same few names come with every answer; one copy of each is enough. */
  #intern(server: string): string {
    const known = this.#servers.get(server);
    if (known === undefined) this.#servers.set(server, server);
    return known ?? server;
  }
}
