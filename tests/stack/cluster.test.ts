import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import {
  containerOf,
  listTasks,
  loadImages,
  nodes,
  onManager,
  readyNodes,
  settled,
  type Task,
} from "../../tools/cluster/cluster";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { freePort } from "../../tools/lib/ports";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { hasDefaultRoute, limitsOf, rightsIn, writableFolders } from "../lib/confinement";
import { fetchMany } from "../lib/load";
import { describeOnEngine, leftovers, ownName } from "../lib/stacks";

const minutes = 60_000;

/**
 * The time after which a restarted node serves again. Swarm tells it about the other nodes' tasks with
 * a delay of 5 to 67 s; until then, a node without a back-end task returns 503.
 */
const rejoinMs = 2 * minutes;

interface TestCluster {
  folder: string;
  project: string;
  env: Record<string, string>;
  /** Each node's origin for production, by the node's name. */
  sites: Record<string, string>;
  /** The same for the visitor counter. */
  counters: Record<string, string>;
}

async function newCluster(): Promise<TestCluster> {
  const project = ownName("cluster");
  const env: Record<string, string> = { COMPOSE_PROJECT_NAME: project };
  const sites: Record<string, string> = {};
  const counters: Record<string, string> = {};
  for (const node of nodes) {
    const variable = node.toUpperCase().replace("-", "_");
    const [port, webPort] = [await freePort(), await freePort()];
    env[`${variable}_PORT`] = String(port);
    env[`${variable}_WEB_PORT`] = String(webPort);
    sites[node] = `http://localhost:${port}`;
    counters[node] = `http://localhost:${webPort}`;
  }
  return { folder: path.join(root, "tools/cluster"), project, env, sites, counters };
}

/** Starts `npm run cluster`. */
const command = ({ env }: TestCluster, ...args: string[]): Child =>
  startScript([path.join(root, "tools/cluster/cli.ts"), ...args], {
    cwd: root,
    env: { ...env, NO_COLOR: "1" },
  });

/** A request without status 200. */
interface Failure {
  node: string;
  startMs: number;
  endMs: number;
  status: number | undefined;
}

/** @returns The time from the first to the last failure, in milliseconds. */
function spanOf(failures: readonly Failure[]): number {
  if (failures.length === 0) return 0;
  const ends = failures.map(({ endMs }) => endMs);
  return Math.max(...ends) - Math.min(...failures.map(({ startMs }) => startMs));
}

