import type { ComposeModel, Service } from "./compose";

/** The part of `docker stack config` that the rules look at. */
export interface SwarmService {
  image?: string;
  user?: string;
  init?: boolean;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  command?: string[];
  environment?: Record<string, string>;
  healthcheck?: object;
  logging?: { driver?: string };
  networks?: Record<string, unknown>;
  ports?: { mode?: string; target: number; published: number }[];
  volumes?: { type: string; source?: string; target: string; volume?: { nocopy?: boolean } }[];
  deploy?: {
    mode?: string;
    endpoint_mode?: string;
    resources?: { limits?: { cpus?: string; memory?: string; pids?: number } };
    update_config?: { order?: string; failure_action?: string };
    rollback_config?: { order?: string };
    placement?: { constraints?: string[] };
  };
}

export interface SwarmModel {
  services: Record<string, SwarmService>;
  networks?: Record<string, { internal?: boolean } | null>;
  volumes?: Record<string, { driver_opts?: Record<string, string> } | null>;
}

const list = (values: Iterable<string> | null = []): string =>
  [...(values ?? [])].sort().join(", ");

/**
 * Compares a stack for Swarm with the same folder's stack for Compose: who has the same images has
 * the same rights, limits, health checks and ways, too.
 * @param own Services whose images are the folder's own, and so may come from a registry.
 */
export function differences(
  swarm: SwarmModel,
  compose: ComposeModel,
  own: readonly string[],
): string[] {
  const names = list(Object.keys(swarm.services));
  const wanted = list(Object.keys(compose.services));
  if (names !== wanted) return [`the services are ${names}, not ${wanted}`];
  const networks = Object.entries(compose.networks ?? {}).flatMap(([name, network]) => {
    const isClosed = swarm.networks?.[name]?.internal ?? false;
    return isClosed === (network?.internal ?? false) ? [] : [`network ${name} is not as closed`];
  });
  const services = Object.entries(swarm.services).flatMap(([name, service]) => {
    const other = compose.services[name] ?? {};
    return compare(service, other, swarm, own.includes(name)).map((what) => `${name}: ${what}`);
  });
  return [...networks, ...services];
}

function compare(
  service: SwarmService,
  other: Service,
  { volumes }: SwarmModel,
  isOwn: boolean,
): string[] {
  const limits = service.deploy?.resources?.limits ?? {};
  const image = (name = ""): string => (isOwn ? name.replace(/:.*/, "") : name);
  const pairs: [string, unknown, unknown][] = [
    ["image", image(service.image), image(other.image)],
    ["user", service.user, other.user],
    ["read_only", service.read_only, other.read_only],
    ["cap_drop", list(service.cap_drop), list(other.cap_drop)],
    ["cap_add", list(service.cap_add), list(other.cap_add)],
    ["logging", service.logging?.driver, other.logging?.driver],
    ["memory", Number(limits.memory), Number(other.mem_limit)],
    ["cpus", Number(limits.cpus), other.cpus],
    ["pids", limits.pids, other.pids_limit],
    [
      "networks",
      list(Object.keys(service.networks ?? {})),
      list(Object.keys(other.networks ?? {})),
    ],
    ["command", list(service.command), list(other.command)],
    ["environment", sorted(service.environment), sorted(other.environment)],
    ["health check", sorted(service.healthcheck), sorted(other.healthcheck)],
    ["memory to write to", list(inMemory(service, volumes)), list(tmpfsOf(other))],
  ];
  return pairs
    .filter(([, have, want]) => have !== want)
    .map(([what, have, want]) => `${what} is ${String(have)}, in Compose ${String(want)}`);
}

/** An object as text, whatever the order of its keys. */
function sorted(object: object | null = {}): string {
  return JSON.stringify(Object.entries(object ?? {}).sort(([a], [b]) => a.localeCompare(b)));
}

/** @returns Folders in memory, with the user who may write to them: `/run:uid=101`. */
function inMemory({ volumes = [] }: SwarmService, all: SwarmModel["volumes"] = {}): string[] {
  return volumes.flatMap(({ source = "", target, volume }) => {
    const { type, o = "" } = all[source]?.driver_opts ?? {};
    if (type !== "tmpfs") return [];
    // Docker would fill it from the image, and give it the rights of the folder there
    return volume?.nocopy === true ? [`${target}:${o.split(",")[0]}`] : [`${target}, filled`];
  });
}

function tmpfsOf({ tmpfs = [] }: Service): string[] {
  return tmpfs;
}

/**
 * Checks what a service needs to be balanced by nginx, published, updated and taken back.
 * @param front The one service with a port on the nodes.
 */
export function swarmProblems({ services }: SwarmModel, front: string): string[] {
  return Object.entries(services).flatMap(([name, { deploy = {}, ports = [], volumes = [] }]) => {
    const { endpoint_mode, update_config, rollback_config, placement, mode } = deploy;
    const isAlone = name === front || volumes.some(({ target }) => target === "/data");
    const order = isAlone ? "stop-first" : "start-first";
    const rules: [boolean, string][] = [
      [endpoint_mode === "dnsrr", "is one address to nginx"],
      [update_config?.order === order, `is not updated ${order}`],
      [rollback_config?.order === order, `is not taken back ${order}`],
      [update_config?.failure_action === "rollback", "keeps a version that fails"],
      [ports.length > 0 === (name === front), "is published, or is not"],
      [ports.every((port) => port.mode === "host"), "is published through Swarm's own balancer"],
      [(mode === "global") === (name === front), "does not run once per node, or does"],
      [
        !volumes.some(({ target }) => target === "/data") || placement?.constraints !== undefined,
        "may be where its data is not",
      ],
    ];
    return rules.filter(([holds]) => !holds).map(([, problem]) => `${name} ${problem}`);
  });
}
