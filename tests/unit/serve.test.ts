import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript, waitForOutput } from "../lib/child";

const holdResponses = ["--require", path.join(__dirname, "fixtures/hold-responses.ts")];

const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await endScripts();
});

describe("the server of production", () => {
  it("listens on HOST and PORT, and prints the address", async () => {
    const { child, port } = await startApi(["api.ts"], { HOST: "127.0.0.1" });
    expect(child.output.stdout).toBe(`Listening on http://127.0.0.1:${port}\n`);
    expect(await text(await requestHello(port))).toBe("Hello, World!");
  });

  it.each(["-1", "70000", ""])("rejects PORT=%j in one line", async (port) => {
    expect(await startError("production/back-end", { PORT: port })).toMatch(
      /^Cannot start: PORT .*\n$/,
    );
  });

  it("names the port that is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const env = { PORT: String(port), HOST: "127.0.0.1" };
    const message = await startError("production/back-end", env);
    other.close();
    expect(message).toMatch(new RegExp(`^Cannot start: .*:${port}; set PORT .*\\n$`));
  });

  it("accepts requests for a second after SIGTERM, but not after SIGINT", async () => {
    const [{ child, port }, { child: other }] = await Promise.all([startApi(), startApi()]);
    other.process.kill("SIGTERM");
    child.process.kill("SIGTERM");
    for (let sent = 0; sent < 50; sent += 1) {
      expect(await text(await requestHello(port))).toBe("Hello, World!");
    }
    child.process.kill("SIGINT");
    const first = [child, other].map(async ({ ended, process }) => (await ended) === 0 && process);
    expect(await Promise.race(first)).toBe(child.process);
  });

  describe.each(["SIGTERM", "SIGINT"] as const)("on %s", (signal) => {
    it("does not wait for connections without a complete request", async () => {
      const { child, port } = await startApi();
      await open(port);
      const unfinished = await open(port);
      unfinished.write("GET /api/hello HTTP/1.1\r\nHost: local");
      const agent = new Agent({ keepAlive: true });
      // Connections are accepted in order: when this one has its response, the others are accepted
      await text(await requestHello(port, agent));
      await waitUntil(() => Object.values(agent.freeSockets).length === 1, {
        for: "the idle connection",
        timeoutMs: 2_000,
        intervalMs: 5,
      });
      child.process.kill(signal);
      await expectExit(child);
      agent.destroy();
    });

    it("completes requests in flight, and accepts no others", async () => {
      const { child, port } = await startApi([...holdResponses, "api.ts"]);
      const responses = Array.from({ length: 3 }, () => requestHello(port));
      await waitForOutput(child, /(holding\n){3}/);
      child.process.kill(signal);
      await waitUntil(() => isRefused(port), {
        for: "connections to be refused",
        timeoutMs: 4_000,
        intervalMs: 5,
      });
      expect(child.process.exitCode).toBeNull();
      child.process.kill("SIGUSR2");
      for (const response of await Promise.all(responses)) {
        expect(await text(response)).toBe("Hello, World!");
      }
      await expectExit(child);
    });

    it("does not wait for a request whose client is gone", async () => {
      const { child, port } = await startApi([...holdResponses, "api.ts"]);
      const socket = await open(port);
      socket.write("GET /api/hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await waitForOutput(child, /holding/);
      child.process.kill(signal);
      socket.destroy();
      await expectExit(child);
    });
  });
});

it.each(["task1", "task6/back-end"])(
  "%s says in one line that port 5252 is in use",
  async (folder) => {
    // If another program has the port, that is as good
    const other = createServer()
      .listen(5252, "0.0.0.0")
      .on("error", () => undefined);
    const message = await startError(folder, {});
    other.close();
    expect(message).toMatch(/^Cannot start: .*:5252\. Stop the program that uses the port\.\n$/);
  },
);

/** Starts production's API on a free port. */
async function startApi(
  args: readonly string[] = ["api.ts"],
  env: NodeJS.ProcessEnv = {},
): Promise<{ child: Child; port: number }> {
  const cwd = path.join(root, "production/back-end");
  const child = startScript(args, { cwd, env: { HOST: undefined, PORT: "0", ...env } });
  const [, port] = await waitForOutput(child, /^Listening on http:\/\/[\d.]+:(\d+)$/m);
  return { child, port: Number(port) };
}

/** @returns The stderr of an API that must exit with 1 and print nothing else. */
async function startError(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = path.join(root, folder);
  const child = startScript(["api.ts"], { cwd, env: { HOST: undefined, ...env } });
  expect(await child.ended).toBe(1);
  expect(child.output.stdout).toBe("");
  return child.output.stderr;
}

/** Expects a clean exit, sooner than Node.js ends idle connections: after 5 s. */
async function expectExit(child: Child): Promise<void> {
  const start = performance.now();
  expect(await child.ended).toBe(0);
  expect(performance.now() - start).toBeLessThan(5_000);
  expect(child.output.stderr).toBe("");
}

async function requestHello(port: number, agent = new Agent()): Promise<IncomingMessage> {
  const request = get({ host: "127.0.0.1", port, path: "/api/hello", agent });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  sockets.push(socket);
  await once(socket, "connect");
  // The server may reset it
  socket.on("error", () => undefined);
  return socket;
}

const isRefused = (port: number): Promise<boolean> =>
  open(port).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
  );