describeOnEngine("a cluster of three nodes", () => {
  let cluster: TestCluster;
  let child: Child;

  beforeAll(async () => {
    cluster = await newCluster();
    child = command(cluster);
    await child.ended;
  }, 10 * minutes);
  afterAll(() => command(cluster, "down").ended, 2 * minutes);

  const tasksOf = async (service: string): Promise<Task[]> =>
    (await listTasks(cluster, "production")).filter(
      (task) => task.service === `production_${service}`,
    );

  /** Sends requests to some nodes before, during and after an action. */
  async function underLoad(targets: readonly string[], action: () => Promise<void>) {
    const controller = new AbortController();
    const failures: Failure[] = [];
    const counts: Record<string, number> = {};
    const loads = targets.flatMap((node) =>
      ["/", "/api/hello"].map((route) =>
        fetchMany(`${cluster.sites[node]}${route}`, {
          connections: 2,
          signal: controller.signal,
          onAnswer: ({ status, ms }) => {
            counts[node] = (counts[node] ?? 0) + 1;
            const endMs = performance.now();
            if (status !== 200) failures.push({ node, startMs: endMs - ms, endMs, status });
          },
        }),
      ),
    );
    const send300 = async (): Promise<void> => {
      const before = { ...counts };
      const isDone = (node: string): boolean => (counts[node] ?? 0) > (before[node] ?? 0) + 300;
      await waitUntil(() => targets.every(isDone), { for: "300 responses", timeoutMs: 60_000 });
    };
    try {
      await send300();
      await action();
      await send300();
    } finally {
      controller.abort();
      await Promise.all(loads);
    }
    return failures;
  }

  /** Sends 30 requests to a node. @returns The number of responses of each server. */
  async function sharesAt(node: string): Promise<Map<string, number>> {
    const shares = new Map<string, number>();
    for (let sent = 0; sent < 30; sent += 1) {
      const { headers } = await fetchAnswer(`${cluster.sites[node]}/api/hello`);
      const server = headers["x-served-by"]?.toString() ?? "none";
      shares.set(server, (shares.get(server) ?? 0) + 1);
    }
    return shares;
  }

  const untilServers = (count: number): Promise<boolean> =>
    waitUntil(async () => (await sharesAt("node-1")).size === count, {
      for: `${count} servers to respond`,
      timeoutMs: 30_000,
    });

  /** Waits until each node serves the page and distributes requests over three servers. */
  async function untilAllNodesServe(): Promise<void> {
    const isServing = async (node: string): Promise<boolean> =>
      (await fetchAnswer(`${cluster.sites[node]}/`)).status === 200 &&
      (await sharesAt(node)).size === 3;
    const allServe = async (): Promise<boolean> =>
      (await Promise.all(nodes.map(isServing))).every(Boolean);
    await waitUntil(allServe, { for: "all nodes", timeoutMs: rejoinMs });
  }

  /** Updates the API's service and waits for the end of the update or rollback. */
  async function update(...args: string[]): Promise<string> {
    const service = "production_back-end";
    const options = argv`--quiet --detach=false --no-resolve-image ${args}`;
    await onManager(cluster, argv`service update ${options} ${service}`);
    return onManager(cluster, argv`service inspect --format={{.UpdateStatus.State}} ${service}`);
  }

  /** Builds an image from the API's with one more line, and loads it on all nodes. */
  async function newVersion(name: string, line: string): Promise<string> {
    const image = `${cluster.project}-${name}:1`;
    const script = `printf '%s\\n' "$@" | docker build --quiet --tag "$0" -`;
    await run("sh", ["-c", script, image, "FROM softy-pinko-back-end:production", line]);
    await loadImages(cluster, [image], AbortSignal.timeout(2 * minutes));
    return image;
  }

  it("starts production and prints the address of each node and who served", () => {
    expect(child.output.stderr).not.toContain("error:");
    const lines = nodes.map((node) => `  ${node}  ${cluster.sites[node]}\n`).join("");
    expect(child.output.stdout).toContain(`production is up, on every node:\n${lines}`);
    for (const number of [1, 2, 3]) {
      const line = `  production_back-end\\.${number} on node-\\d  served 6 of 18\n`;
      expect(child.output.stdout).toMatch(new RegExp(line));
    }
    expect(child.process.exitCode).toBe(0);
  });

  it("runs an API task on each node, and each node uses them in turn", async () => {
    const tasks = await tasksOf("back-end");
    expect(tasks.map(({ node }) => node).sort()).toEqual(nodes);
    const equalShares = new Map(tasks.map(({ container }) => [container.slice(0, 12), 10]));
    for (const node of nodes) expect(await sharesAt(node)).toEqual(equalShares);
  });

  it("restarts nothing if nothing has changed", async () => {
    const before = await listTasks(cluster, "production");
    expect(await command(cluster).ended).toBe(0);
    expect(await listTasks(cluster, "production")).toEqual(before);
  });

  it.each([
    ["back-end", ["/dev"]],
    ["front-end", ["/dev", "/run", "/var/cache/nginx"]],
    ["proxy", ["/dev", "/run", "/var/cache/nginx"]],
  ])("confines a task of %s to its limits and folders", async (service, allowed) => {
    const [task] = await tasksOf(service);
    const place = [containerOf(cluster, task?.node ?? ""), task?.container ?? ""] as const;
    expect(await rightsIn(place)).toEqual([]);
    const folders = await writableFolders(place);
    const isAllowed = (folder: string) => allowed.some((prefix) => folder.startsWith(prefix));
    expect(folders.filter((folder) => !isAllowed(folder))).toEqual([]);
    const limits = { memoryBytes: 512 * 2 ** 20, processes: 512, cpus: 1 };
    expect(await limitsOf(place)).toEqual(limits);
    // Only the proxy needs a way out
    expect(await hasDefaultRoute(place)).toBe(service === "proxy");
  });

  it("loses no request when the API is scaled from 3 to 9 and back", async () => {
    const failures = await underLoad(nodes, async () => {
      for (const count of [9, 3]) {
        const scale = `production_back-end=${count}`;
        await onManager(cluster, argv`service scale --detach=false ${scale}`);
        await untilServers(count);
      }
    });
    expect(failures).toEqual([]);
  });

  it("loses no request when a new version replaces the old one", async () => {
    const image = await newVersion("new", "ENV VERSION=2");
    const failures = await underLoad(nodes, async () => {
      expect(await update(`--image=${image}`)).toBe("completed");
    });
    expect(failures).toEqual([]);
    expect((await tasksOf("back-end")).map((task) => task.image)).toEqual([image, image, image]);
  });

  it("rolls back a version that does not become healthy, and loses no request", async () => {
    const before = await tasksOf("back-end");
    const broken =
      "require('node:http').createServer((_, response) => response.writeHead(500).end())";
    const image = await newVersion("broken", `CMD ["node", "-e", "${broken}.listen(5252)"]`);
    const failures = await underLoad(nodes, async () => {
      // Shorter than a slow start may take
      const timing = argv`--health-start-period=1s --health-interval=1s`;
      expect(await update(`--image=${image}`, ...timing)).toBe("rollback_completed");
    });
    expect(failures).toEqual([]);
    expect(await tasksOf("back-end")).toEqual(before);
  });

  it("replaces one proxy at a time, while the other nodes serve", async () => {
    const failures = await underLoad(nodes, async () => {
      await onManager(cluster, argv`service update --force --detach=false production_proxy`);
    });
    for (const node of nodes) {
      const local = failures.filter((failure) => failure.node === node);
      const [first, last] = [local[0]?.startMs ?? 0, local.at(-1)?.startMs ?? -1];
      const during = failures.filter(({ startMs }) => startMs >= first && startMs <= last);
      expect(during.filter((failure) => failure.node !== node)).toEqual([]);
      expect(spanOf(local)).toBeLessThan(10_000);
    }
  });

  it("counts every visitor once, on any node", async () => {
    const counting = command(cluster, "visitor-counter");
    expect({ code: await counting.ended, ...counting.output }).toMatchObject({ code: 0 });
    const visit = async (visitor: number): Promise<string> => {
      const node = nodes[visitor % nodes.length] ?? "";
      return (await fetchAnswer(`${cluster.counters[node]}/count`)).body.trim();
    };
    const visitors = Array.from({ length: 60 }, (_, index) => index + 1);
    const bodies = await Promise.all(visitors.map(visit));
    expect(bodies.sort()).toEqual(visitors.map((n) => `You are visitor number ${n}.`).sort());
  });

  it("serves while the manager restarts and restores its state", async () => {
    const failures = await underLoad(["node-2", "node-3"], async () => {
      await run("docker", ["restart", containerOf(cluster, "node-1")]);
      await untilAllNodesServe();
      await settled(cluster, "production");
    });
    expect(failures).toEqual([]);
    await settled(cluster, "visitor-counter");
    const count = async (): Promise<string | false> => {
      const { status, body } = await fetchAnswer(`${cluster.counters["node-3"]}/count`);
      return status === 200 && body;
    };
    const body = await waitUntil(count, { for: "the visitor counter", timeoutMs: 60_000 });
    expect(Number(/\d+/.exec(body)?.[0])).toBeGreaterThan(60);
  });

  it("replaces the tasks of a lost worker within a minute, while the other nodes serve", async () => {
    const others = ["node-1", "node-2"];
    const allReplaced = async (): Promise<boolean> => {
      const tasks = [...(await tasksOf("back-end")), ...(await tasksOf("front-end"))];
      const running = tasks.filter(({ state }) => state === "running");
      return running.filter(({ node }) => others.includes(node)).length === 5;
    };
    const failures = await underLoad(others, async () => {
      await run("docker", ["kill", containerOf(cluster, "node-3")]);
      await waitUntil(allReplaced, { for: "all tasks on two nodes", timeoutMs: 60_000 });
    });
    expect(spanOf(failures)).toBeLessThan(3_000);

    await run("docker", ["start", containerOf(cluster, "node-3")]);
    await untilAllNodesServe();
    expect(await readyNodes(cluster)).toHaveLength(3);
  });

  it("leaves nothing behind when it is removed", async () => {
    const image = `reference=${cluster.project}-node`;
    for (const stdout of ["The cluster is removed\n", "There is no cluster to remove\n"]) {
      const removal = command(cluster, "down");
      expect({ code: await removal.ended, ...removal.output }).toMatchObject({ code: 0, stdout });
      expect(await leftovers(cluster.project)).toEqual([]);
      expect(await run("docker", argv`image ls --quiet --filter=${image}`)).toBe("");
    }
  });
});

describeOnEngine("npm run cluster", () => {
  afterEach(endScripts);

  it("leaves nothing behind after Ctrl-C", async () => {
    const cluster = await newCluster();
    const child = command(cluster);
    await waitUntil(async () => (await leftovers(cluster.project)).length > 0, {
      for: "the first container or network",
      timeoutMs: 60_000,
      intervalMs: 20,
    });
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(await leftovers(cluster.project)).toEqual([]);
  });

  it("names a port in use and its variable, and starts nothing", async () => {
    const cluster = await newCluster();
    const holder = createServer().listen(0);
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const child = command({ ...cluster, env: { ...cluster.env, NODE_2_WEB_PORT: String(port) } });
    expect(await child.ended).toBe(2);
    holder.close();
    expect(child.output.stderr).toContain(
      `error: port ${port} is in use: stop the program that listens there, or set NODE_2_WEB_PORT=8080.\n`,
    );
    expect(await leftovers(cluster.project)).toEqual([]);
  });

  it("rejects an unknown stack in one line", async () => {
    const child = command(await newCluster(), "task5");
    expect(await child.ended).toBe(2);
    expect(child.output.stderr).toBe(
      'error: no stack "task5" for a cluster: choose production or visitor-counter.\n',
    );
  });
});
