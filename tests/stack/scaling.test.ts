import { beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, countServed, listContainers, newMarker } from "../../tools/lib/compose";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { fetchDuring, fetchMany, waitUntilEachServed } from "../lib/load";
import { bringUp, describeOnEngine, useStack } from "../lib/stacks";

// That the command in 2-api-servers.txt starts two servers that take turns is a point of the grader

/** @returns Milliseconds from a server's start to its first request, by the times in its log. */
async function timeToFirstRequest(container: string, marker: string): Promise<number> {
  const log = await run("docker", argv`logs --timestamps ${container}`);
  const timeOf = (text: string): number => {
    const line = log.split("\n").find((candidate) => candidate.includes(text));
    return Date.parse(line?.split(" ")[0] ?? "");
  };
  return timeOf(marker) - timeOf("Listening on");
}

describeOnEngine("task6, scaled while it runs", () => {
  const stack = useStack("task6", ["back-end", "front-end", "proxy"]);
  const url = (marker: string): string =>
    `http://localhost:${stack.ports.proxy}/api/hello?${marker}`;
  const scaleTo = (servers: number): Promise<string> =>
    compose(stack, argv`up --detach --wait --no-recreate --scale back-end=${servers}`);
  beforeAll(() => bringUp(stack, argv`--scale back-end=2`));

  async function expectBalance(servers: number): Promise<void> {
    const marker = newMarker();
    const responses = await fetchMany(url(marker), { count: 1_000, connections: 16 });
    const wrong = responses.filter(
      ({ status, body }) => status !== 200 || body !== "Hello, World!",
    );
    expect(wrong).toEqual([]);
    const served = [...(await countServed(stack, "back-end", marker, 1_000)).values()];
    expect(served).toHaveLength(servers);
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(1);
  }

  it("balances 1,000 requests over 16 connections between two servers", () => expectBalance(2));

  it("sends requests to three new servers within 3 seconds, without a restart", async () => {
    const old = (await listContainers(stack, "back-end")).map(({ name }) => name);
    const marker = newMarker();
    await fetchDuring(url(marker), { connections: 1 }, async () => {
      await scaleTo(5);
      await waitUntilEachServed(stack, "back-end", marker);
    });

    const current = (await listContainers(stack, "back-end")).map(({ name }) => name);
    const added = current.filter((name) => !old.includes(name));
    expect(added).toHaveLength(3);
    for (const name of added) expect(await timeToFirstRequest(name, marker)).toBeLessThan(3_000);
  });

  it("then balances between five", () => expectBalance(5));

  it("balances between two again after it is scaled down", async () => {
    await scaleTo(2);
    // Until nginx has resolved the name again, some requests are sent to servers that are gone
    let lastProblem = performance.now();
    await waitUntil(
      async () => {
        const responses = await fetchMany(url(""), { count: 20, connections: 2 });
        const isStable = responses.every(({ status, ms }) => status === 200 && ms < 200);
        if (!isStable) lastProblem = performance.now();
        return performance.now() - lastProblem > 2_500;
      },
      { for: "nginx to drop the servers that are gone", timeoutMs: 30_000 },
    );
    await expectBalance(2);
  });
});
