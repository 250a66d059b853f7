import { afterAll, beforeAll, expect, it } from "vitest";
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
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import type { Child } from "../lib/child";
import { command, newCluster, sharesAt, spanOf, type TestCluster, underLoad } from "../lib/cluster";
import { hasDefaultRoute, limitsOf, rightsIn, writableFolders } from "../lib/confinement";
import { describeOnEngine, leftovers } from "../lib/stacks";

const minutes = 60_000;

/**
 * The time after which a restarted node serves again. Swarm tells it about the other nodes' tasks with
 * a delay of 5 to 67 s; until then, a node without a back-end task returns 503.
 */
const rejoinMs = 2 * minutes;

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

const untilServers = (count: number): Promise<boolean> =>
  waitUntil(async () => (await sharesAt(cluster, "node-1")).size === count, {
    for: `${count} servers to respond`,
    timeoutMs: 30_000,
  });

/** Waits until each node serves the page and distributes requests over three servers. */
async function untilAllNodesServe(): Promise<void> {
  const isServing = async (node: string): Promise<boolean> =>
    (await fetchAnswer(`${cluster.sites[node]}/`)).status === 200 &&
    (await sharesAt(cluster, node)).size === 3;
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

describeOnEngine("a cluster of three nodes", () => {
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
    for (const node of nodes) expect(await sharesAt(cluster, node)).toEqual(equalShares);
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
});

describeOnEngine("a cluster whose services change", () => {
  it("loses no request when the API is scaled from 3 to 9 and back", async () => {
    const failures = await underLoad(cluster, nodes, async () => {
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
    const failures = await underLoad(cluster, nodes, async () => {
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
    const failures = await underLoad(cluster, nodes, async () => {
      // Shorter than a slow start may take
      const timing = argv`--health-start-period=1s --health-interval=1s`;
      expect(await update(`--image=${image}`, ...timing)).toBe("rollback_completed");
    });
    expect(failures).toEqual([]);
    expect(await tasksOf("back-end")).toEqual(before);
  });

  it("replaces one proxy at a time, while the other nodes serve", async () => {
    const failures = await underLoad(cluster, nodes, async () => {
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
});

describeOnEngine("a cluster whose nodes fail", () => {
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
    const failures = await underLoad(cluster, ["node-2", "node-3"], async () => {
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
    const failures = await underLoad(cluster, others, async () => {
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
