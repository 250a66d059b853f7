import path from "node:path";
import { compose, projectOf, type Stack, takeDown } from "../lib/compose";
import { root } from "../lib/course";
import { copyImages } from "../lib/docker";
import type { Report } from "../lib/progress";
import { attempt, type RunOptions, run } from "../lib/run";
import { waitUntil } from "../lib/wait";

/** The machines of a cluster, by their host names. */
export const nodes = ["node-1", "node-2", "node-3"];

/** The one that manages the swarm. */
export const manager = "node-1";

/** A cluster as a Compose project: named as here unless `COMPOSE_PROJECT_NAME` says otherwise. */
export function localCluster(): Stack {
  const project = process.env.COMPOSE_PROJECT_NAME ?? "softy-pinko-cluster";
  return { folder: path.join(root, "tools/cluster"), project };
}

/** @returns The name of the container that is a node. */
export function containerOf(cluster: Stack, node: string): string {
  return `${projectOf(cluster)}-${node}-1`;
}

/**
 * Makes a `docker` command one that a node's own engine runs.
 * @param env Variables for it.
 * @returns The arguments for this machine's `docker`.
 */
export function onNode(
  cluster: Stack,
  node: string,
  args: readonly string[],
  env: Record<string, string> = {},
): string[] {
  const variables = Object.entries(env).map(([name, value]) => `--env=${name}=${value}`);
  return ["exec", ...variables, containerOf(cluster, node), "docker", ...args];
}

/**
 * Runs a `docker` command on the node that manages the swarm.
 * @returns Its stdout.
 * @throws {CommandError} when it fails.
 */
export function onManager(
  cluster: Stack,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return run("docker", onNode(cluster, manager, args), options);
}

/**
 * Brings the nodes up and joins them to one swarm; those that are in it already stay as they are.
 * @throws {CommandError} when one does not come up.
 */
export async function startNodes(
  cluster: Stack,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  report("building and starting the nodes");
  const options = { signal, onLine: report.detail };
  await compose(cluster, ["up", "--detach", "--build", "--wait"], options);

  report("joining them to one swarm");
  const ask = (node: string, args: readonly string[]): Promise<string> =>
    run("docker", onNode(cluster, node, args), { signal });
  const isMember = async (node: string): Promise<boolean> =>
    (await ask(node, ["info", "--format={{.Swarm.LocalNodeState}}"])) !== "inactive";
  if (!(await isMember(manager))) await ask(manager, ["swarm", "init"]);
  const token = await ask(manager, ["swarm", "join-token", "--quiet", "worker"]);
  for (const node of nodes) {
    if (!(await isMember(node))) await ask(node, ["swarm", "join", `--token=${token}`, manager]);
  }
  await waitUntil(async () => (await readyNodes(cluster)).length === nodes.length, {
    ...{ for: "every node to be ready", timeoutMs: 60_000, signal },
  });
}

/** @returns The nodes that the manager hears of. */
export async function readyNodes(cluster: Stack): Promise<string[]> {
  const listed = await onManager(cluster, ["node", "ls", "--format={{.Hostname}} {{.Status}}"]);
  return listed.split("\n").flatMap((line) => /^(\S+) Ready$/.exec(line)?.[1] ?? []);
}

/**
 * Gives every node those images of this machine's engine that it does not have.
 * @param images By name.
 * @throws {CommandError} when an image is missing here.
 */
export async function loadImages(
  cluster: Stack,
  images: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    nodes.map((node) => copyImages(containerOf(cluster, node), images, { signal })),
  );
}

/** A replica of a service, as Swarm has it. */
export interface Task {
  /** For instance `production_back-end.1`; one per node has the node's id in place of the number. */
  name: string;
  /** For instance `production_back-end`. */
  service: string;
  node: string;
  image: string;
  /** For instance `running` or `starting`. */
  state: string;
  /** The id of its container; empty while it has none. */
  container: string;
}

/** @returns All tasks of a stack that are meant to run, in the order of their names. */
export async function listTasks(cluster: Stack, stack: string): Promise<Task[]> {
  const fields = [".ID", ".Name", ".Node", ".Image", ".CurrentState"];
  const listed = await onManager(cluster, [
    ...["stack", "ps", "--no-trunc", "--filter=desired-state=running"],
    `--format=${fields.map((field) => `{{${field}}}`).join("\t")}`,
    stack,
  ]);
  const rows = listed.split("\n").map((line) => line.split("\t"));
  const containers = await containersOf(
    cluster,
    rows.map(([id = ""]) => id),
  );
  return rows
    .map(([id = "", name = "", node = "", image = "", state = ""]) => ({
      ...{ name, node, image },
      service: name.slice(0, name.lastIndexOf(".")),
      // For instance "Running 5 seconds ago"
      state: state.split(" ")[0]?.toLowerCase() ?? "",
      container: containers.get(id) ?? "",
    }))
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

async function containersOf(
  cluster: Stack,
  tasks: readonly string[],
): Promise<Map<string, string>> {
  const format = "{{.ID}} {{with .Status.ContainerStatus}}{{.ContainerID}}{{end}}";
  const inspect = ["inspect", "--type=task", `--format=${format}`, ...tasks];
  // It fails for a task that has gone meanwhile, and tells of all the others
  const { stdout } = await attempt("docker", onNode(cluster, manager, inspect));
  return new Map(
    stdout.split("\n").map((line) => {
      const [id = "", container = ""] = line.split(" ");
      return [id, container];
    }),
  );
}

/**
 * Waits until each service of a stack has as many running tasks as it should have.
 * @param isDone A further condition on the tasks.
 * @returns The tasks.
 * @throws {Error} after two minutes, with what the tasks that failed last have said.
 */
export async function settled(
  cluster: Stack,
  stack: string,
  signal?: AbortSignal,
  isDone: (tasks: readonly Task[]) => boolean = () => true,
): Promise<Task[]> {
  try {
    return await waitUntil(
      async () => {
        const listed = await onManager(cluster, [
          "stack",
          "services",
          "--format={{.Replicas}}",
          stack,
        ]);
        const isFull = listed.split("\n").every((line) => /^(\d+)\/\1\b/.test(line));
        if (!isFull) return undefined;
        const tasks = await listTasks(cluster, stack);
        return tasks.every(({ state }) => state === "running") && isDone(tasks) ? tasks : undefined;
      },
      { for: `every task of ${stack} to run`, timeoutMs: 120_000, intervalMs: 250, signal },
    );
  } catch (error) {
    if (signal?.aborted) throw error;
    const format = "{{.Name}} on {{.Node}}: {{.CurrentState}} {{.Error}}";
    const all = await onManager(cluster, [
      "stack",
      "ps",
      "--no-trunc",
      `--format=${format}`,
      stack,
    ]);
    throw new Error(`${(error as Error).message}:\n${all}`);
  }
}

/** Removes the nodes, their network, their disks and their image. Comes to its end after Ctrl-C, too. */
export async function removeCluster(cluster: Stack): Promise<void> {
  await takeDown(cluster, ["--volumes", "--rmi=all"]);
}
