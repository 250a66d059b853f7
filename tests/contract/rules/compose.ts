/** The part of `docker compose config --format json` that the rules look at. */
export interface Service {
  image?: string;
  build?: { context?: string; dockerfile?: string };
  ports?: { target: number; published?: string; host_ip?: string }[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; start_interval?: string; disable?: boolean };
  restart?: string;
  logging?: { driver?: string; options?: Record<string, string> };
  container_name?: string;
  privileged?: boolean;
  volumes?: { type: string; source?: string; target?: string; read_only?: boolean }[];
  tmpfs?: string[];
  command?: string[];
  networks?: Record<string, unknown>;
  environment?: Record<string, string>;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  network_mode?: string;
  mem_limit?: string;
  cpus?: number;
  pids_limit?: number;
}

export interface ComposeModel {
  services: Record<string, Service>;
  networks?: Record<string, Network | null>;
}

export interface Network {
  internal?: boolean;
  driver_opts?: Record<string, string>;
}

/** Lists a service's ports in the compose file's short form, such as `80:80`. */
export function publishedPorts({ ports = [] }: Service): string[] {
  return ports.map(({ target, published, host_ip }) =>
    [...(host_ip === undefined ? [] : [host_ip]), published ?? "any", target].join(":"),
  );
}

/** Each service has a health check of its own, which costs little time at the start. */
export function healthProblems({ services }: ComposeModel): string[] {
  return Object.entries(services).flatMap(([name, { healthcheck }]) => {
    const probe = healthcheck?.test?.join(" ") ?? "";
    const rules: [boolean, string][] = [
      [probe !== "" && !/^NONE$/.test(probe) && !healthcheck?.disable, "has no health check"],
      [probe === "" || probe.includes("127.0.0.1"), "is probed elsewhere than at 127.0.0.1"],
      [healthcheck?.start_interval !== undefined, "has no start_interval"],
    ];
    return problemsOf(name, rules);
  });
}

const problemsOf = (name: string, rules: readonly [boolean, string][]): string[] =>
  rules.filter(([kept]) => !kept).map(([, problem]) => `${name} ${problem}`);

/**
 * What makes each service of a stack one that can be scaled and left alone.
 * @param confs Where a text prescribes that a conf file of the host is mounted, read-only.
 */
export function operationProblems(
  { services }: ComposeModel,
  confs: readonly string[] = [],
): string[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const { restart, logging, container_name, privileged, volumes = [] } = service;
    const rotates = logging?.driver === "local" || logging?.options?.["max-size"] !== undefined;
    return problemsOf(name, [
      [restart === "unless-stopped", `restarts ${restart ?? "never"}`],
      [rotates, "logs without end"],
      [container_name === undefined, "has a container_name, so it cannot be scaled"],
      [privileged !== true, "is privileged"],
      [volumes.every((volume) => isHarmless(volume, confs)), "mounts a folder of the host"],
      [service.network_mode !== "host", "shares the host's network"],
    ]);
  });
}

type Volume = NonNullable<Service["volumes"]>[number];

const isHarmless = ({ type, target = "", read_only }: Volume, confs: readonly string[]): boolean =>
  type !== "bind" || (confs.includes(target) && read_only === true);

/**
 * What keeps a service that was taken over from doing more than its work. Who runs it is known only
 * from the image where the compose file does not say.
 */
export function hardeningProblems({ services }: ComposeModel): string[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const { user, read_only, cap_drop, cap_add = [], security_opt = [] } = service;
    const rules: [boolean, string][] = [
      [!/^(root|0)(:|$)/.test(user ?? ""), "runs as root"],
      [read_only === true, "can write into its image's files"],
      [cap_drop?.join() === "ALL", "keeps capabilities"],
      [cap_add.length === 0, `is given ${cap_add.join(", ")}`],
      [security_opt.includes("no-new-privileges:true"), "can gain privileges"],
    ];
    return rules.filter(([kept]) => !kept).map(([, problem]) => `${name} ${problem}`);
  });
}

/** What keeps a service that was taken over, or runs wild, from taking the machine with it. */
export function limitProblems({ services }: ComposeModel): string[] {
  return Object.entries(services).flatMap(([name, { mem_limit, cpus, pids_limit }]) => {
    const limits: [unknown, string][] = [
      [mem_limit, "memory"],
      [cpus, "processors"],
      [pids_limit, "processes"],
    ];
    return limits.filter(([limit]) => !limit).map(([, what]) => `${name}: ${what} without limit`);
  });
}

/**
 * Which services have a way out of the stack. A network is closed when it is `internal`, which leaves
 * it without a route, and when the host has no address in it either.
 * @param edge The services that may have one.
 */
export function wayOutProblems(model: ComposeModel, edge: readonly string[]): string[] {
  const isClosed = (network: string): boolean => {
    const { internal, driver_opts = {} } = model.networks?.[network] ?? {};
    return internal === true && driver_opts["com.docker.network.bridge.inhibit_ipv4"] === "true";
  };
  return Object.entries(model.services)
    .filter(([name]) => !edge.includes(name))
    .flatMap(([name, { networks = {} }]) =>
      Object.keys(networks)
        .filter((network) => !isClosed(network))
        .map((network) => `${name} has a way out by ${network}`),
    );
}

/**
 * What only the file itself shows: Compose v2 ignores `version`, and warns.
 * @param document The parsed YAML.
 */
export function fileProblems(document: Record<string, unknown>): string[] {
  return "version" in document ? ["version is obsolete"] : [];
}
