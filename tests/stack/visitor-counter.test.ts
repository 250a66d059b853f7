import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compose, countServed, listContainers, newMarker } from "../../tools/lib/compose";
import { fetchAnswer, fetchMany } from "../../tools/lib/http";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { bringUp, describeOnEngine, leftovers, useStack } from "../lib/stacks";
import {
  counterUrl,
  numberIn,
  type Outcome,
  repeated,
  storedCount,
  untilItCounts,
  visitDuring,
} from "../lib/visits";

const twoSeconds = 2_000;

describe("the check for numbers that were told twice", () => {
  it("finds them", () => {
    expect(repeated([3, 1, 2])).toEqual([]);
    expect(repeated([3, 1, 3, 2, 1])).toEqual([3, 1]);
  });
});

/** Nobody was told a number that somebody else was told, and the store holds at least as many. */
function expectExact({ sent, numbers, rise }: Outcome): void {
  expect(repeated(numbers)).toEqual([]);
  expect(rise).toBeGreaterThanOrEqual(numbers.length);
  expect(rise).toBeLessThanOrEqual(sent);
}

describeOnEngine("the visitor counter with three replicas", () => {
  const stack = useStack("visitor-counter", ["webapp"]);
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetchAnswer(counterUrl(stack, path), { headers });
  const redisCli = (...args: string[]): Promise<string> =>
    compose(stack, ["exec", "-T", "redis", "redis-cli", ...args]);
  const containerOf = async (service: string, index = 0): Promise<string> =>
    (await listContainers(stack, service))[index]?.name ?? "";
  const scaleTo = (replicas: number): Promise<string> =>
    compose(stack, [
      ...["up", "--detach", "--wait", "--no-recreate", "--scale", `webapp=${replicas}`],
    ]);
  beforeAll(() => bringUp(stack, ["--scale", "webapp=3"]));

  it("counts 5,000 visits over 32 connections exactly, each replica an equal share", async () => {
    const before = Number((await storedCount(stack)) ?? 0);
    const marker = newMarker();
    const url = counterUrl(stack, `/count?${marker}`);
    const answers = await fetchMany(url, { count: 5_000, connections: 32 });
    const numbers = answers.map(numberIn).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 5_000 }, (_, index) => before + index + 1));
    expect(await storedCount(stack)).toBe(String(before + 5_000));

    const served = [...(await countServed(stack, "webapp", marker, 5_000)).values()];
    expect(served).toHaveLength(3);
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(1);
  });

  it("shows the count at / without raising it", async () => {
    const count = numberIn(await get("/count"));
    for (let looked = 0; looked < 3; looked += 1) {
      const { status, headers, body } = await get("/");
      expect({ status, type: headers["content-type"] }).toEqual({
        status: 200,
        type: "text/html; charset=utf-8",
      });
      expect(body).toContain(`<p class="count">${count}</p>`);
    }
    expect(await storedCount(stack)).toBe(String(count));
  });

  it("answers /count as the client asks: text, HTML or JSON, each a visit", async () => {
    const count = numberIn(await get("/count"));
    const html = await get("/count", { Accept: "text/html,*/*;q=0.8" });
    expect(html.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(html.body).toContain(`<p class="count">${count + 1}</p>`);
    const json = await get("/count", { Accept: "application/json" });
    expect(json.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(json.body).toBe(`{"count":${count + 2}}\n`);
    const other = await get("/count", { Accept: "image/png" });
    expect(other.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(numberIn(other)).toBe(count + 3);
  });

  it.each(["/", "/count", "/health"])("forbids to keep the answer of %s", async (path) => {
    const { headers } = await get(path);
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers).not.toHaveProperty("etag");
  });

  it("counts neither HEAD, nor another method, nor a page loaded in advance", async () => {
    const before = await storedCount(stack);
    const url = counterUrl(stack, "/count");
    for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"]) {
      const { status, headers } = await fetchAnswer(url, { method });
      expect({ method, status, allow: headers.allow }).toEqual({
        method,
        status: 405,
        allow: "GET",
      });
    }
    expect((await get("/count", { "Sec-Purpose": "prefetch;prerender" })).status).toBe(503);
    expect((await get("/counts")).status).toBe(404);
    expect((await get("/count/1")).status).toBe(404);
    expect(await storedCount(stack)).toBe(before);
  });

  it("counts beyond what JavaScript's numbers hold", async () => {
    const before = (await storedCount(stack)) ?? "0";
    await redisCli("set", "visits", "9007199254740992");
    expect((await get("/count")).body).toBe("You are visitor number 9007199254740993.\n");
    expect((await get("/")).body).toContain(">9007199254740993<");
    await redisCli("set", "visits", before);
  });

  describe("with a value that is no count", () => {
    let before = "0";
    beforeEach(async () => {
      before = (await storedCount(stack)) ?? "0";
      return async () => {
        await redisCli("set", "visits", before);
      };
    });

    it.each([
      ["a word", "set visits many", "get visits", "many"],
      ["a fraction", "set visits 1.5", "get visits", "1.5"],
      ["a negative number", "set visits -7", "get visits", "-7"],
      ["the largest number there is", `set visits ${2n ** 63n - 1n}`, "get visits", "92233720"],
      ["a list", "lpush visits 5", "lrange visits 0 -1", "5"],
    ])("such as %s, says so, logs it, and leaves it alone", async (_, damage, look, value) => {
      await redisCli("del", "visits");
      await redisCli(...damage.split(" "));
      const since = new Date().toISOString();
      const { status, body } = await get("/count");
      expect({ status, body }).toEqual({
        status: 500,
        body: "The count is damaged. It was left as it is until somebody looks.\n",
      });
      expect((await get("/")).status).toBe(200);
      expect(await redisCli(...look.split(" "))).toMatch(new RegExp(`^${value}`));
      await waitUntil(
        async () =>
          (await compose(stack, ["logs", "--since", since, "webapp"])).includes(
            "The stored count is damaged and was not touched: ",
          ),
        { for: "a line in the log", timeoutMs: 5_000 },
      );
      await redisCli("del", "visits");
    });
  });

  it("loses no visit when it is scaled to one replica and to five", async () => {
    const outcome = await visitDuring(stack, async () => {
      await scaleTo(1);
      await scaleTo(5);
    });
    expect(outcome.refused).toEqual([]);
    expectExact(outcome);
    expect(outcome.rise).toBe(outcome.sent);
  });

  it("gives each of two new replicas visits within 3 seconds", async () => {
    await scaleTo(3);
    const old = (await listContainers(stack, "webapp")).map(({ name }) => name);
    await scaleTo(5);
    const added = performance.now();
    const marker = newMarker();
    await waitUntil(
      async () => {
        const url = counterUrl(stack, `/?${marker}`);
        await fetchMany(url, { count: 10, connections: 2 });
        const served = await countServed(stack, "webapp", marker, 1);
        return [...served].every(([name, count]) => old.includes(name) || count > 0);
      },
      { for: "the new replicas to have served", timeoutMs: 10_000, intervalMs: 20 },
    );
    expect(performance.now() - added).toBeLessThan(3_000);
    await scaleTo(3);
  });

  it("counts each visit at most once when a replica is killed", async () => {
    const victim = await containerOf("webapp", 1);
    const outcome = await visitDuring(stack, () => run("docker", ["kill", victim]));
    expectExact(outcome);
    // Only what was under way there: what had not been sent went on to another replica
    expect(outcome.refused.length).toBeLessThanOrEqual(32);
    expect(outcome.refused.filter(({ status }) => status !== 503)).toEqual([]);
    await scaleTo(3);
  });

  it("loses no visit when a replica is stopped", async () => {
    const victim = await containerOf("webapp", 1);
    const outcome = await visitDuring(stack, () => run("docker", ["stop", victim]));
    expect(outcome.refused).toEqual([]);
    expect(outcome.rise).toBe(outcome.sent);
    await scaleTo(3);
  });

  it("forgets and repeats no number when Redis is killed", async () => {
    const redis = await containerOf("redis");
    const outcome = await visitDuring(stack, async () => {
      await run("docker", ["kill", "--signal=KILL", redis]);
      await run("docker", ["start", redis]);
    });
    expectExact(outcome);
    expect(outcome.refused.length).toBeGreaterThan(0);
    expect(outcome.refused.filter(({ status }) => status !== 503)).toEqual([]);
    expect(outcome.slowestMs).toBeLessThan(twoSeconds);
  });

  it("counts nothing later that it refused while Redis hung", async () => {
    const redis = await containerOf("redis");
    const before = Number(await storedCount(stack));
    await run("docker", ["pause", redis]);
    // The first of them reach Redis's door, the later ones find no connection
    const load = { count: 40, connections: 20 };
    const refused = await fetchMany(counterUrl(stack, "/count"), load);
    const front = await get("/");
    await run("docker", ["unpause", redis]);
    expect(
      refused.filter(({ status, headers, ms }) => {
        return status !== 503 || headers["retry-after"] !== "1" || ms > twoSeconds;
      }),
    ).toEqual([]);
    expect(front.body).toContain("The number of visitors is not available just now.");
    expect(front.ms).toBeLessThan(twoSeconds);

    await untilItCounts(stack);
    expect(await storedCount(stack)).toBe(String(before + 1));
  });

  it("repeats no number when Redis hangs for a moment under load", async () => {
    const redis = await containerOf("redis");
    const outcome = await visitDuring(stack, async () => {
      await run("docker", ["pause", redis]);
      await get("/count");
      await run("docker", ["unpause", redis]);
    });
    expectExact(outcome);
    // Redis may have hung between counting and answering
    expect(outcome.rise).toBeLessThanOrEqual(outcome.numbers.length + 32);
    expect(outcome.slowestMs).toBeLessThan(twoSeconds);
  });

  it("refuses while the store is stopped, says so, and recovers without a restart", async () => {
    const restarts = async (): Promise<string> =>
      run("docker", [
        ...["inspect", "--format={{.RestartCount}} {{.State.StartedAt}}"],
        ...(await listContainers(stack, "webapp")).map(({ id }) => id),
      ]);
    const before = await storedCount(stack);
    const startedBefore = await restarts();
    await compose(stack, ["stop", "redis"]);

    const forms = {
      "text/plain": /^The store does/,
      "text/html": /<p>The store/,
      json: /^{"error/,
    };
    for (const [type, form] of Object.entries(forms)) {
      const accept = type === "json" ? "application/json" : type;
      const { status, headers, body, ms } = await get("/count", { Accept: accept });
      expect({ status, retryAfter: headers["retry-after"] }).toEqual({
        status: 503,
        retryAfter: "1",
      });
      expect(headers["content-type"]).toContain(accept);
      expect(headers["cache-control"]).toBe("no-store");
      expect(body).toMatch(form);
      expect(ms).toBeLessThan(twoSeconds);
    }
    const front = await get("/");
    expect(front.status).toBe(200);
    expect(front.body).toContain("The number of visitors is not available just now.");
    const health = await get("/health");
    expect({ status: health.status, body: health.body }).toEqual({
      status: 200,
      body: '{"webapp":"alive","store":"unreachable"}',
    });

    await compose(stack, ["start", "redis"]);
    await untilItCounts(stack);
    expect(await storedCount(stack)).toBe(String(Number(before) + 1));
    expect((await get("/health")).body).toBe('{"webapp":"alive","store":"reachable"}');
    expect(await restarts()).toBe(startedBefore);
  });

  it("says so when no replica answers, and recovers", async () => {
    await compose(stack, ["stop", "webapp"]);
    for (const path of ["/", "/count"]) {
      const { status, headers, body, ms } = await get(path);
      expect({ status, retryAfter: headers["retry-after"], body }).toEqual({
        status: 503,
        retryAfter: "1",
        body: "The webapp does not answer; a visit may not have been counted. Try again.\n",
      });
      expect(headers["cache-control"]).toBe("no-store");
      expect(ms).toBeLessThan(twoSeconds);
    }
    await compose(stack, ["start", "webapp"]);
    await untilItCounts(stack);
  });

  it("opens one port on the host, and none to Redis", async () => {
    const published = (await listContainers(stack)).map((container) => [
      container.service,
      container.published,
    ]);
    expect(Object.fromEntries(published)).toEqual({
      nginx: [stack.ports.web],
      redis: [],
      webapp: [],
    });
  });

  it("lets nobody but the webapp reach Redis, and Redis nobody outside", async () => {
    const lookUp = (service: string, name: string) =>
      attempt("docker", [...["compose", "exec", "-T", service, "getent", "hosts", name]], {
        cwd: stack.folder,
        env: { ...stack.env, COMPOSE_PROJECT_NAME: stack.project },
      });
    expect((await lookUp("webapp", "redis")).ok).toBe(true);
    expect((await lookUp("nginx", "webapp")).ok).toBe(true);
    expect((await lookUp("nginx", "redis")).ok).toBe(false);
    const routes = await compose(stack, ["exec", "-T", "redis", "cat", "/proc/net/route"]);
    expect(routes).not.toMatch(/^\S+\t0{8}\t/m);
  });

  it.each(["webapp", "redis", "nginx"])("gives %s no rights beyond its user's", async (service) => {
    const inside = (command: string): Promise<string> =>
      compose(stack, ["exec", "-T", service, "sh", "-c", command]);
    expect(await inside("id -u")).not.toBe("0");
    const status = await inside("cat /proc/1/status");
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    const written = await inside("touch /x /tmp/x /etc/x 2>&1 || true");
    expect(written.match(/Read-only file system/g)).toHaveLength(3);
  });

  it("has an nginx configuration without a fault", async () => {
    const { stderr } = await attempt("docker", [
      ...["exec", await containerOf("nginx"), "nginx", "-t"],
    ]);
    expect(stderr).toContain("test is successful");
    // Where nginx starts as a user other than root, its own nginx.conf names a user in vain
    expect(stderr.match(/\[\w+\] .*/g) ?? []).toEqual([
      expect.stringContaining('the "user" directive makes sense only if the master process runs'),
    ]);
  });

  it("does not log its own health checks", async () => {
    expect(await compose(stack, ["logs", "webapp"])).not.toContain("/health");
    expect(await compose(stack, ["logs", "nginx"])).not.toMatch(/127\.0\.0\.1 - .*\/health/);
  });

  it("keeps the count through down and up, and starts anew after down --volumes", async () => {
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
