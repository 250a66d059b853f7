import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, listContainers, newMarker } from "../../tools/lib/compose";
import { pause } from "../../tools/lib/docker";
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { fetchDuring, fetchMany, waitUntilEachServed } from "../lib/load";
import { bringUp, describeOnEngine, useStack } from "../lib/stacks";
import {
  counterUrl,
  expectExact,
  expectUnavailable,
  maxResponseMs,
  storedCount,
  visitDuring,
  waitUntilCounting,
} from "../lib/visits";

const withoutCount = "The number of visitors is not available at the moment.";

const stack = useStack("visitor-counter", ["webapp"]);
const get = (path: string, headers: Record<string, string> = {}) =>
  fetchAnswer(counterUrl(stack, path), { headers });
const container = async (service: string): Promise<string> =>
  (await listContainers(stack, service)).at(-1)?.name ?? "";
const scaleTo = (replicas: number): Promise<string> =>
  compose(stack, argv`up --detach --wait --no-recreate --scale webapp=${replicas}`);
const waitUntilHealthy = () =>
  waitUntil(
    async () => (await listContainers(stack, "webapp")).every(({ health }) => health === "healthy"),
    { for: "healthy replicas", timeoutMs: 30_000, intervalMs: 100 },
  );
beforeAll(() => bringUp(stack, argv`--scale webapp=3`));

describeOnEngine("the visitor counter, when replicas come and go", () => {
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
    await scaleTo(5);
    const scaled = performance.now();
    const marker = newMarker();
    await fetchDuring(counterUrl(stack, `/?${marker}`), { connections: 2 }, () =>
      waitUntilEachServed(stack, "webapp", marker),
    );
    expect(performance.now() - scaled).toBeLessThan(3_000);
    await scaleTo(3);
  });

  it.each([
    ["is killed", (replica: string) => run("docker", ["kill", replica]), "start", 0],
    // Longer than nginx waits for a response
    ["hangs for 4 seconds", pause, "unpause", 4_000],
  ] as const)(
    "counts each visit exactly once when a replica %s",
    async (_, fault, recovery, ms) => {
      await waitUntilHealthy();
      const replica = await container("webapp");
      const outcome = await visitDuring(stack, async () => {
        await fault(replica);
        await sleep(ms);
        await run("docker", [recovery, replica]);
      });
      expect(outcome.failed).toEqual([]);
      expectExact(outcome);
      expect(outcome.rise).toBe(outcome.sent);
    },
  );

  it("responds with 503 while no replica runs, and recovers", async () => {
    await compose(stack, ["stop", "webapp"]);
    for (const path of ["/", "/count"]) {
      expectUnavailable(await get(path), "The webapp is unavailable");
    }
    await compose(stack, ["start", "webapp"]);
    await waitUntilCounting(stack);
  });
});

describeOnEngine("the visitor counter, when Redis fails", () => {
  it("loses and repeats no number when Redis is killed", async () => {
    const redis = await container("redis");
    const outcome = await visitDuring(stack, async () => {
      await run("docker", argv`kill --signal=KILL ${redis}`);
      // Redis that is back at once would fail no visit
      await expect.poll(async () => (await get("/")).body).toContain(withoutCount);
      expectUnavailable(await get("/count"), "Redis is unavailable");
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
    await pause(redis);
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
      await pause(redis);
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
    const problem = "Redis is unavailable, so your visit may not have been counted. Try again.";
    for (const [type, body] of [
      ["text/html", `<p>${problem}</p>`],
      ["text/plain", `${problem}\n`],
      ["application/json", `{"error":"${problem}"}\n`],
    ] as const) {
      const response = await get("/count", { Accept: type });
      expectUnavailable(response, body);
      expect(response.headers["content-type"]).toBe(`${type}; charset=utf-8`);
    }
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
});
