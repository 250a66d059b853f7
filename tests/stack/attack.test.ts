import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { countServed, listContainers, newMarker } from "../../tools/lib/compose";
import { pause } from "../../tools/lib/docker";
import { fetchAnswer, waitUntilServed } from "../../tools/lib/http";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import {
  attacksOf,
  groupNames,
  outcomeOf,
  pipelined,
  problemsOf,
  servedPaths,
  smuggled,
} from "../lib/attacks";
import { startBystander } from "../lib/bystander";
import { fetchMany } from "../lib/load";
import { exchange } from "../lib/raw-http";
import { slowClients, usage } from "../lib/slow-clients";
import { bringUp, describeOnEngine, useStack } from "../lib/stacks";
import { listRepositoryFiles } from "../lib/task-files";

const site = "production/front-end/softy-pinko-front-end";
const services = ["back-end", "front-end", "proxy"];

/** Requests at the same time from one address: limit_conn in production/proxy/limits.conf. */
const maxRequests = 360;

/** Every body that the site may send with 200, each byte one character. */
async function pagesOf(origin: string): Promise<Set<string>> {
  const files = await listRepositoryFiles(site);
  const scripts = await listRepositoryFiles("production/front-end/scripts");
  const built = [
    ...files,
    "jquery.min.js",
    ...scripts.map((file) => `scripts/${file.replace(".ts", ".js")}`),
  ];
  const responses = await Promise.all(built.map((file) => fetchAnswer(`${origin}/${file}`)));
  expect(responses.map(({ status }) => status)).toEqual(built.map(() => 200));
  const bodies = [...responses.map(({ body }) => body), "Hello, World!", "OK\n"];
  return new Set(bodies.map((body) => Buffer.from(body).toString("latin1")));
}

