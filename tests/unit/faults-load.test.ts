import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Ask } from "../../tools/faults/judge";
import { Load, type Sample } from "../../tools/faults/load";
import { waitUntil } from "../../tools/lib/wait";

const hello: Ask = { path: "/api/hello", kind: "api", isRight: (body) => body === "Hello!" };
const page: Ask = { path: "/", kind: "page", isRight: (body) => body === "Hello!" };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<{ origin: string; server: Server }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** Loads a server until it has sent so many requests. */
async function loaded(origin: string, count: number, connections = 2): Promise<Sample[]> {
  const load = new Load(origin, [hello, page], connections);
  await waitUntil(() => load.samples.length >= count, {
    ...{ for: `${count} requests`, timeoutMs: 20_000, intervalMs: 5 },
  });
  await load.stop();
  return load.samples;
}

describe("the load", () => {
  it("asks for each thing in turn, over connections that stay open", async () => {
    const asked = new Map<Socket, string[]>();
    const { origin } = await serve((request, response) => {
      asked.set(request.socket, [...(asked.get(request.socket) ?? []), request.url ?? ""]);
      response.setHeader("X-Served-By", "abc").end("Hello!");
    });
    const samples = await loaded(origin, 50, 3);
    expect(asked.size).toBe(3);
    for (const paths of asked.values()) {
      expect(paths.filter((path, index) => path === paths[index + 1])).toEqual([]);
    }
    const total = [...asked.values()].reduce((sum, { length }) => sum + length, 0);
    expect(samples).toHaveLength(total);
    expect(samples.filter(({ outcome }) => outcome !== "served")).toEqual([]);
    expect(new Set(samples.map(({ server }) => server))).toEqual(new Set(["abc"]));
    for (const { startMs, latencyMs } of samples) {
      expect(startMs).toBeGreaterThanOrEqual(0);
      expect(latencyMs).toBeGreaterThan(0);
    }
  });

  it.each<[string, RequestListener, RegExp]>([
    ["a connection that is reset", ({ socket }) => socket.resetAndDestroy(), /ECONNRESET|hang up/],
    ["a connection that is closed", ({ socket }) => socket.destroy(), /hang up/],
    [
      "half an answer",
      (_, response) => {
        response.writeHead(200, { "Content-Length": "6" });
        response.write("Hel", () => response.destroy());
      },
      /aborted|ECONNRESET/,
    ],
    ["a wrong answer", (_, response) => response.end("Bye!"), /^wrong body/],
  ])("loses what meets %s, and sends nothing twice", async (_, listener, reason) => {
    let received = 0;
    const { origin } = await serve((request, response) => {
      received += 1;
      listener(request, response);
    });
    const samples = await loaded(origin, 20);
    expect(samples).toHaveLength(received);
    expect(samples.filter(({ outcome }) => outcome !== "lost")).toEqual([]);
    for (const sample of samples) expect(sample.reason).toMatch(reason);
  });

  it("loses what nobody takes", async () => {
    const { origin, server } = await serve(() => undefined);
    server.close();
    await once(server, "close");
    const [sample] = await loaded(origin, 1);
    expect(sample).toMatchObject({
      outcome: "lost",
      reason: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("gives up after 10 seconds, and goes on", { timeout: 40_000 }, async () => {
    let received = 0;
    const { origin } = await serve((_, response) => {
      received += 1;
      if (received > 1) response.end("Hello!");
    });
    const [first, second] = await loaded(origin, 2, 1);
    expect(first).toMatchObject({ outcome: "lost", reason: "no answer in 10000 ms" });
    expect(first?.latencyMs).toBeGreaterThan(9_900);
    expect(second?.outcome).toBe("served");
  });

  it("ends once the answers that are under way are there", async () => {
    const { origin } = await serve((_, response) => {
      setTimeout(() => response.end("Hello!"), 200);
    });
    const load = new Load(origin, [hello], 4);
    await load.stop();
    expect(load.samples.map(({ outcome }) => outcome)).toEqual(Array(4).fill("served"));
  });
});
