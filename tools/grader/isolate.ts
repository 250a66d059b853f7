import type { Build, ComposeModel, ComposeService, Mount } from "./compose-model";
import { neutralize } from "./dockerfile-syntax";

/** Limits of every container that the grader runs. */
export const limits = { memory: "512m", pids: 256, cpus: 1, logBytes: "2m" };

/** The course asks for two replicas. */
const maxScale = 4;

/**
 * Limits of every process of a build: the bytes of its data and of a file that it writes. BuildKit
 * has no limits for a build as a whole: see `build` in build.ts.
 */
export const buildLimits = { data: 4_294_967_296, fsize: 2_147_483_648, core: 0 };

/**
 * Shares the folders of `RUN --mount=type=cache` only within one grading.
 * @param namespace A name that no other grading has.
 */
export const cacheArgs = (namespace: string) => ({ BUILDKIT_CACHE_MOUNT_NS: namespace });

/**
 * Whether a build argument changes a layer without being part of its key in the build cache, so that
 * another repository's build would get that layer; or changes BuildKit itself.
 * https://docs.docker.com/build/building/variables/#pre-defined-build-arguments
 */
const isHidden = (name: string): boolean => /_proxy$|^BUILDKIT_|^SOURCE_DATE_EPOCH$/i.test(name);

/**
 * The environment in which Docker's client reads a graded compose file. The file can use any variable,
 * so there are only those that the client needs to find its engine.
 * @returns Every other variable of this process as undefined, which removes it.
 */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const isNeeded = (name: string): boolean =>
    /^(PATH|HOME|USER|TMPDIR|DOCKER_\w+|XDG_\w+|SSH_AUTH_SOCK)$/.test(name);
  const others = Object.keys(process.env).filter((name) => !isNeeded(name));
  return Object.fromEntries(others.map((name) => [name, undefined]));
}

/** Settings of a service that the grader removes. Programs outside the stack can act on labels. */
const removedKeys = new Set(
  `container_name restart deploy labels annotations env_file develop pull_policy mem_reservation
   mem_swappiness cpuset`.split(/\s+/),
);

/**
 * Isolates a graded stack: images, containers, networks and volumes get the grader's names, ports are
 * published on loopback at free host ports, folders of the repository are read-only, and every
 * container has limits.
 * @param model The graded file as Compose reads it; it is not changed.
 * @param project The project's name.
 */
export function isolate(model: ComposeModel, project: string): ComposeModel {
  const rename = (parts: Record<string, unknown> = {}) =>
    Object.fromEntries(Object.keys(parts).map((name) => [name, { name: `${project}_${name}` }]));
  const { secrets, configs } = model;
  return {
    name: project,
    services: Object.fromEntries(
      Object.entries(model.services).map(([name, service]) => [
        name,
        isolateService(service, project, `${project}-${name}`),
      ]),
    ),
    networks: rename(model.networks),
    volumes: rename(model.volumes),
    ...(secrets && { secrets }),
    ...(configs && { configs }),
  };
}

function isolateService(service: ComposeService, project: string, image: string): ComposeService {
  const { build, volumes, scale, ports = [] } = service;
  const kept = Object.entries(service).filter(([key]) => !removedKeys.has(key));
  return {
    ...Object.fromEntries(kept),
    ...(build && { image, build: isolateBuild(build, project) }),
    ...(volumes && { volumes: volumes.map(protectMount) }),
    ...(typeof scale === "number" && { scale: Math.min(scale, maxScale) }),
    ports: ports.map(({ target, protocol = "tcp" }) => {
      return { target, protocol, mode: "ingress", host_ip: "127.0.0.1" };
    }),
    mem_limit: limits.memory,
    memswap_limit: limits.memory,
    pids_limit: limits.pids,
    cpus: limits.cpus,
    security_opt: ["no-new-privileges:true"],
    logging: {
      driver: "local",
      options: { "max-size": limits.logBytes, "max-file": "1", compress: "false" },
    },
  };
}

/** Without tags, which could replace the user's images, and without a cache of its own. */
function isolateBuild(build: Build, project: string): Build {
  const { context, dockerfile, dockerfile_inline, target, additional_contexts } = build;
  const args = Object.entries(build.args ?? {}).filter(([name]) => !isHidden(name));
  return {
    ...(context !== undefined && { context }),
    ...(dockerfile !== undefined && { dockerfile }),
    ...(dockerfile_inline !== undefined && { dockerfile_inline: neutralize(dockerfile_inline) }),
    ...(target !== undefined && { target }),
    ...(additional_contexts !== undefined && { additional_contexts }),
    args: { ...Object.fromEntries(args), ...cacheArgs(project) },
    ulimits: buildLimits,
  };
}

/** Makes a folder of the repository read-only, and does not create it if it is missing. */
const protectMount = (mount: Mount): Mount =>
  mount.type === "bind" ? { ...mount, read_only: true, bind: { create_host_path: false } } : mount;
