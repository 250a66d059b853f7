import type { Build, ComposeModel, ComposeService } from "../lib/compose-model";
import { dockerfileOf, leadsOutside } from "./external-files";

/** Far more than the course needs: a service is a container, a port a process. */
const max = { services: 10, ports: 16 };

/**
 * Settings of a service that affect only its containers, or that one of the {@link rules} checks.
 * Compose adds settings with every release, so all others are refused.
 */
const allowedKeys = new Set(
  `image build command entrypoint environment env_file ports expose depends_on networks volumes
   healthcheck restart container_name labels annotations logging stop_signal stop_grace_period
   working_dir user hostname domainname tty stdin_open init read_only tmpfs deploy scale profiles
   platform pull_policy ulimits links attach dns dns_search dns_opt extra_hosts group_add secrets
   configs mem_limit mem_reservation memswap_limit mem_swappiness cpus cpu_count cpu_percent
   cpu_shares cpu_quota cpu_period cpuset pids_limit shm_size develop mac_address cap_drop cap_add
   privileged network_mode pid ipc devices device_cgroup_rules security_opt volumes_from`.split(
    /\s+/,
  ),
);

const refusedBuildKeys = "additional_contexts dockerfile_inline entitlements secrets ssh".split(
  " ",
);

/** Says what a service asks for, in words that follow "asks for". */
type Rule = (
  service: ComposeService,
  build: Build,
  isOutside: (target: string) => boolean,
) => string | false;

const rules: readonly Rule[] = [
  (service, build) => (service.privileged || build.privileged) === true && "a privileged container",
  (service) => mountsOf(service).some(isSocket) && "the engine's socket",
  (service, _, isOutside) => {
    const sources = mountsOf(service).filter((source) => !isSocket(source) && isOutside(source));
    return sources.length > 0 && `a folder of the host (${sources.join(", ")})`;
  },
  (service, build) =>
    (service.network_mode === "host" || build.network === "host") && "the host's network",
  ({ network_mode = "default" }) =>
    !/^(host|none|bridge|default)$/.test(network_mode) && "another container's network",
  ({ pid }) => pid !== undefined && "processes outside its container",
  ({ ipc = "private" }) => ipc !== "private" && "memory outside its container",
  ({ cap_add = [] }) => cap_add.length > 0 && `capabilities (${cap_add.join(", ")})`,
  ({ devices = [], device_cgroup_rules = [] }) =>
    devices.length + device_cgroup_rules.length > 0 && "devices of the host",
  ({ security_opt = [] }) =>
    security_opt.some((option) => !/^no-new-privileges/.test(option)) && "less protection",
  ({ volumes_from = [] }) => volumes_from.length > 0 && "another container's volumes",
  (_, build) => {
    const unneeded = refusedBuildKeys.filter((key) => key in build);
    return unneeded.length > 0 && `${unneeded.join(", ")} in its build`;
  },
  (_, build, isOutside) =>
    [build.context, build.dockerfile && dockerfileOf(build)].some(
      (file) => file && isOutside(file),
    ) && "files from outside its folder",
  ({ ports = [] }) => ports.length > max.ports && `more than ${max.ports} ports`,
  (service) => {
    const isUnknown = (key: string): boolean => !allowedKeys.has(key) && !key.startsWith("x-");
    const unknown = Object.keys(service).filter(isUnknown);
    return unknown.length > 0 && `${unknown.join(", ")}, which the grader does not know`;
  },
];

const mountsOf = ({ volumes = [] }: ComposeService): string[] =>
  volumes
    .filter(({ type }) => type !== "volume" && type !== "tmpfs")
    .map(({ source = "" }) => source);

const isSocket = (source: string): boolean => source.endsWith(".sock");

/**
 * Finds settings that the course never needs and that could affect more than the stack's
 * containers. A stack with any of them is not run.
 * @param folder The folder from which it may take files.
 * @returns What each service asks for, in words that follow "asks for".
 */
export function unsafeSettings(
  { services, networks = {}, volumes = {}, secrets = {}, configs = {} }: ComposeModel,
  folder: string,
): { service: string; what: string }[] {
  const isOutside = (target: string): boolean => leadsOutside(folder, target);
  const unsafe = Object.entries(services).flatMap(([service, settings]) =>
    rules
      .map((rule) => rule(settings, settings.build ?? {}, isOutside))
      .filter((what) => what !== false)
      .map((what) => ({ service, what })),
  );
  const isForeign =
    Object.values(networks).some((it) => it?.external || !/^(bridge)?$/.test(it?.driver ?? "")) ||
    Object.values(volumes).some((it) => it?.external || it?.driver_opts !== undefined);
  const files = [...Object.values(secrets), ...Object.values(configs)];
  const hasOutside = files.some(({ file }) => file !== undefined && isOutside(file));
  const ofStack = [
    isForeign && "networks or volumes of others",
    hasOutside && "files from outside its folder",
    Object.keys(services).length > max.services && `more than ${max.services} services`,
  ].filter((what) => what !== false);
  return [...unsafe, ...ofStack.map((what) => ({ service: "the stack", what }))];
}
