import { randomBytes } from "node:crypto";
import path from "node:path";
import { attempt, type RunOptions, run } from "./run";
import { waitUntil } from "./wait";

/** A Compose project: the folder of its docker-compose.yml and what tells it from others. */
export interface Stack {
  folder: string;
  /** The project's name; the folder's where none is given. */
  project?: string;
  /** Variables such as `PROXY_PORT` or `COMPOSE_FILE`. */
  env?: Record<string, string>;
}

export interface Container {
  id: string;
  /** For instance `task6-back-end-1`. */
  name: string;
  service: string;
  /** For instance `running`. */
  state: string;
  /** `healthy`, `unhealthy`, `starting`; empty without a health check. */
  health: string;
  /** Ports on the host, each once. */
  published: number[];
}

function optionsFor(stack: Stack, options: RunOptions): RunOptions {
  const project = stack.project === undefined ? {} : { COMPOSE_PROJECT_NAME: stack.project };
  return { ...options, cwd: stack.folder, env: { ...options.env, ...stack.env, ...project } };
}

/**
 * Runs a `docker compose` command on a stack.
 * @returns Its stdout.
 * @throws {CommandError} when it fails.
 */
export function compose(
  stack: Stack,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return run("docker", ["compose", "--progress=plain", ...args], optionsFor(stack, options));
}

/**
 * Ends a stack and removes its containers and networks. Comes to its end even after Ctrl-C.
 * @param more Further options of `down`; without `--volumes` the stack's data stays.
 * @throws {CommandError} when something could not be removed.
 */
export async function takeDown(stack: Stack, more: readonly string[] = []): Promise<void> {
  await compose(stack, ["down", "--remove-orphans", ...more], { detached: true });
}

/** @returns The name by which the engine knows a stack. */
export function projectOf(stack: Stack): string {
  return stack.project ?? process.env.COMPOSE_PROJECT_NAME ?? path.basename(stack.folder);
}

/** @returns All containers of a stack, stopped ones too, ordered by name. */
export async function listContainers(stack: Stack, service?: string): Promise<Container[]> {
  // Compose's own `ps` takes five times as long
  const fields = [".ID", ".Names", '.Label "com.docker.compose.service"', ".State", ".Status"];
  const listed = await run("docker", [
    ...["ps", "--all", "--no-trunc"],
    `--filter=label=com.docker.compose.project=${projectOf(stack)}`,
    ...(service === undefined ? [] : [`--filter=label=com.docker.compose.service=${service}`]),
    `--format=${[...fields, ".Ports"].map((field) => `{{${field}}}`).join("\t")}`,
  ]);
  return listed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [id = "", name = "", own = "", state = "", status = "", ports = ""] = line.split("\t");
      // For instance "Up 2 seconds (healthy)" and "0.0.0.0:80->80/tcp, :::80->80/tcp, 9000/tcp"
      const health = /\((?:health: )?(\w+)\)$/.exec(status)?.[1] ?? "";
      const published = new Set(
        Array.from(ports.matchAll(/:(\d+)->/g), ([, port]) => Number(port)),
      );
      return { id, name, service: own, state, health, published: [...published] };
    })
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** A port that a stack wants on the host. */
export interface WantedPort {
  service: string;
  published: number;
  /** The port in the container. */
  target: number;
}

interface Config {
  services: Record<string, { ports?: { published?: string; target: number }[] }>;
}

/** @returns The host ports of a stack's docker-compose.yml, with the environment filled in. */
export async function wantedPorts(stack: Stack): Promise<WantedPort[]> {
  const config = JSON.parse(await compose(stack, ["config", "--format=json"])) as Config;
  return Object.entries(config.services).flatMap(([service, { ports = [] }]) =>
    ports.map(({ published, target }) => ({ service, published: Number(published), target })),
  );
}

/** A marker that makes requests findable in the servers' logs: `?run=…`. */
export function newMarker(): string {
  return `run=${randomBytes(4).toString("hex")}`;
}

/**
 * Counts who served the requests that carry a marker, by the log lines of each container.
 * @param expected Requests that were answered; the logs are read until they show as many.
 * @returns Served requests by container name; a container that served none is there with 0.
 * @throws {Error} when the logs do not show them all within 10 s.
 */
export async function countServed(
  stack: Stack,
  service: string,
  marker: string,
  expected: number,
): Promise<Map<string, number>> {
  return waitUntil(
    async () => {
      const served = new Map<string, number>();
      const containers = await listContainers(stack, service);
      const logs = await Promise.all(containers.map(({ id }) => attempt("docker", ["logs", id])));
      for (const [index, { name }] of containers.entries()) {
        served.set(name, (logs[index]?.stdout ?? "").split(marker).length - 1);
      }
      const total = [...served.values()].reduce((sum, count) => sum + count, 0);
      return total >= expected ? served : undefined;
    },
    { for: `${expected} requests in the logs of ${service}`, timeoutMs: 10_000 },
  );
}
