import path from "node:path";
import { argv } from "../lib/argv";
import { compose, projectOf, type Stack, takeDown } from "../lib/compose";
import { root } from "../lib/course";
import { copyImages } from "../lib/docker";
import type { Report } from "../lib/progress";
import { attempt, type RunOptions, run } from "../lib/run";
import { waitUntil } from "../lib/wait";

/** The nodes of a cluster, by host name. */
export const nodes = ["node-1", "node-2", "node-3"];

/** The node that manages the swarm. */
export const manager = "node-1";

/** The cluster is a Compose project; `COMPOSE_PROJECT_NAME` renames it. */
export function localCluster(): Stack {
  const project = process.env.COMPOSE_PROJECT_NAME ?? "softy-pinko-cluster";
  return { folder: path.join(root, "tools/cluster"), project };
}

/** @returns The name of a node's container. */
export function containerOf(cluster: Stack, node: string): string {
  return `${projectOf(cluster)}-${node}-1`;
}

/** @returns The arguments of `docker` that run another `docker` command on a node's engine. */
export function onNode(cluster: Stack, node: string, args: readonly string[]): string[] {
  return argv`exec ${containerOf(cluster, node)} docker ${args}`;
}

/** Runs a `docker` command on the manager. @returns Its stdout. */
export function onManager(
  cluster: Stack,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return run("docker", onNode(cluster, manager, args), options);
}

/**
 * Starts the nodes and joins them to one swarm. Nodes that are in it already stay as they are.
 * @throws {CommandError} if a node does not start.
 */
export async function startNodes(
  cluster: Stack,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  report("building and starting the nodes");
  const options = { signal, onLine: report.detail };
  await compose(cluster, argv`up --detach --build --wait`, options);

  report("joining them to a swarm");
  const docker = (node: string, args: string[]): Promise<string> =>
    run("docker", onNode(cluster, node, args), { signal });
  const isMember = async (node: string): Promise<boolean> =>
    (await docker(node, argv`info --format={{.Swarm.LocalNodeState}}`)) !== "inactive";
  if (!(await isMember(manager))) await docker(manager, argv`swarm init`);
  const token = await docker(manager, argv`swarm join-token --quiet worker`);
  for (const node of nodes) {
    if (!(await isMember(node))) await docker(node, argv`swarm join --token=${token} ${manager}`);
  }
  await waitUntil(async () => (await readyNodes(cluster)).length === nodes.length, {
    for: "every node to be ready",
    timeoutMs: 60_000,
    signal,
  });
}

/** @returns The nodes that are ready according to the manager. */
export async function readyNodes(cluster: Stack): Promise<string[]> {
  const listed = await onManager(cluster, argv`node ls --format=${"{{.Hostname}} {{.Status}}"}`);
  return listed.split("\n").flatMap((line) => /^(\S+) Ready$/.exec(line)?.[1] ?? []);
}

/**
 * Copies images of this machine's engine to every node that does not have them.
 * @throws {CommandError} if an image is missing here.
 */
export async function loadImages(
  cluster: Stack,
  images: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const copyTo = (node: string) => copyImages(containerOf(cluster, node), images, { signal });
  await Promise.all(nodes.map(copyTo));
}

/** A task of Swarm: a replica of a service. */
export interface Task {
  /** For example `production_back-end.1`; with a node's id for the number if each node has one. */
  name: string;
  /** For example `production_back-end`. */
  service: string;
  node: string;
  image: string;
  /** For example `running` or `starting`. */
  state: string;
  /** The id of its container, if it has one. */
  container: string;
}

/** @returns The tasks of a stack that should run, ordered by name. */
export async function listTasks(cluster: Stack, stack: string): Promise<Task[]> {
  const format = "{{.ID}}\t{{.Name}}\t{{.Node}}\t{{.Image}}\t{{.CurrentState}}";
  const list = argv`stack ps --no-trunc --filter=desired-state=running --format=${format} ${stack}`;
  const rows = (await onManager(cluster, list)).split("\n").map((line) => line.split("\t"));

  const container = "{{.ID}} {{with .Status.ContainerStatus}}{{.ContainerID}}{{end}}";
  const ids = rows.map(([id = ""]) => id);
  const inspect = argv`inspect --type=task --format=${container} ${ids}`;
  // Fails if a task has been removed meanwhile, but still prints the others
  const { stdout } = await attempt("docker", onNode(cluster, manager, inspect));
  const containers = new Map(stdout.split("\n").map((line) => line.split(" ") as [string, string]));
  return rows
    .map(([id = "", name = "", node = "", image = "", state = ""]) => ({
      name,
      service: name.slice(0, name.lastIndexOf(".")),
      node,
      image,
      // For example "Running 5 seconds ago"
      state: state.replace(/ .*/, "").toLowerCase(),
      container: containers.get(id) ?? "",
    }))
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/**
 * Waits until each service of a stack has all its tasks running.
 * @param isDone A further condition on the tasks.
 * @returns The tasks.
 * @throws {Error} after two minutes, with the state and the error of each task.
 */
export async function settled(
  cluster: Stack,
  stack: string,
  signal?: AbortSignal,
  isDone: (tasks: readonly Task[]) => boolean = () => true,
): Promise<Task[]> {
  const runningTasks = async (): Promise<Task[] | false> => {
    const replicas = await onManager(cluster, argv`stack services --format={{.Replicas}} ${stack}`);
    if (!replicas.split("\n").every((line) => /^(\d+)\/\1\b/.test(line))) return false;
    const tasks = await listTasks(cluster, stack);
    return tasks.every(({ state }) => state === "running") && isDone(tasks) && tasks;
  };
  const wait = { for: `every task of ${stack}`, timeoutMs: 120_000, intervalMs: 250, signal };
  try {
    return await waitUntil(runningTasks, wait);
  } catch (error) {
    if (signal?.aborted) throw error;
    const format = "{{.Name}} on {{.Node}}: {{.CurrentState}} {{.Error}}";
    const states = await onManager(cluster, argv`stack ps --no-trunc --format=${format} ${stack}`);
    throw new Error(`${(error as Error).message}:\n${states}`);
  }
}

/** Removes the nodes, their network, volumes and image, even after Ctrl-C. */
export async function removeCluster(cluster: Stack): Promise<void> {
  await takeDown(cluster, ["--volumes", "--rmi=all"]);
}
