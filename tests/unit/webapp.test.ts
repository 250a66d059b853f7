import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { freePort } from "../../tools/lib/ports";
import { countedPage, welcomePage } from "../../visitor-counter/webapp/pages";
import { endScripts, startScript, waitForOutput } from "../lib/child";

// The pages themselves are in tests/stack/visitor-counter.test.ts and tests/browser/visitor-counter.test.ts
it.each([
  [welcomePage("0"), "<p>visitors so far</p>"],
  [welcomePage("1"), "<p>visitor so far</p>"],
  [welcomePage("2"), '<a href="/count" rel="nofollow">'],
  [countedPage("2"), '<a href="/" rel="nofollow">'],
])("page %# has the number in words, or a link that crawlers do not follow", (page, part) => {
  expect(page).toContain(part);
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
      // The client may close it first
      socket.on("error", () => undefined);
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
