import path from "node:path";
import request from "supertest";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { freePort } from "../../tools/lib/ports";
import { waitUntil } from "../../tools/lib/wait";
import { createApp } from "../../visitor-counter/webapp/app";
import { countedPage, problemPage, welcomePage } from "../../visitor-counter/webapp/pages";
import { Store } from "../../visitor-counter/webapp/store";
import { endScripts, startScript, timeToEnd, waitForOutput } from "../lib/child";

const cwd = path.join(root, "visitor-counter/webapp");

describe("the pages", () => {
  it("tell how many visitors there were", () => {
    expect(welcomePage("0")).toContain('<p class="count">0</p>\n<p>visitors so far</p>');
    expect(welcomePage("1")).toContain('<p class="count">1</p>\n<p>visitor so far</p>');
    expect(welcomePage(undefined)).toContain("not available just now");
    expect(welcomePage(undefined)).not.toContain('class="count"');
    expect(countedPage("12")).toContain('<p class="count">12</p>');
    expect(problemPage("Out of ink.")).toContain("<p>Out of ink.</p>");
  });

  it("lead from one to the other, crawlers excepted", () => {
    expect(welcomePage("0")).toContain('<a href="/count" rel="nofollow">');
    expect(countedPage("1")).toContain('<a href="/" rel="nofollow">');
  });
});

describe("the webapp without a store", () => {
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

  const problem = "The store does not answer, so your visit may not have been counted. Try again.";

  it.each([
    ["text/plain", `${problem}\n`],
    ["application/json", `{"error":"${problem}"}\n`],
  ])("refuses to count, in %s", async (type, body) => {
    const response = await request(createApp(store)).get("/count").set("Accept", type);
    expect(response.status).toBe(503);
    expect(response.headers["retry-after"]).toBe("1");
    expect(response.headers["content-type"]).toBe(`${type}; charset=utf-8`);
    expect(response.text).toBe(body);
  });

  it("shows its front page all the same", async () => {
    const response = await request(createApp(store)).get("/");
    expect(response.status).toBe(200);
    expect(response.text).toContain("not available just now");
  });

  it("is alive", async () => {
    const response = await request(createApp(store)).get("/health");
    expect(response.body).toEqual({ webapp: "alive", store: "unreachable" });
  });

  it.each(["/", "/count", "/health", "/nowhere"])(
    "sends with %s what keeps a browser safe, and not what it is made with",
    async (address) => {
      const { headers } = await request(createApp(store)).get(address);
      expect(headers).not.toHaveProperty("x-powered-by");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-/);
      expect(headers["cache-control"]).toBe("no-store");
    },
  );
});

describe("the webapp's server", () => {
  afterEach(endScripts);
  const start = async (env: NodeJS.ProcessEnv = {}) => {
    const store = { REDIS_HOST: "127.0.0.1", REDIS_PORT: String(await freePort()) };
    return startScript(["server.ts"], {
      cwd,
      env: { HOST: undefined, PORT: "0", ...store, ...env },
    });
  };

  it("says where it listens, and what became of the store", async () => {
    const child = await start();
    await waitForOutput(child, /^Listening on http:\/\/0\.0\.0\.0:\d+$/m);
    expect(child.output.stdout).toMatch(/^The store is unreachable: connect ECONNREFUSED .*\n/);
  });

  it.each(["SIGTERM", "SIGINT"] as const)("ends within a second of %s", async (signal) => {
    const child = await start();
    await waitForOutput(child, /^Listening on/m);
    child.process.kill(signal);
    const { seconds, how } = await timeToEnd(child);
    expect(how).toBe(0);
    expect(seconds).toBeLessThan(1);
    expect(child.output.stderr).toBe("");
  });

  it("sends visitors elsewhere while it ends", async () => {
    const child = await start();
    const [, port] = await waitForOutput(child, /^Listening on http:.*:(\d+)$/m);
    const url = `http://127.0.0.1:${port}/count`;
    expect((await fetchAnswer(url)).status).toBe(503);
    child.process.kill("SIGTERM");
    const { headers } = await waitUntil(
      async () => {
        const answer = await fetchAnswer(url);
        return answer.status === 429 && answer;
      },
      { for: "a 429", timeoutMs: 2_000, intervalMs: 5 },
    );
    expect(headers.connection).toBe("close");
    expect(await child.ended).toBe(0);
  });

  it.each([
    ["REDIS_HOST", undefined, /^Cannot start: REDIS_HOST must be .*\.\n$/],
    ["REDIS_HOST", "", /^Cannot start: REDIS_HOST must be .*\.\n$/],
    ["REDIS_PORT", undefined, /^Cannot start: REDIS_PORT must be .*, not ""\.\n$/],
    ["REDIS_PORT", "redis", /^Cannot start: REDIS_PORT must be .*, not "redis"\.\n$/],
    ["REDIS_PORT", "70000", /^Cannot start: REDIS_PORT must be .*, not "70000"\.\n$/],
    ["PORT", "web", /^Cannot start: PORT must be .*, not "web"\.\n$/],
    ["HOST", "203.0.113.1", /^Cannot start: .*203\.0\.113\.1.*; set PORT or HOST .*\.\n$/],
  ])("refuses %s=%s in one line", async (variable, value, line) => {
    const child = await start({ [variable]: value });
    expect(await child.ended).toBe(1);
    expect(child.output.stderr).toMatch(line);
  });
});
