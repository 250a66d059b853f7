import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { argv } from "./argv";
import { listContainers, type Stack, takeDown } from "./compose";
import { freePort } from "./ports";
import { attempt } from "./run";

/** A folder's stack as a Compose project that shares nothing with the folder's usual one. */
export interface TemporaryProject extends Stack {
  project: string;
  env: Record<string, string>;
  /** Host ports by the variable that sets them, such as `PROXY_PORT`. */
  ports: Record<string, number>;
  /** A folder for further files, removed with the project. */
  scratch: string;
  /** Removes its containers, networks, volumes, images and files, even after Ctrl-C. */
  remove(): Promise<void>;
}

export interface TemporaryProjectOptions {
  /** The folder with docker-compose.yml. */
  folder: string;
  /** The project's name, which no other project on the engine has. */
  project: string;
  /** Services that are built. Their images are named `PROJECT-SERVICE`. */
  built: readonly string[];
  /** The Compose files, by default docker-compose.yml. */
  composeFiles?: readonly string[];
  /** Variables that set host ports; each gets a free port. */
  portVariables: readonly string[];
  /** More labels of the images that are built. */
  labels?: Record<string, string>;
}

/** The label of every image that is built for a temporary project: the project's name. */
export const projectLabel = "softy-pinko.project";

/**
 * Prepares a temporary project with an override file for its images. Nothing is built or started.
 * @throws {Error} if the temporary folder cannot be written.
 */
export async function openTemporaryProject(
  options: TemporaryProjectOptions,
): Promise<TemporaryProject> {
  const { folder, project, built, portVariables, labels } = options;
  const { composeFiles = ["docker-compose.yml"] } = options;
  const scratch = await mkdtemp(path.join(tmpdir(), `${project}-`));
  const override = path.join(scratch, "images.yml");
  const build = { labels: { ...labels, [projectLabel]: project } };
  const services = built.map((name) => [name, { image: `${project}-${name}`, build }]);
  await writeFile(override, JSON.stringify({ services: Object.fromEntries(services) }));

  const ports: Record<string, number> = {};
  for (const variable of portVariables) ports[variable] = await freePort();
  const hostPorts = Object.entries(ports).map(([variable, port]) => [variable, String(port)]);
  const files = { COMPOSE_FILE: [...composeFiles, override].join(":") };
  const stack = { folder, project, env: { ...files, ...Object.fromEntries(hostPorts) } };

  async function remove(): Promise<void> {
    // Compose 2.26 waits forever for a paused container
    for (const { id, state } of await listContainers(stack)) {
      if (state === "paused") await attempt("docker", ["unpause", id], { detached: true });
    }
    await takeDown(stack, ["--volumes", "--timeout=2"]);
    await removeImages(project);
    await rm(scratch, { recursive: true, force: true });
  }

  return { ...stack, ports, scratch, remove };
}

/**
 * Removes the images that were built for a project: those under its name, and the unnamed ones that
 * a newer build replaced.
 */
async function removeImages(project: string): Promise<void> {
  const nameOrId = '{{if eq .Repository "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}';
  const labelled = argv`image ls --format=${nameOrId} --filter=label=${projectLabel}=${project}`;
  const { stdout } = await attempt("docker", labelled, { detached: true });
  // An image can also have a name that somebody else gave it
  const isOurs = (name: string): boolean => name.startsWith(project) || !name.includes(":");
  const images = stdout.split("\n").filter((name) => name !== "" && isOurs(name));
  if (images.length > 0) await attempt("docker", argv`image rm ${images}`, { detached: true });
}
