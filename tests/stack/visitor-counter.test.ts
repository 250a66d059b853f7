import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, countServed, listContainers, newMarker } from "../../tools/lib/compose";
import { type Answer, fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { fetchMany } from "../lib/load";
import { bringUp, describeOnEngine, leftovers, useStack } from "../lib/stacks";
import {
  counterUrl,
  duplicates,
  numberIn,
  type Outcome,
  redisCli,
  storedCount,
  visitDuring,
  waitUntilCounting,
} from "../lib/visits";

const maxResponseMs = 2_000;
const withoutCount = "The number of visitors is not available at the moment.";

describe("duplicates", () => {
  it("lists the numbers that were given out twice", () => {
    expect(duplicates([3, 1, 2])).toEqual([]);
    expect(duplicates([3, 1, 3, 2, 1])).toEqual([3, 1]);
  });
});

/** No number was given out twice, and each counted visit is stored. */
function expectExact({ sent, numbers, rise }: Outcome): void {
  expect(duplicates(numbers)).toEqual([]);
  expect(rise).toBeGreaterThanOrEqual(numbers.length);
  expect(rise).toBeLessThanOrEqual(sent);
}

function expectUnavailable({ status, headers, body, ms }: Answer, text: string): void {
  const { "retry-after": retryAfter, "cache-control": cacheControl } = headers;
  expect([status, retryAfter, cacheControl]).toEqual([503, "1", "no-store"]);
  expect(body).toContain(text);
  expect(ms).toBeLessThan(maxResponseMs);
}

describeOnEngine("the visitor counter with three replicas", () => {
  const stack = useStack("visitor-counter", ["webapp"]);
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetchAnswer(counterUrl(stack, path), { headers });
  const container = async (service: string): Promise<string> =>
    (await listContainers(stack, service)).at(-1)?.name ?? "";
  const scaleTo = (replicas: number): Promise<string> =>
    compose(stack, argv`up --detach --wait --no-recreate --scale webapp=${replicas}`);
  beforeAll(() => bringUp(stack, argv`--scale webapp=3`));

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
    const { headers, body } = await get("/count", { Accept: accept });
    expect(headers["content-type"]).toBe(`${type}; charset=utf-8`);
    expect(body).toContain(text(count + 1));
  });

  it("does not count other methods than GET, prefetches or other paths", async () => {
    const before = await storedCount(stack);
    for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"]) {
      const { status, headers } = await fetchAnswer(counterUrl(stack, "/count"), { method });
      expect([method, status, headers.allow]).toEqual([method, 405, "GET"]);
    }
    expect((await get("/count", { "Sec-Purpose": "prefetch;prerender" })).status).toBe(503);
    expect((await get("/counts")).status).toBe(404);
    expect((await get("/count/1")).status).toBe(404);
    expect(await storedCount(stack)).toBe(before);
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

  describe("with an unusual value in Redis", () => {
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

  it("loses no visit when it is scaled to one replica and to five", async () => {
    const outcome = await visitDuring(stack, async () => {
      await scaleTo(1);
      await scaleTo(5);
    });
    expect(outcome.failed).toEqual([]);
    expectExact(outcome);
    expect(outcome.rise).toBe(outcome.sent);
  });

  it("sends visits to new replicas within 3 seconds", async () => {
    await scaleTo(3);
    const old = (await listContainers(stack, "webapp")).map(({ name }) => name);
    await scaleTo(5);
    const scaled = performance.now();
    const marker = newMarker();
    await waitUntil(
      async () => {
        await fetchMany(counterUrl(stack, `/?${marker}`), { count: 10, connections: 2 });
        const served = await countServed(stack, "webapp", marker, 1);
        return [...served].every(([name, count]) => old.includes(name) || count > 0);
      },
      { for: "requests at the new replicas", timeoutMs: 10_000, intervalMs: 20 },
    );
    expect(performance.now() - scaled).toBeLessThan(3_000);
    await scaleTo(3);
  });

  it.each([
    ["is killed", "kill", "start"],
    ["hangs for 4 seconds", "pause", "unpause"],
  ])("counts each visit exactly once when a replica %s", async (_, fault, recovery) => {
    const replica = await container("webapp");
    const outcome = await visitDuring(stack, async () => {
      await run("docker", [fault, replica]);
      // Longer than nginx waits for a response
      await sleep(4_000);
      await run("docker", [recovery, replica]);
    });
    expect(outcome.failed).toEqual([]);
    expectExact(outcome);
    expect(outcome.rise).toBe(outcome.sent);
  });

  it("loses and repeats no number when Redis is killed", async () => {
    const redis = await container("redis");
    const outcome = await visitDuring(stack, async () => {
      await run("docker", argv`kill --signal=KILL ${redis}`);
      await run("docker", ["start", redis]);
    });
    expectExact(outcome);
    expect(outcome.failed.length).toBeGreaterThan(0);
    expect(outcome.failed.filter(({ status }) => status !== 503)).toEqual([]);
    expect(outcome.slowestMs).toBeLessThan(maxResponseMs);
  });

  it("never counts a visit later that failed while Redis hung", async () => {
    const redis = await container("redis");
    const before = Number(await storedCount(stack));
    await run("docker", ["pause", redis]);
    // The first of them reach Redis's queue, later ones find no connection
    const load = { count: 40, connections: 20 };
    const responses = await fetchMany(counterUrl(stack, "/count"), load);
    const front = await get("/");
    await run("docker", ["unpause", redis]);
    for (const response of responses) expectUnavailable(response, "Redis is unavailable");
    expect(front.body).toContain(withoutCount);
    expect(front.ms).toBeLessThan(maxResponseMs);

    await waitUntilCounting(stack);
    expect(await storedCount(stack)).toBe(String(before + 1));
  });

  it("repeats no number when Redis hangs for a moment under load", async () => {
    const redis = await container("redis");
    const outcome = await visitDuring(stack, async () => {
      await run("docker", ["pause", redis]);
      await get("/count");
      await run("docker", ["unpause", redis]);
    });
    expectExact(outcome);
    // Redis may have counted the visits in flight before it hung
    expect(outcome.rise).toBeLessThanOrEqual(outcome.numbers.length + 32);
    expect(outcome.slowestMs).toBeLessThan(maxResponseMs);
  });

  it("responds with 503 while Redis is stopped, and recovers without a restart", async () => {
    const before = Number(await storedCount(stack));
    const since = new Date().toISOString();
    await compose(stack, ["stop", "redis"]);
    const response = await get("/count", { Accept: "text/html" });
    expectUnavailable(response, "<p>Redis is unavailable");
    expect((await get("/")).body).toContain(withoutCount);
    expect((await get("/health")).body).toBe('{"webapp":"alive","store":"unreachable"}');

    await compose(stack, ["start", "redis"]);
    await waitUntilCounting(stack);
    expect(await storedCount(stack)).toBe(String(before + 1));
    expect((await get("/health")).body).toBe('{"webapp":"alive","store":"reachable"}');
    // Neither a restart nor a health check is in the log
    const log = await compose(stack, argv`logs --since ${since} webapp`);
    expect(log).not.toMatch(/Listening|\/health/);
  });

  it("responds with 503 while no replica runs, and recovers", async () => {
    await compose(stack, ["stop", "webapp"]);
    for (const path of ["/", "/count"]) {
      expectUnavailable(await get(path), "The webapp is unavailable");
    }
    await compose(stack, ["start", "webapp"]);
    await waitUntilCounting(stack);
  });

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
