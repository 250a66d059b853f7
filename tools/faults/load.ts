import { Agent } from "node:http";
import { globalAgent, Agent as HttpsAgent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchAnswer } from "../lib/http";
import { type Judgment, judge, type Probe } from "./judge";

/** Below the 360 requests in progress that production accepts from one address: limits.conf. */
export const inFlightLimit = 340;

const timeoutMs = 10_000;

/** Below production's `keepalive_min_timeout`, so that the proxy closes no connection in use. */
const idleMs = 500;

/**
 * Connections of a load by HTTPS, used in turn so that none falls idle. A handshake takes as much CPU
 * time as several requests: if each request that waits opened a connection, a short stall would
 * become a long one.
 */
const secureConnections = 64;

/** One request and its outcome. */
export interface Sample extends Judgment {
  probe: Probe;
  /** Milliseconds from the start of the load until the request was due. */
  startMs: number;
  /** Milliseconds from then until the last byte of the response, or until the request failed. */
  latencyMs: number;
  /** The value of `X-Served-By`: the first 12 digits of the server's container ID. */
  server?: string | undefined;
}

/**
 * An open-loop load: requests are due at a fixed rate, whether or not earlier ones have a response,
 * and latency counts from then, so that a stalled server delays no request unnoticed. At the limit
 * of requests in flight, those that are due wait. Probes alternate on keep-alive connections.
 * Nothing is retried; a request without a complete response 10 s after it was due is lost.
 */
export class Load {
  /** All completed requests, in the order of their completion. */
  readonly samples: Sample[] = [];
  /** How late each request was sent, in milliseconds, other than because of the limit. */
  latenessMs: number[] = [];
  /** The maximum number of requests in flight. */
  maxInFlight = 0;
  readonly #start = performance.now();
  readonly #agent: Agent;
  readonly #ended: Promise<void>;
  #endMs = Number.POSITIVE_INFINITY;
  #count = 0;
  #inFlight = 0;
  /** When the limit last held requests back. */
  #fullUntilMs = 0;

  /**
   * @param origin Such as `http://localhost:8080`. For https, `globalAgent` has the certificates to trust.
   * @param rate Requests per second.
   */
  constructor(
    readonly origin: string,
    readonly probes: readonly Probe[],
    readonly rate: number,
    readonly limit = inFlightLimit,
  ) {
    const options = { keepAlive: true, timeout: idleMs };
    this.#agent = origin.startsWith("https:")
      ? new HttpsAgent({
          // With the certificates to trust
          ...globalAgent.options,
          ...options,
          maxSockets: secureConnections,
          scheduling: "fifo",
        })
      : new Agent({ ...options, maxSockets: limit });
    this.#ended = this.#run();
  }

  /** @returns Milliseconds since the start of the load. */
  now(): number {
    return performance.now() - this.#start;
  }

  /** Whether requests are due that cannot be sent, because too many are in flight. */
  get isFull(): boolean {
    return this.#inFlight >= this.limit;
  }

  /** Forgets the lateness and the maximum in flight so far, which include the warm-up. */
  startMeasuring(): void {
    this.latenessMs = [];
    this.maxInFlight = 0;
  }

  /** Waits for the requests that are in flight or already due. No others are sent. */
  async stop(): Promise<void> {
    this.#endMs = Math.min(this.#endMs, this.now());
    await this.#ended;
  }

  /** When the next request is due. */
  get #dueMs(): number {
    return (this.#count * 1_000) / this.rate;
  }

  async #run(): Promise<void> {
    while (this.#inFlight > 0 || this.#dueMs <= this.#endMs) {
      this.#sendDue();
      await sleep(Math.max(1, Math.ceil(this.#dueMs - this.now())));
    }
    this.#agent.destroy();
  }

  #sendDue(): void {
    while (this.#dueMs <= Math.min(this.now(), this.#endMs)) {
      const [dueMs, lateMs] = [this.#dueMs, this.now() - this.#dueMs];
      const isExpired = lateMs >= timeoutMs;
      if (!isExpired && this.isFull) return;
      const probe = this.probes[this.#count % this.probes.length] as Probe;
      this.#count += 1;
      if (isExpired) {
        const reason = `not sent within 10 s: ${this.limit} requests in flight`;
        this.samples.push({ probe, startMs: dueMs, latencyMs: lateMs, outcome: "lost", reason });
      } else void this.#send(probe, dueMs);
    }
  }

  async #send(probe: Probe, startMs: number): Promise<void> {
    const sentMs = this.now();
    this.latenessMs.push(sentMs - Math.max(startMs, this.#fullUntilMs));
    this.#inFlight += 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.#inFlight);
    // Timers are accurate to 1 ms
    const restMs = Math.ceil(startMs + timeoutMs - sentMs) + 1;
    const options = { agent: this.#agent, timeoutMs: restMs };
    const answer = await fetchAnswer(`${this.origin}${probe.path}`, options);
    const endMs = this.now();
    const latencyMs = endMs - startMs;
    const server = answer.headers["x-served-by"]?.toString();
    const judgment: Judgment =
      latencyMs < timeoutMs
        ? judge(probe, answer)
        : { outcome: "lost", reason: "timed out after 10 s" };
    this.samples.push({ probe, startMs, latencyMs, server, ...judgment });
    if (this.#inFlight === this.limit) this.#fullUntilMs = endMs;
    this.#inFlight -= 1;
    this.#sendDue();
  }
}
