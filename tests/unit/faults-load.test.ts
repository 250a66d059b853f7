import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Probe } from "../../tools/faults/judge";
import { Load, type Sample } from "../../tools/faults/load";
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

/** Loads a server until this many requests have ended. */
async function samplesOf(origin: string, count: number, connections = 2): Promise<Sample[]> {
  const load = new Load(origin, [hello, page], connections);
  const isDone = (): boolean => load.samples.length >= count;
  await waitUntil(isDone, { for: `${count} requests`, timeoutMs: 20_000, intervalMs: 5 });
  await load.stop();
  return load.samples;
}

describe("the load", () => {
  it("alternates the probes on connections that stay open", async () => {
    const received = new Map<Socket, unknown[]>();
    const origin = await serve(({ socket, url }, response) => {
      received.set(socket, [...(received.get(socket) ?? []), url]);
      response.setHeader("X-Served-By", "abc").end("Hello!");
    });
    const samples = await samplesOf(origin, 50, 3);
    expect(received.size).toBe(3);
    for (const paths of received.values()) {
      expect(paths.filter((path, index) => path === paths[index + 1])).toEqual([]);
    }
    expect(samples).toHaveLength([...received.values()].flat().length);
    for (const sample of samples) {
      expect(sample).toMatchObject({ outcome: "served", server: "abc" });
      expect(sample.latencyMs).toBeGreaterThan(0);
    }
  });

  it.each<[string, RequestListener, RegExp]>([
    ["a reset connection", ({ socket }) => socket.resetAndDestroy(), /ECONNRESET|hang up/],
    [
      "half a response",
      (_, response) => {
        response.writeHead(200, { "Content-Length": "6" });
        response.write("Hel", () => response.destroy());
      },
      /aborted|ECONNRESET|closed/,
    ],
  ])("loses a request that ends with %s, and does not retry it", async (_, listener, reason) => {
    let received = 0;
    const origin = await serve((request, response) => {
      received += 1;
      listener(request, response);
    });
    const samples = await samplesOf(origin, 20);
    expect(samples).toHaveLength(received);
    const lost = { outcome: "lost", reason: expect.stringMatching(reason) };
    for (const sample of samples) expect(sample).toMatchObject(lost);
  });

  it("loses a request after 10 s without a response, and goes on", async () => {
    let received = 0;
    const origin = await serve((_, response) => {
      received += 1;
      if (received > 1) response.end("Hello!");
    });
    const [first, second] = await samplesOf(origin, 2, 1);
    expect(first).toMatchObject({ outcome: "lost", reason: "timed out after 10 s" });
    expect(second?.outcome).toBe("served");
  });
});
