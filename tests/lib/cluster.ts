import path from "node:path";
import { nodes } from "../../tools/cluster/cluster";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { freePort } from "../../tools/lib/ports";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, startScript } from "./child";
import { fetchMany } from "./load";
import { ownName } from "./stacks";

export interface TestCluster {
  folder: string;
  project: string;
  env: Record<string, string>;
  /** Each node's origin for production, by the node's name. */
  sites: Record<string, string>;
  /** The same for the visitor counter. */
  counters: Record<string, string>;
}

/** @returns A cluster's names and free ports; nothing is started. */
export async function newCluster(): Promise<TestCluster> {
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
export const command = ({ env }: TestCluster, ...args: string[]): Child =>
  startScript([path.join(root, "tools/cluster/cli.ts"), ...args], {
    cwd: root,
    env,
  });

/** A request without status 200. */
export interface Failure {
  node: string;
  startMs: number;
  endMs: number;
  status: number | undefined;
}

/** @returns The time from the first to the last failure, in milliseconds. */
export function spanOf(failures: readonly Failure[]): number {
  if (failures.length === 0) return 0;
  const ends = failures.map(({ endMs }) => endMs);
  return Math.max(...ends) - Math.min(...failures.map(({ startMs }) => startMs));
}

/** Sends requests to some nodes before, during and after an action. */
export async function underLoad(
  cluster: TestCluster,
  targets: readonly string[],
  action: () => Promise<void>,
): Promise<Failure[]> {
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
export async function sharesAt(cluster: TestCluster, node: string): Promise<Map<string, number>> {
  const shares = new Map<string, number>();
  for (let sent = 0; sent < 30; sent += 1) {
    const { headers } = await fetchAnswer(`${cluster.sites[node]}/api/hello`);
    const server = headers["x-served-by"]?.toString() ?? "none";
    shares.set(server, (shares.get(server) ?? 0) + 1);
  }
  return shares;
}
