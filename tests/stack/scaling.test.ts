import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { compose, countServed, listContainers, newMarker } from "../../tools/lib/compose";
import { fetchAnswer, fetchMany } from "../../tools/lib/http";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { bringUp, describeOnEngine, leftovers, type TestStack, useStack } from "../lib/stacks";

const services = ["back-end", "front-end", "proxy"];

/** The largest share minus the smallest. */
function spread(served: ReadonlyMap<string, number>): number {
  return Math.max(...served.values()) - Math.min(...served.values());
}

describe("the spread of shares", () => {
  it("tells even from uneven, and sees a server that gets nothing", () => {
    expect(
      spread(
        new Map([
          ["a", 500],
          ["b", 500],
        ]),
      ),
    ).toBe(0);
    expect(
      spread(
        new Map([
          ["a", 334],
          ["b", 333],
          ["c", 333],
        ]),
      ),
    ).toBe(1);
    expect(
      spread(
        new Map([
          ["a", 510],
          ["b", 490],
        ]),
      ),
    ).toBe(20);
    expect(
      spread(
        new Map([
          ["a", 500],
          ["b", 0],
        ]),
      ),
    ).toBe(500);
  });
});

async function expectEvenShares(stack: TestStack, servers: number): Promise<void> {
  const marker = newMarker();
  const url = `http://localhost:${stack.ports.proxy}/api/hello?${marker}`;
  const answers = await fetchMany(url, { count: 1_000, connections: 16 });
  expect(answers.filter(({ status, body }) => status !== 200 || body !== "Hello, World!")).toEqual(
    [],
  );
  const served = await countServed(stack, "back-end", marker, 1_000);
  expect(served.size).toBe(servers);
  expect(spread(served)).toBeLessThanOrEqual(1);
}

describeOnEngine("the command in task6/2-api-servers.txt", () => {
  const stack = useStack("task6", services);

  it("starts two API servers, and every request goes to the next one", async () => {
    const text = await readFile(path.join(stack.folder, "2-api-servers.txt"), "utf8");
    const hasCommand = (await attempt("docker-compose", ["version"])).ok;
    const command = hasCommand ? text : text.replace("docker-compose", "docker compose");
    const [program = "", ...args] = command.trim().split(" ");
    await compose(stack, ["build"]);

    const terminal = spawn(program, args, {
      cwd: stack.folder,
      env: { ...process.env, ...stack.env, COMPOSE_PROJECT_NAME: stack.project },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = once(terminal, "close");
    const servers: string[] = [];
    createInterface(terminal.stdout).on("line", (line) => {
      const server = /(back-end-\d+)\s+\|.*"GET \/api\/hello HTTP/.exec(line)?.[1];
      if (server !== undefined) servers.push(server);
    });

    const url = `http://localhost:${stack.ports.proxy}/api/hello`;
    await waitUntil(async () => (await fetchAnswer(url)).status === 200, {
      for: "the stack to answer",
      timeoutMs: 60_000,
    });
    for (let sent = 1; sent <= 10; sent += 1) {
      await waitUntil(() => servers.length === sent, {
        for: `request ${sent} in the log`,
        timeoutMs: 5_000,
        intervalMs: 10,
      });
      await fetchAnswer(url);
    }
    expect(new Set(servers)).toEqual(new Set(["back-end-1", "back-end-2"]));
    expect(servers.filter((server, index) => server === servers[index + 1])).toEqual([]);

    terminal.kill("SIGINT");
    await ended;
    expect((await listContainers(stack)).filter(({ state }) => state === "running")).toEqual([]);
    await compose(stack, ["down"]);
    expect(await leftovers(stack.project)).toEqual([]);
  });
});

/** Keeps asking until told to stop, so that the logs tell when a server got its first request. */
async function keepAsking(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await fetchAnswer(url);
    await sleep(20);
  }
}

/** @returns Milliseconds from a server's start line to its first request, by its log's clock. */
async function timeToFirstRequest(container: string, marker: string): Promise<number> {
  const log = await run("docker", ["logs", "--timestamps", container]);
  const at = (text: string): number => {
    const line = log.split("\n").find((candidate) => candidate.includes(text));
    return Date.parse(line?.split(" ")[0] ?? "");
  };
  return at(marker) - at("Listening on");
}

describeOnEngine("task6, scaled while it runs", () => {
  const stack = useStack("task6", services);
  const scaleTo = (servers: number): Promise<string> =>
    compose(stack, [
      ...["up", "--detach", "--wait", "--no-recreate", "--scale", `back-end=${servers}`],
    ]);
  beforeAll(() => bringUp(stack, ["--scale", "back-end=2"]));

  it("shares 1,000 requests over 16 connections equally between two servers", async () => {
    await expectEvenShares(stack, 2);
  });

  it("gives each of three new servers requests within 3 seconds, without a restart", async () => {
    const old = (await listContainers(stack, "back-end")).map(({ name }) => name);
    const marker = newMarker();
    const controller = new AbortController();
    const asking = keepAsking(
      `http://localhost:${stack.ports.proxy}/api/hello?${marker}`,
      controller.signal,
    );
    await scaleTo(5);
    const current = (await listContainers(stack, "back-end")).map(({ name }) => name);
    await waitUntil(
      async () => {
        const served = await countServed(stack, "back-end", marker, 1);
        return [...served.values()].every((count) => count > 0);
      },
      { for: "every server to have served a request", timeoutMs: 10_000 },
    );
    controller.abort();
    await asking;

    const added = current.filter((name) => !old.includes(name));
    expect(added).toHaveLength(3);
    for (const name of added) {
      expect(await timeToFirstRequest(name, marker)).toBeLessThan(3_000);
    }
  });

  it("then shares equally between five", async () => {
    await expectEvenShares(stack, 5);
  });

  it("goes back to two, which share equally again", async () => {
    await scaleTo(2);
    // nginx asks Docker's DNS each second or two; until then, some requests meet a server that is gone
    let lastTrouble = performance.now();
    await waitUntil(
      async () => {
        const answers = await fetchMany(`http://localhost:${stack.ports.proxy}/api/hello`, {
          count: 20,
          connections: 2,
        });
        const isWell = answers.every(({ status, ms }) => status === 200 && ms < 200);
        if (!isWell) lastTrouble = performance.now();
        return performance.now() - lastTrouble > 2_500;
      },
      { for: "nginx to forget the servers that are gone", timeoutMs: 30_000 },
    );
    await expectEvenShares(stack, 2);
  });
});
