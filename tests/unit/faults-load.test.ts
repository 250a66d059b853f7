import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import type { Probe } from "../../tools/faults/judge";
import { requireHeadroom } from "../../tools/faults/lab";
import { Load } from "../../tools/faults/load";
import { waitUntil } from "../../tools/lib/wait";

const hello: Probe = { path: "/api/hello", kind: "api", isExpected: (body) => body === "Hello!" };
const page: Probe = { ...hello, path: "/", kind: "page" };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const greet: RequestListener = (_, response) => response.end("Hello!");

/** A server that holds all responses back until it is released. */
async function serveStalled(): Promise<{ origin: string; held: () => number; release(): void }> {
  const held: (() => void)[] = [];
  let respond: RequestListener = (...exchange) => held.push(() => greet(...exchange));
  const origin = await serve((...exchange) => respond(...exchange));
  const release = (): void => {
    respond = greet;
    for (const resume of held) resume();
  };
  return { origin, held: () => held.length, release };
}

const waitFor = (what: string, condition: () => boolean): Promise<unknown> =>
  waitUntil(condition, { for: what, timeoutMs: 20_000, intervalMs: 5 });

/** Loads a server until this many requests have ended. */
async function loadUntil(origin: string, count: number, rate = 200, limit = 340): Promise<Load> {
  const load = new Load(origin, [hello, page], rate, limit);
  await waitFor(`${count} requests`, () => load.samples.length >= count);
  await load.stop();
  return load;
}

/** @returns When the first request ended, by its latency. */
const firstEnd = ({ samples }: Load): number =>
  Math.min(...samples.map(({ startMs, latencyMs }) => startMs + latencyMs));

describe("the load", () => {
  it("alternates the probes, on connections that it reuses", async () => {
    const [paths, sockets]: [unknown[], Set<Socket>] = [[], new Set()];
    const origin = await serve(({ socket, url }, response) => {
      sockets.add(socket);
      paths.push(url);
      response.setHeader("X-Served-By", "abc").end("Hello!");
    });
    const { samples, maxInFlight } = await loadUntil(origin, 100);
    expect(sockets.size).toBeLessThanOrEqual(maxInFlight);
    const pages = paths.filter((path) => path === "/").length;
    expect(pages).toBe(Math.floor(paths.length / 2));
    const served = { outcome: "served", server: "abc" };
    for (const sample of samples) expect(sample).toMatchObject(served);
  });

  it("sends what is due by the clock, and nothing after it is stopped", async () => {
    const load = new Load(await serve(greet), [hello], 250);
    await waitFor("100 requests", () => load.samples.length >= 100);
    const beforeMs = load.now();
    const stopped = load.stop();
    const afterMs = load.now();
    await stopped;
    const due = load.samples.map(({ startMs }) => startMs).sort((a, b) => a - b);
    expect(due).toEqual(due.map((_, index) => index * 4));
    expect(due.length * 4).toBeGreaterThan(beforeMs);
    expect(due.at(-1)).toBeLessThanOrEqual(afterMs);
  });

  it("tells how late it is if its own process is busy", async () => {
    const load = new Load(await serve(greet), [hello], 200);
    await waitFor("a response", () => load.samples.length > 0);
    const untilMs = load.now() + 100;
    while (load.now() < untilMs);
    await load.stop();
    expect(Math.max(...load.latenessMs)).toBeGreaterThan(90);
    load.startMeasuring();
    expect(load).toMatchObject({ latenessMs: [], maxInFlight: 0 });
  });
});

describe("the load while a server stalls", () => {
  it("shows the whole wait of the requests that are due meanwhile", async () => {
    const { origin, held, release } = await serveStalled();
    const load = new Load(origin, [hello], 200);
    await waitFor("50 requests without a response", () => held() >= 50);
    const releasedMs = load.now();
    release();
    await load.stop();
    expect(load.maxInFlight).toBeGreaterThanOrEqual(50);
    expect(firstEnd(load)).toBeGreaterThanOrEqual(releasedMs);
    const dueMs = load.samples.map(({ startMs }) => startMs);
    expect(load.samples).toHaveLength(Math.max(...dueMs) / 5 + 1);
  });

  it("holds requests back at the limit, and counts their wait, but not as its own", async () => {
    const { origin, release } = await serveStalled();
    const load = new Load(origin, [hello], 200, 3);
    await waitFor("20 requests to be due", () => load.isFull && load.now() >= 100);
    const releasedMs = load.now();
    expect(() => requireHeadroom(load)).toThrow("cannot serve 200 requests per second");
    release();
    await load.stop();
    expect(() => requireHeadroom(load)).not.toThrow();
    expect(load.maxInFlight).toBe(3);
    expect(load.samples.length).toBeGreaterThanOrEqual(20);
    expect(firstEnd(load)).toBeGreaterThanOrEqual(releasedMs);
    // The fourth was due after 15 ms, and sent when there was room for it
    const [lateness = 0] = load.latenessMs.slice(3);
    expect(lateness).toBeLessThan(releasedMs - 15);
  });

  it("closes idle connections, but not those that wait", async () => {
    const { origin, held, release } = await serveStalled();
    const load = new Load(origin, [hello], 100);
    await waitFor("60 requests without a response", () => held() >= 60);
    const [server] = servers as [Server];
    const count = async (): Promise<number> => promisify(server.getConnections).call(server);
    expect(await count()).toBeGreaterThanOrEqual(60);
    release();
    await waitUntil(async () => (await count()) < 20, { for: "the end", timeoutMs: 20_000 });
    await load.stop();
    expect(load.samples.filter(({ outcome }) => outcome !== "served")).toEqual([]);
  });
});

describe("the load of a server that fails", () => {
  it("loses a request whose connection is reset, and does not retry it", async () => {
    let received = 0;
    const origin = await serve(({ socket }) => {
      received += 1;
      socket.resetAndDestroy();
    });
    const { samples } = await loadUntil(origin, 20);
    expect(samples).toHaveLength(received);
    const lost = { outcome: "lost", reason: expect.stringMatching(/ECONNRESET|hang up/) };
    for (const sample of samples) expect(sample).toMatchObject(lost);
  });

  it("loses a request 10 s after it was due, sent or held back, and goes on", async () => {
    let received = 0;
    const origin = await serve((_, response) => {
      received += 1;
      if (received > 1) response.end("Hello!");
    });
    const [sent, held] = await Promise.all([
      loadUntil(origin, 5, 10, 1),
      loadUntil(origin, 1, 0.09, 0),
    ]);
    const reasons = sent.samples.map(({ outcome, reason }) => reason ?? outcome);
    expect(reasons[0]).toBe("timed out after 10 s");
    expect(reasons).toContain("served");
    expect(held.samples[0]?.reason).toMatch(/^not sent within 10 s/);
  });
});
