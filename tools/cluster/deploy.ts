import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { argv } from "../lib/argv";
import { compose, readConfig, type Stack } from "../lib/compose";
import { root } from "../lib/course";
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

/** The folders with a docker-stack.yml: the port that each node publishes, a label that one needs. */
export const swarmStacks = {
  production: { port: 80, label: undefined },
  "visitor-counter": { port: 5002, label: "store=here" },
};
export type StackName = keyof typeof swarmStacks;

/**
 * Builds a stack's images, copies them to all nodes and deploys or updates the stack. Services that
 * have not changed are not restarted.
 * @returns The tasks, all running.
 * @throws {Error} if they do not start.
 */
export async function deploy(
  cluster: Stack,
  name: StackName,
  report: Report,
  signal: AbortSignal,
): Promise<Task[]> {
  const folder = path.join(root, name);
  const options = { signal, onLine: report.detail };
  report("building the images");
  await compose({ folder }, ["build"], options);
  const services = Object.values((await readConfig({ folder })).services);
  const imagesOf = (isBuilt: boolean): string[] =>
    services
      .filter(({ build }) => (build !== undefined) === isBuilt)
      .map(({ image = "" }) => image);
  const [built, pulled] = [imagesOf(true), imagesOf(false)];
  for (const image of pulled) {
    const { ok } = await attempt("docker", argv`image inspect ${image}`);
    if (!ok) await run("docker", ["pull", image], options);
  }

  report("copying the images to the nodes");
  await loadImages(cluster, [...built, ...pulled], signal);
  const version = await tagImages(cluster, built, signal);

  report("deploying");
  const { label } = swarmStacks[name];
  if (label !== undefined) {
    await onManager(cluster, argv`node update --label-add=${label} ${manager}`, { signal });
  }
  const target = `/srv/${name}`;
  const container = containerOf(cluster, manager);
  await run("docker", argv`exec ${container} mkdir -p ${target}`, { signal });
  for (const file of (await readdir(folder)).filter((name) => /\.(yml|conf)$/.test(name))) {
    await run("docker", argv`cp ${path.join(folder, file)} ${container}:${target}`, { signal });
  }
  const stackDeploy = argv`docker stack deploy --resolve-image=never --prune
    --compose-file=${target}/docker-stack.yml ${name}`;
  await run("docker", argv`exec --env=TAG=${version} ${container} ${stackDeploy}`, { signal });
  const images = built.map((image) => tagged(image, version));
  return settled(cluster, name, signal, (tasks) =>
    images.every((image) => tasks.some((task) => task.image === image)),
  );
}

const tagged = (image: string, version: string): string => `${image.split(":")[0]}:${version}`;

/**
 * Tags the images on the nodes by their content: Swarm updates a service if its image's tag changes.
 * @returns The tag.
 */
async function tagImages(
  cluster: Stack,
  images: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const ids = await run("docker", argv`image inspect --format={{.Id}} ${images}`, { signal });
  const version = createHash("sha256").update(ids).digest("hex").slice(0, 12);
  for (const node of nodes) {
    for (const image of images) {
      const tag = argv`tag ${image} ${tagged(image, version)}`;
      await run("docker", onNode(cluster, node, tag), { signal });
    }
  }
  return version;
}
