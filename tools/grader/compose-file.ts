import path from "node:path";
import { type Finding, failed } from "./point";

/** What the grader looks at in `docker compose config --format json`. */
export interface ComposeService {
  image?: string;
  build?: {
    context?: string;
    dockerfile?: string;
    additional_contexts?: Record<string, string>;
    network?: string;
    privileged?: boolean;
    ssh?: unknown;
    secrets?: unknown;
    entitlements?: unknown;
  };
  ports?: { target: number; published?: string; host_ip?: string; protocol?: string }[];
  depends_on?: Record<string, unknown>;
  container_name?: string;
  privileged?: boolean;
  network_mode?: string;
  pid?: string;
  ipc?: string;
  userns_mode?: string;
  cgroup?: string;
  cgroup_parent?: string;
  cap_add?: string[];
  devices?: unknown[];
  device_cgroup_rules?: unknown[];
  security_opt?: string[];
  sysctls?: unknown;
  extra_hosts?: unknown;
  volumes?: { type: string; source?: string; target?: string }[];
  volumes_from?: unknown[];
  runtime?: string;
  [key: string]: unknown;
}

export interface ComposeModel {
  name?: string;
  services: Record<string, ComposeService>;
  networks?: Record<string, { name?: string; external?: boolean; driver?: string } | null>;
  volumes?: Record<
    string,
    { name?: string; external?: boolean; driver_opts?: Record<string, string> } | null
  >;
  secrets?: Record<string, { file?: string }>;
  configs?: Record<string, { file?: string }>;
}

/**
 * Looks for what the course never needs and what could reach beyond the containers: a stack that has
 * any of it is not run.
 * @param folder Where it may take files from.
 * @returns What it asks for, by service, in words that follow "asks for".
 */
export function dangers(model: ComposeModel, folder: string): { service: string; what: string }[] {
  const isOutside = (target: string | undefined): boolean =>
    target !== undefined && path.relative(folder, path.resolve(folder, target)).startsWith("..");
  const own = Object.entries(model.services).flatMap(([service, s]) => {
    const build = s.build ?? {};
    const sources = (s.volumes ?? []).filter(({ type }) => type === "bind").map((v) => v.source);
    const contexts = [build.context, ...Object.values(build.additional_contexts ?? {})];
    const rules: [boolean, string][] = [
      [s.privileged === true || build.privileged === true, "a privileged container"],
      [sources.some((source) => source?.endsWith("docker.sock")), "the engine's socket"],
      [sources.some(isOutside), "a folder of the host"],
      [s.network_mode === "host" || build.network === "host", "the host's network"],
      [/^(container|service):/.test(s.network_mode ?? ""), "another container's network"],
      [s.pid !== undefined, "other processes than its own"],
      [s.ipc !== undefined && s.ipc !== "private", "other memory than its own"],
      [s.userns_mode !== undefined, "the host's users"],
      [s.cgroup !== undefined || s.cgroup_parent !== undefined, "another control group"],
      [(s.cap_add ?? []).length > 0, `capabilities (${s.cap_add?.join(", ")})`],
      [(s.devices ?? s.device_cgroup_rules ?? []).length > 0, "devices of the host"],
      [(s.security_opt ?? []).some((option) => !/no-new-priv/.test(option)), "less protection"],
      [s.sysctls !== undefined, "kernel settings"],
      [s.runtime !== undefined, "another runtime"],
      [(s.volumes_from ?? []).length > 0, "another container's volumes"],
      [[build.ssh, build.secrets, build.entitlements].some(Boolean), "secrets in its build"],
      [contexts.some(isOutside), "files from outside its folder"],
    ];
    return rules.filter(([asks]) => asks).map(([, what]) => ({ service, what }));
  });
  const shared = [
    ...Object.values(model.networks ?? {}).map((network) => network?.external === true),
    ...Object.values(model.networks ?? {}).map((network) => network?.driver === "host"),
    ...Object.values(model.volumes ?? {}).map((volume) => volume?.external === true),
    ...Object.values(model.volumes ?? {}).map((volume) => volume?.driver_opts !== undefined),
  ].some(Boolean);
  const files = [...Object.values(model.secrets ?? {}), ...Object.values(model.configs ?? {})];
  return [
    ...own,
    ...(shared ? [{ service: "the stack", what: "networks or volumes of others" }] : []),
    ...(files.some(({ file }) => isOutside(file))
      ? [{ service: "the stack", what: "files from outside its folder" }]
      : []),
  ];
}

/** The verdict on a stack that is not to be run. */
export function judgeDangers(
  model: ComposeModel,
  folder: string,
  file: string,
): Finding | undefined {
  const found = dangers(model, folder);
  if (found.length === 0) return undefined;
  const list = found.map(({ service, what }) => `${service} asks for ${what}`).join("; ");
  return failed(list, "The course needs none of it, so this task is not run. Take it out.", {
    file,
  });
}

/** Bounds on every container that the grader runs. */
export const limits = { memory: "512m", pids: 256, cpus: 1, logBytes: "2m" };

/**
 * Makes a graded stack one that disturbs nobody: images, containers, networks and volumes under a
 * name of the grader's own, ports on loopback where the system finds some free, and bounds.
 * @param model As Compose reads the graded file; it is not changed.
 * @param project The grader's own name for it.
 */
export function tame(model: ComposeModel, project: string): ComposeModel {
  const services = Object.entries(model.services).map(([name, service]) => {
    const { container_name: _, restart: __, deploy: ___, ...rest } = service;
    const tamed: ComposeService = {
      ...rest,
      ...(service.build !== undefined && { image: `${project}-${name}` }),
      ports: (service.ports ?? []).map(({ target, protocol = "tcp" }) => ({
        ...{ target, protocol, mode: "ingress", host_ip: "127.0.0.1" },
      })),
      mem_limit: limits.memory,
      memswap_limit: limits.memory,
      pids_limit: limits.pids,
      cpus: limits.cpus,
      logging: {
        driver: "local",
        options: { "max-size": limits.logBytes, "max-file": "1", compress: "false" },
      },
    };
    return [name, tamed] as const;
  });
  const unnamed = <T extends object>(parts: Record<string, T | null> = {}) =>
    Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [name, { ...part, name: `${project}_${name}` }]),
    );
  return {
    ...model,
    name: project,
    services: Object.fromEntries(services),
    networks: unnamed(model.networks),
    volumes: unnamed(model.volumes),
  };
}
