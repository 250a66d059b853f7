import path from "node:path";

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

/** What a stack must consist of. */
export interface StackContract {
  /** Tags the images, and is the folder's name. */
  task: string;
  /** Each service with the services it waits for. */
  services: Record<string, string[]>;
  /** Until it is well, or only until it has started. */
  waitsFor: "service_healthy" | "service_started";
  /** `HOST:CONTAINER` by service; a service that is not here is not published. */
  ports: Record<string, string>;
}

const two = { "back-end": [], "front-end": ["back-end"] };
const three = { "back-end": [], "front-end": [], proxy: ["back-end", "front-end"] };

const portsOfTask4 = { "back-end": "5252:5252", "front-end": "9000:9000" };

/** Spec, tasks 4 to 6. In task6 the proxy can do without any server, from its start on. */
export const contracts: readonly StackContract[] = [
  { task: "task4", services: two, waitsFor: "service_healthy", ports: portsOfTask4 },
  { task: "task5", services: three, waitsFor: "service_healthy", ports: { proxy: "80:80" } },
  { task: "task6", services: three, waitsFor: "service_started", ports: { proxy: "80:80" } },
];

/** Lists a service's ports in the compose file's short form, such as `80:80`. */
export function publishedPorts({ ports = [] }: Service): string[] {
  return ports.map(({ target, published, host_ip }) =>
    [...(host_ip === undefined ? [] : [host_ip]), published ?? "any", target].join(":"),
  );
}

/** The services, how they are built, published and ordered (spec, tasks 4 to 6). */
export function stackProblems(model: ComposeModel, contract: StackContract): string[] {
  const found = Object.keys(model.services).sort().join(", ");
  const wanted = Object.keys(contract.services).sort().join(", ");
  if (found !== wanted) return [`the services are ${found}, not ${wanted}`];
  return Object.entries(contract.services).flatMap(([name, others]) => {
    const service = model.services[name] ?? {};
    const { image, build = {}, depends_on = {} } = service;
    const expected = {
      image: `softy-pinko-${name}:${contract.task}`,
      context: `${contract.task}/${name}`,
      dockerfile: "Dockerfile",
      ports: contract.ports[name] ?? "",
      "depends on": [...others].sort().join(", "),
    };
    const actual = {
      image,
      context: build.context?.split(path.sep).slice(-2).join("/"),
      dockerfile: build.dockerfile,
      ports: publishedPorts(service).join(", "),
      "depends on": Object.keys(depends_on).sort().join(", "),
    };
    const differing = Object.keys(expected) as (keyof typeof expected)[];
    return [
      ...differing
        .filter((key) => actual[key] !== expected[key])
        .map((key) => `${name}: ${key} "${actual[key]}", not "${expected[key]}"`),
      ...Object.entries(depends_on)
        .filter(([, { condition }]) => condition !== contract.waitsFor)
        .map(([other, { condition }]) => `${name} waits for ${other} until ${condition}`),
    ];
  });
}

/**
 * What makes each service of a stack one that can be scaled, watched and left alone.
 * @param confs Where a text prescribes that a conf file of the host is mounted, read-only.
 */
export function operationProblems(
  { services }: ComposeModel,
  confs: readonly string[] = [],
): string[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const { healthcheck, restart, logging, container_name, privileged, volumes = [] } = service;
    const probe = healthcheck?.test?.join(" ") ?? "";
    const rotates = logging?.driver === "local" || logging?.options?.["max-size"] !== undefined;
    const rules: [boolean, string][] = [
      [probe !== "" && !/^NONE$/.test(probe) && !healthcheck?.disable, "has no health check"],
      [probe === "" || probe.includes("127.0.0.1"), "is probed elsewhere than at 127.0.0.1"],
      [healthcheck?.start_interval !== undefined, "has no start_interval"],
      [restart === "unless-stopped", `restarts ${restart ?? "never"}`],
      [rotates, "logs without end"],
      [container_name === undefined, "has a container_name, so it cannot be scaled"],
      [privileged !== true, "is privileged"],
      [volumes.every((volume) => isHarmless(volume, confs)), "mounts a folder of the host"],
      [service.network_mode !== "host", "shares the host's network"],
    ];
    return rules.filter(([kept]) => !kept).map(([, problem]) => `${name} ${problem}`);
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
