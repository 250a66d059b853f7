import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
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
import { Load, type Sample } from "../../tools/faults/load";
import { percentile } from "../../tools/faults/measure";
import { probes } from "../../tools/faults/stacks";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { freePort } from "../../tools/lib/ports";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { hasDefaultRoute, limitsOf, rightsIn, writableFolders } from "../lib/confinement";
import { describeOnEngine, leftovers, ownName } from "../lib/stacks";

const minutes = 60_000;

/**
 * How long a node that was away may take to answer. Swarm tells it of the others' tasks only by and by:
 * 5 to 67 s were seen, and without a task of the API's own it answers 503 until then.
 */
const rejoinMs = 2 * minutes;

/** A cluster of the test's own: its name, and its nodes' ports on this machine. */
interface TestCluster {
  folder: string;
  project: string;
  env: Record<string, string>;
  /** Where each node answers. */
  sites: Record<string, string>;
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

/** What became of the requests while something happened. */
interface Event {
  what: string;
  sent: number;
  /** Lost, or turned away with a 503. */
  failed: Failed[];
  /** Until it was over. */
  tookS: number;
  p99Ms: number;
  worstMs: number;
}

interface Failed extends Sample {
  /** Who was asked. */
  node: string;
}

/** @returns How long requests failed for, in milliseconds. */
function spanOf(failed: readonly Failed[]): number {
  if (failed.length === 0) return 0;
  const ends = failed.map(({ startMs, latencyMs }) => startMs + latencyMs);
  return Math.max(...ends) - Math.min(...failed.map(({ startMs }) => startMs));
}

describeOnEngine("a cluster of three nodes", () => {
  let cluster: TestCluster;
  let child: Child;
  const events: Event[] = [];

  beforeAll(async () => {
    cluster = await newCluster();
    child = command(cluster);
    await child.ended;
  }, 10 * minutes);
  afterAll(async () => {
    await command(cluster, "down").ended;
    process.stderr.write(tableOf(events));
  }, 2 * minutes);

  const tasksOf = async (service: string): Promise<Task[]> =>
    (await listTasks(cluster, "production")).filter(
      (task) => task.service === `production_${service}`,
    );

  /**
   * Keeps a load on nodes while something is done to the cluster, and for a while before and after.
   * @param asked The nodes that are asked, with three connections each.
   */
  async function underLoad(
    what: string,
    asked: readonly string[],
    happen: () => Promise<void>,
  ): Promise<Event> {
    const loads = asked.map((node) => new Load(cluster.sites[node] ?? "", probes, 3));
    const fewMore = async (): Promise<void> => {
      const soFar = loads.map(({ samples }) => samples.length);
      await waitUntil(
        () => loads.every(({ samples }, at) => samples.length > (soFar[at] ?? 0) + 300),
        { for: "300 more requests to each node", timeoutMs: 60_000 },
      );
    };
    let tookS = 0;
    try {
      await fewMore();
      const start = performance.now();
      await happen();
      tookS = (performance.now() - start) / 1_000;
      await fewMore();
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    const samples = loads.flatMap((load, at) =>
      load.samples.map((sample) => ({ ...sample, node: asked[at] ?? "" })),
    );
    const failed = samples.filter(({ outcome }) => outcome !== "served");
    const latencies = samples.map(({ latencyMs }) => latencyMs);
    const event = {
      ...{ what, sent: samples.length, failed, tookS },
      ...{ p99Ms: percentile(latencies, 0.99), worstMs: percentile(latencies, 1) },
    };
    events.push(event);
    return event;
  }

  /** Asks one node 30 times. @returns How often each server answered. */
  async function shares(origin: string): Promise<Map<string, number>> {
    const served = new Map<string, number>();
    for (let sent = 0; sent < 30; sent += 1) {
      const { headers } = await fetchAnswer(`${origin}/api/hello`);
      const server = headers["x-served-by"]?.toString() ?? "nobody";
      served.set(server, (served.get(server) ?? 0) + 1);
    }
    return served;
  }

  /** Changes the API's service, and waits until that is done or taken back. */
  const update = async (...args: string[]): Promise<string> => {
    await onManager(cluster, [
      ...["service", "update", "--quiet", "--detach=false", "--no-resolve-image"],
      ...[...args, "production_back-end"],
    ]);
    const state = "--format={{.UpdateStatus.State}}";
    return onManager(cluster, ["service", "inspect", state, "production_back-end"]);
  };

  /** Makes an image of the API's, with something added, that all nodes have. */
  async function newVersion(name: string, ...lines: string[]): Promise<string> {
    const image = `${cluster.project}-${name}:1`;
    const script = `printf '%s\\n' "$@" | docker build --quiet --tag "$0" -`;
    await run("sh", ["-c", script, image, "FROM softy-pinko-back-end:production", ...lines]);
    await loadImages(cluster, [image], AbortSignal.timeout(2 * minutes));
    return image;
  }

  it("comes up with production, and says where its nodes answer and who served", () => {
    expect(child.output.stderr).not.toContain("error:");
    const lines = nodes.map((node) => `  ${node}  ${cluster.sites[node]}\n`).join("");
    expect(child.output.stdout).toContain(`production is up, on every node:\n${lines}`);
    for (const number of [1, 2, 3]) {
      expect(child.output.stdout).toMatch(
        new RegExp(`  production_back-end\\.${number} on node-\\d  served 6 of 18\n`),
      );
    }
    expect(child.process.exitCode).toBe(0);
  });

  it("has the API's three tasks on three nodes, and each node asks them in turn", async () => {
    const tasks = await tasksOf("back-end");
    expect(tasks.map(({ node }) => node).sort()).toEqual(nodes);
    const wanted = new Map(tasks.map(({ container }) => [container.slice(0, 12), 10]));
    for (const node of nodes) {
      const served = await shares(cluster.sites[node] ?? "");
      expect({ node, served: new Map([...served].sort()) }).toEqual({
        ...{ node, served: new Map([...wanted].sort()) },
      });
    }
  });

  it("leaves what runs as it is when nothing has changed", async () => {
    const before = await listTasks(cluster, "production");
    expect(await command(cluster).ended).toBe(0);
    expect(await listTasks(cluster, "production")).toEqual(before);
  });

  describe.each(["back-end", "front-end", "proxy"])("a task of %s", (service) => {
    const place = async (): Promise<readonly [string, string]> => {
      const [task] = await tasksOf(service);
      return [containerOf(cluster, task?.node ?? ""), task?.container ?? ""];
    };

    it("has no right beyond its user's, and can write only where nginx must", async () => {
      expect(await rightsIn(await place())).toEqual([]);
      const allowed = ["/dev", ...(service === "back-end" ? [] : ["/run", "/var/cache/nginx"])];
      const folders = await writableFolders(await place());
      expect(folders.filter((folder) => !allowed.some((one) => folder.startsWith(one)))).toEqual(
        [],
      );
    });

    it("has its limits, and a way out only if it is the proxy", async () => {
      expect(await limitsOf(await place())).toEqual({
        ...{ memoryBytes: 512 * 2 ** 20, processes: 512, cpus: 1 },
      });
      expect(await hasDefaultRoute(await place())).toBe(service === "proxy");
    });
  });

  it("loses nothing when the API is scaled from 3 to 9 and back", async () => {
    const { failed } = await underLoad("scaled 3 → 9 → 3", nodes, async () => {
      await onManager(cluster, ["service", "scale", "--detach=false", "production_back-end=9"]);
      await waitUntil(async () => (await shares(cluster.sites["node-1"] ?? "")).size === 9, {
        ...{ for: "nine servers to answer", timeoutMs: 30_000 },
      });
      await onManager(cluster, ["service", "scale", "--detach=false", "production_back-end=3"]);
      await waitUntil(async () => (await shares(cluster.sites["node-1"] ?? "")).size === 3, {
        ...{ for: "three servers to answer", timeoutMs: 30_000 },
      });
    });
    expect(failed).toEqual([]);
  });

  it("loses nothing when a new version replaces the old", async () => {
    const image = await newVersion("new", "ENV VERSION=2");
    const { failed } = await underLoad("updated", nodes, async () => {
      expect(await update(`--image=${image}`)).toBe("completed");
    });
    expect(failed).toEqual([]);
    expect((await tasksOf("back-end")).map((task) => task.image)).toEqual([image, image, image]);
  });

  it("takes back a version that does not become healthy, and loses nothing", async () => {
    const before = await tasksOf("back-end");
    const ill = "require('node:http').createServer((_, answer) => answer.writeHead(500).end())";
    const image = await newVersion("ill", `CMD ["node", "-e", "${ill}.listen(5252)"]`);
    const { failed } = await underLoad("updated, ill, taken back", nodes, async () => {
      // Not to wait as long as a slow start may take
      const soon = ["--health-start-period=1s", "--health-interval=1s"];
      expect(await update(`--image=${image}`, ...soon)).toBe("rollback_completed");
    });
    expect(failed).toEqual([]);
    expect(await tasksOf("back-end")).toEqual(before);
  });

  it("replaces the proxies one after the other: while one is away, the others answer", async () => {
    const { failed } = await underLoad("proxies replaced", nodes, async () => {
      await onManager(cluster, [
        "service",
        "update",
        "--force",
        "--detach=false",
        "production_proxy",
      ]);
    });
    for (const node of nodes) {
      const own = failed.filter((one) => one.node === node);
      const alone = failed.filter(
        ({ startMs }) =>
          startMs >= (own[0]?.startMs ?? Number.POSITIVE_INFINITY) &&
          startMs <= (own.at(-1)?.startMs ?? 0),
      );
      expect(new Set(alone.map((one) => one.node)).size).toBeLessThanOrEqual(1);
      expect(spanOf(own)).toBeLessThan(10_000);
    }
  });

  it("counts every visitor once, on whichever node he comes", async () => {
    const counting = command(cluster, "visitor-counter");
    expect({ code: await counting.ended, ...counting.output }).toMatchObject({ code: 0 });
    const visit = async (visitor: number): Promise<string> => {
      const origin = cluster.counters[nodes[visitor % nodes.length] ?? ""] ?? "";
      return (await fetchAnswer(`${origin}/count`)).body.trim();
    };
    const told = await Promise.all(Array.from({ length: 60 }, (_, visitor) => visit(visitor)));
    const wanted = Array.from({ length: 60 }, (_, at) => `You are visitor number ${at + 1}.`);
    expect(told.sort()).toEqual(wanted.sort());
  });

  it("goes on while the manager restarts, which then knows everything again", async () => {
    const { failed } = await underLoad("manager restarted", ["node-2", "node-3"], async () => {
      await run("docker", ["restart", containerOf(cluster, "node-1")]);
      await waitUntil(() => everyNodeIsWhole(), { for: "all nodes", timeoutMs: rejoinMs });
      await settled(cluster, "production");
    });
    expect(failed).toEqual([]);
    await settled(cluster, "visitor-counter");
    const body = await waitUntil(
      async () => {
        const answer = await fetchAnswer(`${cluster.counters["node-3"]}/count`);
        return answer.status === 200 && answer.body;
      },
      { for: "the store to be back", timeoutMs: 60_000 },
    );
    expect(Number(/\d+/.exec(body)?.[0])).toBeGreaterThan(60);
  });

  it("replaces what a lost worker had within a minute, and the others go on", async () => {
    const others = ["node-1", "node-2"];
    const { failed } = await underLoad("worker lost", others, async () => {
      await run("docker", ["kill", containerOf(cluster, "node-3")]);
      await waitUntil(
        async () => {
          const tasks = [...(await tasksOf("back-end")), ...(await tasksOf("front-end"))];
          return (
            tasks.filter(({ node, state }) => others.includes(node) && state === "running")
              .length === 5
          );
        },
        { for: "all tasks to be on two nodes", timeoutMs: 60_000 },
      );
    });
    expect(spanOf(failed)).toBeLessThan(3_000);

    await run("docker", ["start", containerOf(cluster, "node-3")]);
    await waitUntil(() => everyNodeIsWhole(), { for: "all nodes", timeoutMs: rejoinMs });
    expect(await readyNodes(cluster)).toHaveLength(3);
  });

  /** @returns Whether each node has a page, and knows of all three servers. */
  async function everyNodeIsWhole(): Promise<boolean> {
    const isWhole = async (origin = ""): Promise<boolean> =>
      (await fetchAnswer(`${origin}/`)).status === 200 && (await shares(origin)).size === 3;
    return (await Promise.all(nodes.map((node) => isWhole(cluster.sites[node])))).every(Boolean);
  }

  it("leaves nothing behind when it is removed", async () => {
    const removed = command(cluster, "down");
    expect(await removed.ended).toBe(0);
    expect(removed.output.stdout).toBe("The cluster is removed\n");
    expect(await leftovers(cluster.project)).toEqual([]);
    const images = ["image", "ls", "--quiet", `--filter=reference=${cluster.project}-node`];
    expect(await run("docker", images)).toBe("");

    const again = command(cluster, "down");
    expect(await again.ended).toBe(0);
    expect(again.output.stdout).toBe("There is no cluster to remove\n");
  });
});

describeOnEngine("npm run cluster", () => {
  afterEach(endScripts);

  it("leaves nothing behind when Ctrl-C comes in the middle", async () => {
    const cluster = await newCluster();
    const child = command(cluster);
    await waitUntil(async () => (await leftovers(cluster.project)).length > 0, {
      ...{ for: "the first of it", timeoutMs: 60_000, intervalMs: 20 },
    });
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(await leftovers(cluster.project)).toEqual([]);
  });

  it("names the port that is in use and the variable that moves it, and starts nothing", async () => {
    const cluster = await newCluster();
    const holder = createServer().listen(0);
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const child = command({ ...cluster, env: { ...cluster.env, NODE_2_WEB_PORT: String(port) } });
    expect(await child.ended).toBe(2);
    holder.close();
    expect(child.output.stderr).toContain(
      `error: port ${port} is in use: stop what listens there, or choose another with NODE_2_WEB_PORT=8080.\n`,
    );
    expect(await leftovers(cluster.project)).toEqual([]);
  });

  it("names the stack that it does not know, in one line", async () => {
    const child = command(await newCluster(), "task5");
    expect(await child.ended).toBe(2);
    expect(child.output.stderr).toBe(
      'error: no stack "task5" for a cluster: choose production or visitor-counter.\n',
    );
  });
});

/** The events in lines that line up. */
function tableOf(events: readonly Event[]): string {
  const rows = events.map(({ what, tookS, sent, failed, p99Ms, worstMs }) => [
    what,
    `${tookS.toFixed(1)} s`,
    ...[sent, failed.length].map(String),
    ...[p99Ms, worstMs].map((ms) => `${Math.round(ms)} ms`),
  ]);
  const table = [["event", "took", "sent", "failed", "p99", "worst"], ...rows];
  const widthOf = (column: number): number =>
    Math.max(...table.map((row) => row[column]?.length ?? 0));
  return table
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widthOf(0)) : cell.padStart(widthOf(at))))
        .join("  "),
    )
    .map((line) => `  ${line}\n`)
    .join("");
}
