import { randomBytes } from "node:crypto";
import path from "node:path";
import { argv } from "./argv";
import type { ComposeModel } from "./compose-model";
import { findCompose } from "./find-docker";
import { attempt, type RunOptions, run } from "./run";
import { waitUntil } from "./wait";

/** A Compose project. */
export interface Stack {
  /** The folder with docker-compose.yml. */
  folder: string;
  /** The project's name; by default the folder's. */
  project?: string;
  /** Variables such as `PROXY_PORT` or `COMPOSE_FILE`. */
  env?: Record<string, string | undefined>;
}

export interface Container {
  id: string;
  /** For example `task6-back-end-1`. */
  name: string;
  service: string;
  /** For example `running`. */
  state: string;
  /** `healthy`, `unhealthy`, `starting`; empty without a health check. */
  health: string;
  /** Host ports, each once. */
  published: number[];
}

/**
 * Runs a Compose command on a stack.
 * @returns Its stdout.
 * @throws {CommandError} if it fails.
 */
export async function compose(
  stack: Stack,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { folder, project } = stack;
  const name = project === undefined ? {} : { COMPOSE_PROJECT_NAME: project };
  const env = { ...options.env, ...stack.env, ...name };
  const [program, ...first] = (await findCompose())?.command ?? ["docker", "compose"];
  return run(program, argv`${first} --progress=plain ${args}`, { ...options, cwd: folder, env });
}

/** @returns A stack's configuration, with the environment filled in. */
export async function readConfig(stack: Stack, options?: RunOptions): Promise<ComposeModel> {
  return JSON.parse(await compose(stack, argv`config --format=json`, options)) as ComposeModel;
}

/**
 * Stops a stack and removes its containers and networks, even after Ctrl-C.
 * @param args More options of `down`; without `--volumes` the stack's data is kept.
 * @throws {CommandError} if something cannot be removed.
 */
export async function takeDown(stack: Stack, args: readonly string[] = []): Promise<void> {
  await compose(stack, argv`down --remove-orphans ${args}`, { detached: true });
}

/** @returns The project name of a stack. */
export function projectOf(stack: Stack): string {
  return stack.project ?? process.env.COMPOSE_PROJECT_NAME ?? path.basename(stack.folder);
}

/** @returns All containers of a stack, stopped ones included, ordered by name. */
export async function listContainers(stack: Stack, service?: string): Promise<Container[]> {
  // `docker compose ps` takes five times as long
  const label = "label=com.docker.compose";
  const filters = [`--filter=${label}.project=${projectOf(stack)}`];
  if (service !== undefined) filters.push(`--filter=${label}.service=${service}`);
  const fields = [".ID", ".Names", '.Label "com.docker.compose.service"', ".State", ".Status"];
  const format = [...fields, ".Ports"].map((field) => `{{${field}}}`).join("\t");
  const listed = await run("docker", argv`ps --all --no-trunc ${filters} --format=${format}`);
  return listed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [id = "", name = "", service = "", state = "", status = "", ports = ""] =
        line.split("\t");
      // For example "Up 2 seconds (healthy)" and "0.0.0.0:80->80/tcp, :::80->80/tcp, 9000/tcp"
      const health = /\((?:health: )?(\w+)\)$/.exec(status)?.[1] ?? "";
      const hostPorts = Array.from(ports.matchAll(/:(\d+)->/g), ([, port]) => Number(port));
      return { id, name, service, state, health, published: [...new Set(hostPorts)] };
    })
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** A port that a stack publishes on the host. */
export interface WantedPort {
  service: string;
  published: number;
  /** The port in the container. */
  target: number;
}

/** @returns The host ports of a stack's docker-compose.yml, with the environment filled in. */
export async function wantedPorts(stack: Stack): Promise<WantedPort[]> {
  const { services } = await readConfig(stack);
  return Object.entries(services).flatMap(([service, { ports = [] }]) =>
    ports.map(({ published, target }) => ({ service, published: Number(published), target })),
  );
}

/** @returns A query that makes requests findable in the servers' logs: `?run=…`. */
export function newMarker(): string {
  return `run=${randomBytes(4).toString("hex")}`;
}

/**
 * Counts the requests with a marker in the log of each container of a service.
 * @param expected Requests that were sent; the logs are read until they show as many.
 * @returns Requests by container name; a container without any has 0.
 * @throws {Error} if the logs do not show them all within 10 s.
 */
export async function countServed(
  stack: Stack,
  service: string,
  marker: string,
  expected: number,
): Promise<Map<string, number>> {
  const countLines = async ({ id, name }: Container): Promise<[string, number]> => {
    const { stdout, stderr } = await attempt("docker", argv`logs ${id}`);
    return [name, `${stdout}${stderr}`.split(marker).length - 1];
  };
  return waitUntil(
    async () => {
      const containers = await listContainers(stack, service);
      const counts = await Promise.all(containers.map(countLines));
      const total = counts.reduce((sum, [, count]) => sum + count, 0);
      return total >= expected && new Map(counts);
    },
    { for: `${expected} requests in the logs of ${service}`, timeoutMs: 10_000 },
  );
}
