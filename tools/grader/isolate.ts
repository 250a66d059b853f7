import type { Build, ComposeModel, ComposeService, Mount } from "../lib/compose-model";

/** Limits of every container that the grader runs. */
export const limits = { memory: "512m", pids: 256, cpus: 1, logBytes: "2m" };

/** The course asks for two replicas. */
const maxScale = 4;

/**
 * Limits of every process of a build: the bytes of its data and of a file that it writes. BuildKit
 * has no limits for a build as a whole.
 */
export const buildLimits = { data: 4_294_967_296, fsize: 2_147_483_648, core: 0 };

/**
 * Whether a build argument changes BuildKit itself, or a layer without being part of its cache key,
 * so that another repository's build would get that layer.
 * https://docs.docker.com/build/building/variables/#pre-defined-build-arguments
 */
const isHidden = (name: string): boolean => /_proxy$|^BUILDKIT_|^SOURCE_DATE_EPOCH$/i.test(name);

/**
 * @param namespace A name that no other grading has: the folders of `RUN --mount=type=cache` are shared
 *   only within it.
 * @returns The arguments of a build, without those that could affect other builds.
 */
export function buildArgs(args: Build["args"] = {}, namespace: string): Record<string, string> {
  const kept = Object.entries(args).filter(
    (entry): entry is [string, string] => entry[1] !== null && !isHidden(entry[0]),
  );
  return { ...Object.fromEntries(kept), BUILDKIT_CACHE_MOUNT_NS: namespace };
}

/** Settings of a service that the grader removes. Programs outside the stack can act on labels. */
const removedKeys = new Set(
  `container_name restart deploy labels annotations env_file develop pull_policy mem_reservation
   mem_swappiness cpuset`.split(/\s+/),
);

/**
 * Isolates a graded stack: images, containers, networks and volumes get the grader's names, ports
 * are published on loopback at free host ports, folders of the repository are read-only, and every
 * container has limits.
 * @param model The graded file as Compose reads it; it is not changed.
 * @param project The project's name.
 */
export function isolate(model: ComposeModel, project: string): ComposeModel {
  const rename = (parts: Record<string, unknown> = {}) =>
    Object.fromEntries(Object.keys(parts).map((name) => [name, { name: `${project}_${name}` }]));
  const services = Object.entries(model.services).map(([name, service]) => {
    return [name, isolateService(service, `${project}-${name}`)] as const;
  });
  return {
    name: project,
    services: Object.fromEntries(services),
    networks: rename(model.networks),
    volumes: rename(model.volumes),
    secrets: model.secrets,
    configs: model.configs,
  };
}

/** @param builtImage The name of its image, if it has a build. */
function isolateService(service: ComposeService, builtImage: string): ComposeService {
  const { image, build, volumes, scale, ports = [] } = service;
  const kept = Object.entries(service).filter(([key]) => !removedKeys.has(key));
  return {
    ...Object.fromEntries(kept),
    image: build ? builtImage : image,
    // The grader has built it
    build: undefined,
    volumes: volumes?.map(protectMount),
    scale: scale && Math.min(scale, maxScale),
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

/** Makes a folder of the repository read-only, and does not create it if it is missing. */
const protectMount = (mount: Mount): Mount =>
  mount.type === "bind" ? { ...mount, read_only: true, bind: { create_host_path: false } } : mount;
