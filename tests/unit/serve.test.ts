import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript, timeToEnd, waitForOutput } from "../lib/child";

const holdResponses = path.join(__dirname, "fixtures/hold-responses.ts");
const startLine = /^Listening on http:\/\/([\d.]+):(\d+)$/m;
const signals = ["SIGTERM", "SIGINT"] as const;

const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await endScripts();
});

/** Seconds within which a server ends; production's goes on for one after SIGTERM, as Docker sends it. */
const patience = (folder: string, signal: NodeJS.Signals): number =>
  folder === "production/back-end" && signal === "SIGTERM" ? 2 : 1;

describe("the server of production/back-end", () => {
  const folder = "production/back-end";

  it("says where it listens and answers there", async () => {
    const { child, host, port } = await startApi(folder);
    expect(child.output.stdout).toBe(`Listening on http://0.0.0.0:${port}\n`);
    expect(host).toBe("0.0.0.0");
    expect(await text(await ask(port))).toBe("Hello, World!");
  });

  it.each(signals)("ends soon after %s", async (signal) => {
    const { child } = await startApi(folder);
    child.process.kill(signal);
    await expectPromptEnd(child, patience(folder, signal));
  });

  it.each(["abc", "-1", "70000", "80.5", ""])("refuses PORT=%j in one line", async (port) => {
    expect(await failureOf(folder, { PORT: port })).toMatch(/^Cannot start: PORT .*\n$/);
  });

  it("listens on HOST alone", async () => {
    const { host, port } = await startApi(folder, { HOST: "127.0.0.1" });
    expect(host).toBe("127.0.0.1");
    expect((await ask(port)).statusCode).toBe(200);
    // All of 127.0.0.0/8 is this machine's own, so 127.0.0.2 would answer if it listened everywhere
    if (process.platform === "linux") await expectRefusal(port, "127.0.0.2");
  });

  it("names the port that is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const failure = await failureOf(folder, { PORT: String(port), HOST: "127.0.0.1" });
    other.close();
    expect(failure).toMatch(new RegExp(`^Cannot start: .*:${port}; set PORT .*\\n$`));
  });

  it("names the HOST that is not this machine's", async () => {
    // An address for documentation (RFC 5737): nobody has it, and nobody is asked
    const failure = await failureOf(folder, { PORT: "0", HOST: "203.0.113.1" });
    expect(failure).toMatch(/^Cannot start: .* 203\.0\.113\.1\b.*HOST.*\n$/);
  });

  it("goes on serving for a moment after SIGTERM, but not after SIGINT", async () => {
    const { child, port } = await startApi(folder);
    child.process.kill("SIGTERM");
    for (let asked = 0; asked < 50; asked += 1) {
      expect(await text(await ask(port))).toBe("Hello, World!");
    }
    child.process.kill("SIGINT");
    await expectPromptEnd(child, 0.9);
  });

  describe.each(signals)("at %s", (signal) => {
    const seconds = patience(folder, signal);

    it("does not wait for a kept-alive connection without a request", async () => {
      const { child, port } = await startApi(folder);
      const agent = new Agent({ keepAlive: true });
      await text(await ask(port, agent));
      await waitUntil(() => Object.values(agent.freeSockets).length === 1, {
        for: "a connection to be kept",
        timeoutMs: 2000,
        intervalMs: 5,
      });
      child.process.kill(signal);
      await expectPromptEnd(child, seconds);
      agent.destroy();
    });

    it("does not wait for a connection that never said anything", async () => {
      const { child, port } = await startApi(folder);
      await open(port);
      // Connections are accepted in order: once this answer is here, the silent one was accepted
      await text(await ask(port));
      child.process.kill(signal);
      await expectPromptEnd(child, seconds);
    });

    it("does not wait for a request whose headers are still coming", async () => {
      const { child, port } = await startApi(folder);
      const socket = await open(port);
      socket.write("GET /api/hello HTTP/1.1\r\nHost: local");
      await text(await ask(port));
      child.process.kill(signal);
      await expectPromptEnd(child, seconds);
    });

    it("answers the requests in flight, takes no new ones, and ends", async () => {
      const { child, port } = await startApi(folder, {}, ["--require", holdResponses]);
      const answers = Array.from({ length: 3 }, () => ask(port));
      await waitForOutput(child, /(holding\n){3}/);

      child.process.kill(signal);
      await waitUntil(() => isRefused(port), {
        for: "new connections to be refused",
        timeoutMs: 4000,
        intervalMs: 5,
      });
      expect(child.process.exitCode).toBeNull();

      child.process.kill("SIGUSR2");
      for (const answer of await Promise.all(answers)) {
        expect(answer.statusCode).toBe(200);
        expect(await text(answer)).toBe("Hello, World!");
      }
      await expectPromptEnd(child, seconds);
    });

    it("does not wait for a request whose client has gone", async () => {
      const { child, port } = await startApi(folder, {}, ["--require", holdResponses]);
      const socket = await open(port);
      socket.write("GET /api/hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await waitForOutput(child, /holding/);
      child.process.kill(signal);
      socket.destroy();
      await expectPromptEnd(child, seconds);
    });
  });
});

describe.each(["task1", "task6/back-end"])("the server of %s", (folder) => {
  it("says in one line that its port is in use", async () => {
    // Whoever has the port by now, if not we
    const other = createServer()
      .listen(5252, "0.0.0.0")
      .on("error", () => undefined);
    const failure = await failureOf(folder, {});
    other.close();
    expect(failure).toMatch(/^Cannot start: .*:5252\. Stop the program that uses the port\.\n$/);
  });
});

/** Starts an API on a free port and waits until it listens. */
async function startApi(
  folder: string,
  env: NodeJS.ProcessEnv = {},
  options: readonly string[] = [],
): Promise<{ child: Child; host: string; port: number }> {
  const child = startScript([...options, "api.ts"], {
    cwd: path.join(root, folder),
    env: { HOST: undefined, PORT: "0", ...env },
  });
  const [, host = "", port] = await waitForOutput(child, startLine);
  return { child, host, port: Number(port) };
}

/** @returns What an API that cannot start says on stderr; it says nothing else and exits with 1. */
async function failureOf(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = path.join(root, folder);
  const child = startScript(["api.ts"], { cwd, env: { HOST: undefined, ...env } });
  expect(await child.ended).toBe(1);
  expect(child.output.stdout).toBe("");
  return child.output.stderr;
}

async function expectPromptEnd(child: Child, most = 1): Promise<void> {
  const { seconds, how } = await timeToEnd(child);
  expect(how).toBe(0);
  expect(seconds).toBeLessThan(most);
  expect(child.output.stderr).toBe("");
}

async function ask(port: number, agent?: Agent): Promise<IncomingMessage> {
  const request = get({ host: "127.0.0.1", port, path: "/api/hello", ...(agent && { agent }) });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

async function open(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host });
  sockets.push(socket);
  await once(socket, "connect");
  // The server may well reset it: that is what some tests are about
  socket.on("error", () => undefined);
  return socket;
}

const isRefused = (port: number, host?: string): Promise<boolean> =>
  open(port, host).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
  );

async function expectRefusal(port: number, host: string): Promise<void> {
  expect(await isRefused(port, host)).toBe(true);
}
