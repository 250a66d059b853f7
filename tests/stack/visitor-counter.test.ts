import { beforeAll, beforeEach, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, countServed, newMarker } from "../../tools/lib/compose";
import { fetchAnswer } from "../../tools/lib/http";
import { waitUntil } from "../../tools/lib/wait";
import { fetchMany } from "../lib/load";
import { exchange } from "../lib/raw-http";
import { bringUp, describeOnEngine, leftovers, useStack } from "../lib/stacks";
import { counterUrl, numberIn, redisCli, storedCount } from "../lib/visits";

const stack = useStack("visitor-counter", ["webapp"]);
const get = (path: string, headers: Record<string, string> = {}) =>
  fetchAnswer(counterUrl(stack, path), { headers });
beforeAll(() => bringUp(stack, argv`--scale webapp=3`));

describeOnEngine("the visitor counter with three replicas", () => {
  it("counts 5,000 visits over 32 connections exactly, an equal share by each replica", async () => {
    const before = Number((await storedCount(stack)) ?? 0);
    const marker = newMarker();
    const load = { count: 5_000, connections: 32 };
    const responses = await fetchMany(counterUrl(stack, `/count?${marker}`), load);
    const numbers = responses.map(numberIn).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 5_000 }, (_, index) => before + index + 1));
    expect(await storedCount(stack)).toBe(String(before + 5_000));

    const served = [...(await countServed(stack, "webapp", marker, 5_000)).values()];
    expect(served).toHaveLength(3);
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(1);
  });

  it("shows the count at / without changing it", async () => {
    const count = numberIn(await get("/count"));
    for (let request = 0; request < 3; request += 1) {
      const { status, headers, body } = await get("/");
      expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
      expect(body).toContain(`<p class="count">${count}</p>`);
    }
    expect(await storedCount(stack)).toBe(String(count));
  });

  it.each([
    ["text/html,*/*;q=0.8", "text/html", (count: number) => `<p class="count">${count}</p>`],
    ["application/json", "application/json", (count: number) => `{"count":${count}}\n`],
    ["image/png", "text/plain", (count: number) => `You are visitor number ${count}.\n`],
  ])("counts a request with Accept: %s and responds with %s", async (accept, type, text) => {
    const count = numberIn(await get("/count"));
    // Each response is new, also for a conditional request
    const { headers, body } = await get("/count", { Accept: accept, "If-None-Match": "*" });
    expect(headers["content-type"]).toBe(`${type}; charset=utf-8`);
    expect(body).toContain(text(count + 1));
  });

  it("does not count other methods than GET, prefetches or other paths", async () => {
    const before = await storedCount(stack);
    for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"]) {
      const { status, headers } = await fetchAnswer(counterUrl(stack, "/count"), { method });
      expect([method, status, headers.allow]).toEqual([method, 405, "GET"]);
    }
    for (const path of ["/", "/health"]) {
      const { status, headers } = await fetchAnswer(counterUrl(stack, path), { method: "POST" });
      expect([path, status, headers.allow]).toEqual([path, 405, "GET, HEAD"]);
    }
    expect((await get("/count", { "Sec-Purpose": "prefetch;prerender" })).status).toBe(503);
    for (const path of ["/counts", "/count/1", "/count/", "/COUNT", "/Count/", "//count"]) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
    expect(await storedCount(stack)).toBe(before);
  });

  const header = (name: string, length: number): string => `${name}: ${"a".repeat(length)}\r\n`;
  it.each([
    ["200", "GET /", header("Cookie", 15_000)],
    ["200", "GET /", header("A", 12_000).repeat(2)],
    ["400", "GET /", "A: \x01\r\n"],
    ["400", "GET /", header("A", 17_000)],
    ["404", "GET /nowhere", ""],
    ["405", "POST /", ""],
    ["405", "TRACE /", ""],
    ["413", "POST /count", "Content-Length: 2\r\n"],
    ["414", `GET /${"a".repeat(17_000)}`, ""],
  ])("responds %s with every header and a body", async (expected, start, lines) => {
    const bytes = `${start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n`;
    const { responses } = await exchange(stack.ports.web, bytes);
    expect(responses.map(({ status }) => String(status))).toEqual([expected]);
    const [{ headers, body } = { headers: {}, body: "" }] = responses;
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": expect.stringMatching(/^default-src 'none'; .*frame-ancestors/),
      "referrer-policy": "no-referrer",
      server: "nginx",
      "x-content-type-options": "nosniff",
    });
    for (const name of ["x-powered-by", "etag"]) expect(headers).not.toHaveProperty(name);
    expect(body).not.toBe("");
  });

  it("counts a request ID once, and lets no client choose it", async () => {
    const before = Number(await storedCount(stack));
    const program = `fetch("http://127.0.0.1:5000/count", { headers: { "X-Request-ID": "same" } })
      .then((response) => response.text()).then(console.log)`;
    for (let attempts = 0; attempts < 2; attempts += 1) {
      const text = await compose(stack, argv`exec -T webapp node -e ${program}`);
      expect(text.trim()).toBe(`You are visitor number ${before + 1}.`);
      const fromOutside = await get("/count", { "X-Request-ID": "same" });
      expect(numberIn(fromOutside)).toBe(before + 2 + attempts);
    }
  });
});

describeOnEngine("the visitor counter with an unusual value in Redis", () => {
  let before = "0";
  beforeEach(async () => {
    before = (await storedCount(stack)) ?? "0";
    return async () => {
      await redisCli(stack, "del visits");
      await redisCli(stack, `set visits ${before}`);
    };
  });

  it("counts beyond the exact numbers of JavaScript", async () => {
    await redisCli(stack, "set visits 9007199254740992");
    expect((await get("/count")).body).toBe("You are visitor number 9007199254740993.\n");
    expect((await get("/")).body).toContain(">9007199254740993<");
  });

  it.each([
    ["a word", "set visits many", "get visits", "many"],
    ["a fraction", "set visits 1.5", "get visits", "1.5"],
    ["a negative number", "set visits -7", "get visits", "-7"],
    ["the maximum of 64 bits", `set visits ${2n ** 63n - 1n}`, "get visits", "92233720"],
    ["a list", "lpush visits 5", "lrange visits 0 -1", "5"],
  ])("responds with 500 to %s, logs it and leaves it unchanged", async (_, set, read, value) => {
    await redisCli(stack, "del visits");
    await redisCli(stack, set);
    const since = new Date().toISOString();
    const { status, body } = await get("/count");
    expect(status).toBe(500);
    expect(body).toBe("The stored value is not a count, so your visit was not counted.\n");
    expect((await get("/")).status).toBe(200);
    expect(await redisCli(stack, read)).toMatch(new RegExp(`^${value}`));
    await waitUntil(
      async () => {
        const log = await compose(stack, argv`logs --since ${since} webapp`);
        return log.includes('The key "visits" in Redis is left unchanged: ');
      },
      { for: "a line in the log", timeoutMs: 5_000 },
    );
  });
});

describeOnEngine("the visitor counter, after it was down", () => {
  it("keeps the count after down, and deletes it after down --volumes", async () => {
    const count = numberIn(await get("/count"));
    await compose(stack, ["down"]);
    await bringUp(stack);
    expect(numberIn(await get("/count"))).toBe(count + 1);
    await compose(stack, ["down", "--volumes"]);
    expect(await leftovers(stack.project)).toEqual([]);
    await bringUp(stack);
    expect(await storedCount(stack)).toBeUndefined();
    expect((await get("/")).body).toContain('<p class="count">0</p>');
    expect(numberIn(await get("/count"))).toBe(1);
  });
});