/** Calls a function for each item, so many at a time. */
async function forEach<Item>(
  items: readonly Item[],
  width: number,
  call: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await call(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

const stack = useStack("production", services);
const origin = (): string => `http://127.0.0.1:${stack.ports.proxy}`;
const id = randomBytes(3).toString("hex");
let pages = new Set<string>();
let before = "";
let leave: ReturnType<typeof startBystander> | undefined;

const logOf = async (service: string): Promise<string> => {
  const containers = await listContainers(stack, service);
  const logs = containers.map((container) => attempt("docker", argv`logs ${container.id}`));
  return (await Promise.all(logs)).map(({ stdout, stderr }) => `${stdout}\n${stderr}`).join("\n");
};
/** What changes if a container is replaced or restarts. */
const startsOfContainers = async (): Promise<string> => {
  const ids = (await listContainers(stack)).map((container) => container.id);
  const format = "{{.Id}} {{.State.StartedAt}} {{.RestartCount}} {{.State.OOMKilled}}";
  return run("docker", argv`inspect ${`--format=${format}`} ${ids}`);
};
const expectNoRestart = async (): Promise<void> => {
  expect(await startsOfContainers()).toEqual(before);
  // nginx replaces a crashed worker process without a restart of the container
  for (const service of ["proxy", "front-end"]) {
    const lines = (await logOf(service)).split("\n");
    expect(lines.filter((line) => /\[(?:alert|crit|emerg)\]/.test(line))).toEqual([]);
  }
};

beforeAll(async () => {
  await bringUp(stack, argv`--scale back-end=2`);
  pages = await pagesOf(origin());
  before = await startsOfContainers();
  const page = (await fetchAnswer(origin())).body;
  leave = startBystander(origin(), { "/": page, "/api/hello": "Hello, World!" });
});
afterAll(() => leave?.());

describeOnEngine("production under attack", () => {
  describe("by malformed and hostile requests", () => {
    it.each(groupNames)("responds as expected: %s", async (group) => {
      const problems: string[] = [];
      await forEach(attacksOf(group, id), 16, async (attack) => {
        const result = await exchange(stack.ports.proxy, attack.pieces, attack.client);
        problems.push(...problemsOf(attack, result, pages));
      });
      expect(problems).toEqual([]);
    });

    it("passes on no hidden request, and every pipelined one", async () => {
      // The logs are complete once they have these
      const marker = newMarker();
      await fetchMany(`${origin()}/api/hello?${marker}`, { count: 20, connections: 2 });
      await countServed(stack, "back-end", marker, 20);
      const log = await logOf("back-end");
      expect(servedPaths(log, smuggled)).toEqual([]);
      expect(servedPaths(await logOf("front-end"), smuggled)).toEqual([]);
      const served = new Set(servedPaths(log, pipelined));
      const all = groupNames.flatMap((group) => attacksOf(group, id));
      const expected = all.flatMap((attack) => attack.pipelined);
      expect(expected.length).toBeGreaterThan(10);
      expect(expected.filter((path) => !served.has(path))).toEqual([]);
    });

    it("restarts and replaces no container", expectNoRestart);
  });

  it("closes 200 slow connections, and frees their memory", async () => {
    await fetchMany(`${origin()}/api/hello`, { count: 3_000, connections: 64 });
    await fetchMany(`${origin()}/`, { count: 1_000, connections: 64 });
    const idle = await usage(stack);

    const clients = Array.from({ length: 20 }, () => slowClients).flat();
    const problems = await Promise.all(
      clients.map(async ({ name, expected, pieces, client }) => {
        const result = await exchange(stack.ports.proxy, pieces, client);
        const outcome = outcomeOf(result);
        const isExpected = new RegExp(`^(?:${expected})$`).test(outcome);
        return isExpected ? [] : [`${name}: ${outcome} after ${Math.round(result.ms)} ms`];
      }),
    );
    expect(problems).toHaveLength(200);
    expect(problems.flat()).toEqual([]);
    const isIdle = async (): Promise<boolean> =>
      (await usage(stack)).every(({ megabytes, connections }, index) => {
        const then = idle[index] ?? { megabytes: 0, connections: 0 };
        return megabytes < then.megabytes * 1.25 + 4 && connections <= then.connections + 4;
      });
    await waitUntil(isIdle, { for: "memory and connections to be freed", timeoutMs: 30_000 });
    await expectNoRestart();
  });

  it("served every ordinary request meanwhile", async () => {
    const result = await leave?.();
    expect(result?.failures).toEqual([]);
    expect(result?.sent).toBeGreaterThan(1_000);
  });
});

describeOnEngine("production at its limit of connections", () => {
  it.each([
    ["256 connections at full speed", 256],
    ["60 browsers with six connections each", maxRequests],
  ])("rejects no request of %s, from one address", async (_, connections) => {
    for (const path of ["/", "/api/hello"]) {
      const count = 4_000;
      const responses = await fetchMany(`${origin()}${path}`, { count, connections });
      const failures = responses
        .filter(({ status }) => status !== 200)
        .map(({ status, error, ms }) => `${path}: ${status ?? error} in ${ms} ms`);
      expect(failures.slice(0, 5)).toEqual([]);
      expect(responses).toHaveLength(count);
    }
    await expectNoRestart();
  });

  it("rejects more simultaneous requests from one address, with Retry-After", async () => {
    const servers = (await listContainers(stack, "back-end")).map((container) => container.id);
    // A request is in progress as long as the proxy waits for servers that hang
    for (const server of servers) await pause(server);
    const load = { count: 600, connections: 600 };
    const responses = await fetchMany(`${origin()}/api/hello`, load);
    await run("docker", argv`unpause ${servers}`);
    const rejected = responses.filter(({ status }) => status === 429);
    expect(rejected.length).toBeGreaterThan(100);
    expect(rejected.length).toBeLessThanOrEqual(600 - maxRequests);
    expect(new Set(rejected.map(({ headers }) => headers["retry-after"]))).toEqual(new Set(["1"]));
    await waitUntilServed(`${origin()}/api/hello`, { timeoutMs: 10_000 });
  });
});
