import { Agent } from "node:http";
import { fetchAnswer } from "../lib/http";
import { type Judgment, judge, type Probe } from "./judge";

/** One request and its outcome. */
export interface Sample extends Judgment {
  probe: Probe;
  /** Milliseconds from the start of the load until the request was sent. */
  startMs: number;
  /** Milliseconds until the last byte of the response, or until the request failed. */
  latencyMs: number;
  /** The value of `X-Served-By`: the first 12 digits of the server's container ID. */
  server?: string | undefined;
}

/**
 * A closed-loop load: on each of its keep-alive connections, the next request is sent when the last
 * one has ended. Probes alternate. Nothing is retried; a request that takes more than 10 s is lost.
 */
export class Load {
  /** All completed requests, in the order of their completion. */
  readonly samples: Sample[] = [];
  readonly #start = performance.now();
  readonly #clients: Promise<unknown>;
  #isStopping = false;

  /** @param origin Such as `http://localhost:8080`. */
  constructor(origin: string, probes: readonly Probe[], connections: number) {
    const clients = Array.from({ length: connections }, (_, index) =>
      this.#runClient(origin, probes, index),
    );
    this.#clients = Promise.all(clients);
  }

  /** @returns Milliseconds since the start of the load. */
  now(): number {
    return performance.now() - this.#start;
  }

  /** Sends no more requests, and waits for those that are in flight. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#clients;
  }

  async #runClient(origin: string, probes: readonly Probe[], first: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = first; !this.#isStopping; turn += 1) {
      const probe = probes[turn % probes.length] as Probe;
      const startMs = this.now();
      const answer = await fetchAnswer(`${origin}${probe.path}`, { agent });
      const server = answer.headers["x-served-by"]?.toString();
      this.samples.push({ probe, startMs, latencyMs: answer.ms, server, ...judge(probe, answer) });
    }
    agent.destroy();
  }
}
