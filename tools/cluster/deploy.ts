import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { compose, type Stack } from "../lib/compose";
import { root } from "../lib/course";
import { UserError } from "../lib/errors";
import type { Report } from "../lib/progress";
import { attempt, run } from "../lib/run";
import {
  containerOf,
  loadImages,
  manager,
  nodes,
  onManager,
  onNode,
  settled,
  type Task,
} from "./cluster";

/** A folder whose docker-stack.yml a cluster can run. */
export interface SwarmStack {
  name: string;
  /** Where each node answers. */
  port: number;
  /** A request that shows who serves. */
  sample: { path: string; servedBy: string };
  /** What one node has to be labelled with. */
  label?: string;
}

export const stacks: readonly SwarmStack[] = [
  { name: "production", port: 80, sample: { path: "/api/hello", servedBy: "back-end" } },
  {
    name: "visitor-counter",
    port: 5002,
    // Not /count: to look is not to visit
    sample: { path: "/", servedBy: "webapp" },
    label: "store=here",
  },
];

/**
 * Finds a stack by its folder's name.
 * @throws {UserError} for a name that is none.
 */
export function findStack(name: string): SwarmStack {
  const stack = stacks.find((candidate) => candidate.name === name);
  if (stack === undefined) {
    const known = stacks.map((candidate) => candidate.name).join(" or ");
    throw new UserError(`no stack "${name}" for a cluster: choose ${known}.`);
  }
  return stack;
}

/**
 * Builds a stack's images, gives them to all nodes, and has the swarm run them. What runs already is
 * updated; where nothing has changed, nothing is touched.
 * @returns The tasks, all running.
 * @throws {Error} when they do not come to run.
 */
export async function deploy(
  cluster: Stack,
  { name, label }: SwarmStack,
  report: Report,
  signal: AbortSignal,
): Promise<Task[]> {
  const folder = path.join(root, name);
  const options = { signal, onLine: report.detail };
  report("building the images");
  await compose({ folder }, ["build"], options);
  const { built, others } = await imagesOf(folder);
  for (const image of others) {
    const { ok } = await attempt("docker", ["image", "inspect", image]);
    if (!ok) await run("docker", ["pull", image], options);
  }

  report("giving them to the nodes");
  await loadImages(cluster, [...built, ...others], signal);
  const version = await giveVersion(cluster, built, signal);

  report("deploying");
  if (label !== undefined) {
    await onManager(cluster, ["node", "update", `--label-add=${label}`, manager], { signal });
  }
  const home = `/srv/${name}`;
  const container = containerOf(cluster, manager);
  await run("docker", ["exec", container, "mkdir", "-p", home], { signal });
  const files = (await readdir(folder)).filter((file) => /\.(yml|conf)$/.test(file));
  for (const file of files) {
    await run("docker", ["cp", path.join(folder, file), `${container}:${home}`], { signal });
  }
  const command = ["stack", "deploy", "--resolve-image=never", "--prune"];
  const file = `--compose-file=${home}/docker-stack.yml`;
  const variables = { TAG: version };
  await run("docker", onNode(cluster, manager, [...command, file, name], variables), { signal });
  const own = built.map((image) => versioned(image, version));
  return settled(cluster, name, signal, (tasks) =>
    own.every((image) => tasks.some((task) => task.image === image)),
  );
}

interface Config {
  services: Record<string, { image: string; build?: unknown }>;
}

/** @returns The images of a folder's docker-compose.yml: those built from it, and the others. */
async function imagesOf(folder: string): Promise<{ built: string[]; others: string[] }> {
  const config = JSON.parse(await compose({ folder }, ["config", "--format=json"])) as Config;
  const services = Object.values(config.services);
  const names = (isBuilt: boolean): string[] =>
    services.filter(({ build }) => (build !== undefined) === isBuilt).map(({ image }) => image);
  return { built: names(true), others: names(false) };
}

const versioned = (image: string, version: string): string => `${image.split(":")[0]}:${version}`;

/**
 * Gives images a tag of their content, on the nodes: by the tag of a service's image Swarm knows
 * whether it is another one.
 * @returns The tag.
 */
async function giveVersion(
  cluster: Stack,
  images: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const ids = await run("docker", ["image", "inspect", "--format={{.Id}}", ...images], { signal });
  const version = createHash("sha256").update(ids).digest("hex").slice(0, 12);
  for (const node of nodes) {
    for (const image of images) {
      const tag = ["tag", image, versioned(image, version)];
      await run("docker", onNode(cluster, node, tag), { signal });
    }
  }
  return version;
}
