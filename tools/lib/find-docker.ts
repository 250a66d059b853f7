import { argv } from "./argv";
import { isAtLeast } from "./docker";
import { UserError } from "./errors";
import { lastLine } from "./lines";
import { attempt } from "./run";

/** `start_interval` of health checks needs engine 25; no Compose before 2.24 is tested. */
const minimum = { engine: "25.0", compose: "2.24" };

/** Compose as a plugin of `docker`, or as a program of its own. */
export interface Compose {
  /** What comes before its arguments: `docker compose` or `docker-compose`. */
  command: [program: string, ...args: string[]];
  version: string;
}

/** The Docker of this machine, as found. */
export interface Docker {
  /** The version of the `docker` program; undefined without one. */
  client: string | undefined;
  /** Where its engine is, such as `unix:///var/run/docker.sock`. */
  endpoint: string;
  /** The engine's version; undefined if it does not respond within 10 s. */
  engine: string | undefined;
  /** Why the engine does not respond. */
  error: string;
  /** The version of the plugin that builds images. */
  buildx: string | undefined;
  compose: Compose | undefined;
  isPodman: boolean;
  /** Whether the engine runs as an ordinary user. */
  isRootless: boolean;
  /** Whether the engine was installed by snap, which hides most folders from it. */
  isSnap: boolean;
}

/** What `docker info` prints, with or without an engine. */
interface Info {
  ServerVersion?: string;
  SecurityOptions?: string[] | null;
  DockerRootDir?: string;
  ClientInfo?: {
    Version?: string;
    Plugins?: { Name: string; Version?: string; Err?: unknown }[] | null;
  };
}

/** @returns What is installed and what responds. Changes nothing. */
export async function findDocker(): Promise<Docker> {
  const { DOCKER_HOST, DOCKER_CONTEXT } = process.env;
  const limit = { timeoutMs: 10_000 };
  const [program, info, version, context, compose] = await Promise.all([
    attempt("docker", ["--version"], limit),
    attempt("docker", argv`info --format ${"{{json .}}"}`, limit),
    attempt("docker", argv`version --format ${"{{json .Server}}"}`, limit),
    attempt("docker", argv`context inspect --format ${"{{.Endpoints.docker.Host}}"}`, limit),
    findCompose(),
  ]);
  const found = parse(info.stdout);
  const plugins = found.ClientInfo?.Plugins ?? [];
  const buildx = plugins.find(({ Name, Err }) => Name === "buildx" && Err === undefined);
  return {
    client: found.ClientInfo?.Version,
    endpoint: context.stdout.trim() || (DOCKER_HOST ?? DOCKER_CONTEXT ?? defaultEndpoint),
    engine: found.ServerVersion || undefined,
    error: lastLine(info.stderr),
    buildx: buildx?.Version,
    compose,
    isPodman: /podman/i.test(program.stdout) || version.stdout.includes('"Podman Engine"'),
    isRootless: found.SecurityOptions?.includes("name=rootless") ?? false,
    isSnap: found.DockerRootDir?.startsWith("/var/snap/") ?? false,
  };
}

export const defaultEndpoint = "unix:///var/run/docker.sock";

let compose: Promise<Compose | undefined> | undefined;

/**
 * Finds a Compose that can run the stacks, the plugin first. What was found is remembered.
 * @returns Otherwise one that is too old; undefined if there is none.
 */
export async function findCompose(): Promise<Compose | undefined> {
  compose ??= searchCompose();
  const found = await compose;
  if (found === undefined) compose = undefined;
  return found;
}

async function searchCompose(): Promise<Compose | undefined> {
  let old: Compose | undefined;
  for (const command of [["docker", "compose"], ["docker-compose"]] as Compose["command"][]) {
    const [program, ...args] = command;
    const { ok, stdout } = await attempt(program, argv`${args} version --short`);
    const version = stdout.trim().replace(/^v/, "");
    if (!ok || !/^\d/.test(version)) continue;
    if (isAtLeast(version, minimum.compose)) return { command, version };
    old ??= { command, version };
  }
  return old;
}

/**
 * Makes sure that an engine responds and can build and run the stacks.
 * @throws {UserError} with what is missing and what to do.
 */
export function requireDocker(
  docker: Docker,
): asserts docker is Docker & { engine: string; compose: Compose } {
  const { engine, compose, buildx } = docker;
  refuseUnusable(docker);
  if (engine === undefined) throw new UserError(`no Docker engine responds: ${docker.error}`);
  if (!isAtLeast(engine, minimum.engine)) throw tooOld("Docker Engine", engine, minimum.engine);
  if (buildx === undefined) {
    throw new UserError(
      "Docker's buildx plugin is missing: install the package docker-buildx-plugin or docker-buildx.",
    );
  }
  if (compose === undefined) {
    throw new UserError(
      `Docker Compose is missing: install ${minimum.compose} or later, as the package docker-compose-plugin or docker-compose-v2.`,
    );
  }
  if (!isAtLeast(compose.version, minimum.compose)) {
    throw tooOld("Docker Compose", compose.version, minimum.compose);
  }
}

const tooOld = (name: string, version: string, least: string): UserError =>
  new UserError(`${name} ${version} is too old: install ${least} or later.`);

/** @throws {UserError} if Docker is Podman, or if this user may not use its engine. */
export function refuseUnusable({ isPodman, error, endpoint }: Docker): void {
  if (isPodman) {
    throw new UserError(
      "docker is Podman here, whose DNS server has another address than Docker's 127.0.0.11 and which may not publish port 80: install Docker Engine.",
    );
  }
  if (/permission denied/i.test(error)) {
    throw new UserError(
      `you may not use the engine at ${endpoint}: sudo usermod -aG docker $USER, then log in again.`,
    );
  }
}

/**
 * @returns The version of the engine; undefined if none responds.
 * @throws {UserError} if it cannot be used: see {@link refuseUnusable}.
 */
export async function findEngine(): Promise<string | undefined> {
  const docker = await findDocker();
  refuseUnusable(docker);
  return docker.engine;
}

/** @returns The host of an engine on another machine. */
export function remoteHost(endpoint: string): string | undefined {
  if (/^(unix|npipe|fd):/.test(endpoint)) return undefined;
  const { hostname } = new URL(endpoint.includes("://") ? endpoint : `tcp://${endpoint}`);
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname) ? undefined : hostname;
}

function parse(json: string): Info {
  try {
    return JSON.parse(json) as Info;
  } catch {
    return {};
  }
}
