import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import request from "supertest";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { root } from "../../tools/lib/course";
import { freePort } from "../../tools/lib/ports";
import { createApp } from "../../visitor-counter/webapp/app";
import { countedPage, problemPage, welcomePage } from "../../visitor-counter/webapp/pages";
import { Store } from "../../visitor-counter/webapp/store";
import { endScripts, startScript, waitForOutput } from "../lib/child";

const toCount = '<a href="/count" rel="nofollow">';
const toStart = '<a href="/" rel="nofollow">';

describe("the pages of the visitor counter", () => {
  it.each([
    ["no visitors", welcomePage("0"), ['<p class="count">0</p>\n<p>visitors so far</p>', toCount]],
    ["one visitor", welcomePage("1"), ['<p class="count">1</p>\n<p>visitor so far</p>', toCount]],
    ["no count", welcomePage(undefined), ["<p>The number of visitors is not available", toCount]],
    ["a counted visit", countedPage("12"), ['<p class="count">12</p>', toStart]],
    ["a problem", problemPage("Out of ink."), ["<p>Out of ink.</p>", toStart]],
  ])("show %s, with a link that crawlers do not follow", (_, page, parts) => {
    expect(parts.filter((part) => !page.includes(part))).toEqual([]);
  });
});

describe("the webapp without Redis", () => {
  let store: Store;
  beforeAll(async () => {
    vi.spyOn(console, "log").mockImplementation(() => undefined);
    store = await Store.open("127.0.0.1", await freePort());
  });
  beforeEach(() => {
    vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  afterAll(() => store.close());

  const problem = "Redis is unavailable, so your visit may not have been counted. Try again.";

  it.each([
    ["text/plain", `${problem}\n`],
    ["application/json", `{"error":"${problem}"}\n`],
  ])("responds to /count with 503, in %s", async (type, body) => {
    const response = await request(createApp(store)).get("/count").set("Accept", type);
    expect(response.status).toBe(503);
    expect(response.headers["content-type"]).toBe(`${type}; charset=utf-8`);
    expect(response.text).toBe(body);
  });

  it("is healthy", async () => {
    const response = await request(createApp(store)).get("/health");
    expect(response.status).toBe(200);
    expect(response.body).toEqual({ webapp: "alive", store: "unreachable" });
  });

  it.each(["/", "/count", "/health", "/nowhere"])(
    "sends a policy with %s, and does not name its framework",
    async (address) => {
      const { headers } = await request(createApp(store)).get(address);
      expect(headers).not.toHaveProperty("x-powered-by");
      expect(headers).not.toHaveProperty("etag");
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-/);
    },
  );

  it.each([
    ["/", "GET, HEAD"],
    ["/health", "GET, HEAD"],
    ["/count", "GET"],
  ])("responds 405 to POST %s", async (address, allowed) => {
    const { status, headers } = await request(createApp(store)).post(address);
    expect([status, headers.allow]).toEqual([405, allowed]);
  });
});

describe("the webapp's server", () => {
  afterEach(endScripts);
  const start = async (env: NodeJS.ProcessEnv = {}) => {
    const redis = { REDIS_HOST: "127.0.0.1", REDIS_PORT: String(await freePort()) };
    return startScript(["server.ts"], {
      cwd: path.join(root, "visitor-counter/webapp"),
      env: { PORT: "0", ...redis, ...env },
    });
  };

  it("logs where it listens, and that Redis is unreachable", async () => {
    const child = await start();
    await waitForOutput(child, /^Listening on http:\/\/0\.0\.0\.0:\d+$/m);
    expect(child.output.stdout).toMatch(/^Redis is unreachable: connect ECONNREFUSED .*\n/);
  });

  it("logs once, in one line, that Redis is in protected mode", async () => {
    let connections = 0;
    const redis = createServer((socket) => {
      connections += 1;
      socket.end("-DENIED Redis is running in protected mode because …\r\n");
    }).listen(0, "127.0.0.1");
    await once(redis, "listening");
    const { port } = redis.address() as AddressInfo;
    const child = await start({ REDIS_PORT: String(port) });
    await expect.poll(() => connections, { timeout: 10_000 }).toBeGreaterThan(2);
    redis.close();
    expect(child.output.stdout).toMatch(
      /^Redis is unreachable: it refuses connections, as in protected mode\nListening on \S+\n$/,
    );
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "exits on %s, before Docker's grace period of 10 s ends",
    async (signal) => {
      const child = await start();
      await waitForOutput(child, /^Listening on/m);
      child.process.kill(signal);
      const killed = performance.now();
      expect(await child.ended).toBe(0);
      expect(performance.now() - killed).toBeLessThan(10_000);
      expect(child.output.stderr).toBe("");
    },
  );

  it.each([
    ["REDIS_HOST", undefined, /^Cannot start: REDIS_HOST must be .*\.\n$/],
    ["REDIS_HOST", "", /^Cannot start: REDIS_HOST must be .*\.\n$/],
    ["REDIS_PORT", undefined, /^Cannot start: REDIS_PORT must be .*, not ""\.\n$/],
    ["REDIS_PORT", "redis", /^Cannot start: REDIS_PORT must be .*, not "redis"\.\n$/],
    ["REDIS_PORT", "70000", /^Cannot start: REDIS_PORT must be .*, not "70000"\.\n$/],
    ["PORT", "web", /^Cannot start: PORT must be .*, not "web"\.\n$/],
  ])("rejects %s=%s in one line", async (variable, value, line) => {
    const child = await start({ [variable]: value });
    expect(await child.ended).toBe(1);
    expect(child.output.stderr).toMatch(line);
  });

  it("says in one line that its port is in use", async () => {
    const first = await start();
    const [, port] = await waitForOutput(first, /^Listening on http:.*:(\d+)$/m);
    const second = await start({ PORT: port });
    expect(await second.ended).toBe(1);
    expect(second.output.stderr).toMatch(/^Cannot start: .*EADDRINUSE.*; set PORT to .*\.\n$/);
  });
});
