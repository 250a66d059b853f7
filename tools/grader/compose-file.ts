import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { gate, isPublic } from "./dockerfile-gate";
import { foreignSyntax, neutralize } from "./dockerfile-syntax";
import { type Finding, failed } from "./point";
import { readYaml, unreadable } from "./read";

/** What the grader looks at in `docker compose config --format json`. */
export interface ComposeService {
  image?: string;
  build?: {
    context?: string;
    dockerfile?: string;
    dockerfile_inline?: string;
    target?: string;
    args?: Record<string, string | null>;
    ulimits?: Record<string, number>;
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
  volumes?: {
    type: string;
    source?: string;
    target?: string;
    read_only?: boolean;
    bind?: { create_host_path?: boolean };
  }[];
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
 * Keys of a service that reach nothing beyond its containers, or that have a rule of their own in
 * {@link dangers}. Compose learns new keys with every release, so any other one is refused.
 */
const knownKeys = new Set(
  [
    "image build command entrypoint environment env_file ports expose depends_on networks volumes",
    "healthcheck restart container_name labels annotations logging stop_signal stop_grace_period",
    "working_dir user hostname domainname tty stdin_open init read_only tmpfs deploy scale profiles",
    "platform pull_policy ulimits links attach dns dns_search dns_opt extra_hosts group_add secrets",
    "configs mem_limit mem_reservation memswap_limit mem_swappiness cpus cpu_count cpu_percent",
    "cpu_shares cpu_quota cpu_period cpuset pids_limit shm_size develop mac_address cap_drop cap_add",
    "privileged network_mode pid ipc userns_mode cgroup cgroup_parent devices device_cgroup_rules",
    "security_opt sysctls volumes_from runtime",
  ].flatMap((keys) => keys.split(" ")),
);

/** Far more than the course asks for: each service is a container, each port a process. */
const most = { services: 10, ports: 16, scale: 4, fileBytes: 1_000_000, parts: 20, files: 200 };

/**
 * Looks for what the course never needs and what could reach beyond the containers: a stack that has
 * any of it is not run.
 * @param folder Where it may take files from.
 * @returns What it asks for, by service, in words that follow "asks for".
 */
export function dangers(model: ComposeModel, folder: string): { service: string; what: string }[] {
  const isOutside = (target: string | undefined): boolean =>
    target !== undefined && leadsOutside(folder, target);
  const own = Object.entries(model.services).flatMap(([service, s]) => {
    const build = s.build ?? {};
    const mounts = (s.volumes ?? []).filter(({ type }) => type !== "volume" && type !== "tmpfs");
    const sources = mounts.map(({ source = "" }) => source);
    const isSocket = (source: string): boolean => /\.sock$/.test(source);
    const foreign = sources.filter((source) => !isSocket(source) && isOutside(source));
    const contexts = Object.values(build.additional_contexts ?? {});
    const files = [build.context, ...contexts.filter((one) => !/^docker-image:\/\//.test(one))];
    const unknown = Object.keys(s).filter((key) => !knownKeys.has(key) && !key.startsWith("x-"));
    const network = s.network_mode ?? "default";
    const otherSyntax = asksForOtherSyntax(build);
    const refusal = otherSyntax ? undefined : refusalOf(build);
    const images = foreignImages(s);
    const rules: [boolean, string][] = [
      [s.privileged === true || build.privileged === true, "a privileged container"],
      [sources.some(isSocket), "the engine's socket"],
      [foreign.length > 0, `a folder of the host (${foreign.join(", ")})`],
      [network === "host" || build.network === "host", "the host's network"],
      [!/^(host|none|bridge|default)$/.test(network), "another container's network"],
      [s.pid !== undefined, "other processes than its own"],
      [s.ipc !== undefined && s.ipc !== "private", "other memory than its own"],
      [s.userns_mode !== undefined, "the host's users"],
      [s.cgroup !== undefined || s.cgroup_parent !== undefined, "another control group"],
      [(s.cap_add ?? []).length > 0, `capabilities (${s.cap_add?.join(", ")})`],
      [[s.devices, s.device_cgroup_rules].some((list) => list?.length), "devices of the host"],
      [(s.security_opt ?? []).some((one) => !/^no-new-privileges/.test(one)), "less protection"],
      [s.sysctls !== undefined, "kernel settings"],
      [s.runtime !== undefined, "another runtime"],
      [(s.volumes_from ?? []).length > 0, "another container's volumes"],
      [[build.ssh, build.secrets, build.entitlements].some(Boolean), "secrets in its build"],
      [
        files.some(isOutside) || takesDockerfileFrom(build, isOutside),
        "files from outside its folder",
      ],
      [otherSyntax, "another program to build it than Docker's own"],
      [refusal !== undefined, `a build that the grader refuses: ${refusal}`],
      [images.length > 0, `images that are in no public registry (${images.join(", ")})`],
      [(s.ports ?? []).length > most.ports, `more than ${most.ports} ports`],
      [unknown.length > 0, `${unknown.join(", ")}, which the grader does not know`],
    ];
    return rules.filter(([asks]) => asks).map(([, what]) => ({ service, what }));
  });
  const shared = [
    ...Object.values(model.networks ?? {}).map((network) => network?.external === true),
    ...Object.values(model.networks ?? {}).map((one) => !/^(bridge)?$/.test(one?.driver ?? "")),
    ...Object.values(model.volumes ?? {}).map((volume) => volume?.external === true),
    ...Object.values(model.volumes ?? {}).map((volume) => volume?.driver_opts !== undefined),
  ].some(Boolean);
  const files = [...Object.values(model.secrets ?? {}), ...Object.values(model.configs ?? {})];
  const whole: [boolean, string][] = [
    [shared, "networks or volumes of others"],
    [files.some(({ file }) => isOutside(file)), "files from outside its folder"],
    [Object.keys(model.services).length > most.services, `more than ${most.services} services`],
  ];
  return [
    ...own,
    ...whole.filter(([asks]) => asks).map(([, what]) => ({ service: "the stack", what })),
  ];
}

/**
 * Says whether a path leads out of a folder, symbolic links and all. What is no path of this machine,
 * such as an address, is outside.
 */
export function leadsOutside(folder: string, target: string): boolean {
  if (/^([\w+.-]+:\/\/|git@|github\.com\/|oci-layout:|service:)/.test(target)) return true;
  const real = realPathOf(path.resolve(folder, target));
  const way = real === undefined ? ".." : path.relative(realpathSync(folder), real);
  return way === ".." || way.startsWith(`..${path.sep}`) || path.isAbsolute(way);
}

/** @returns Where a path leads, though its last parts may not be there; undefined for a dead link. */
function realPathOf(target: string): string | undefined {
  try {
    return realpathSync(target);
  } catch {
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return undefined;
    const parent = realPathOf(path.dirname(target));
    return parent && path.join(parent, path.basename(target));
  }
}

export type Build = NonNullable<ComposeService["build"]>;

/** @returns The Dockerfile of a build; Docker takes a `dockerfile` for it if there is no other. */
export function dockerfileOf({ context = "", dockerfile = "Dockerfile" }: Build): string {
  const file = path.resolve(context, dockerfile);
  const other = path.join(path.dirname(file), "dockerfile");
  return path.basename(file) === "Dockerfile" && !existsSync(file) && existsSync(other)
    ? other
    : file;
}

const takesDockerfileFrom = (build: Build, isOutside: (file: string) => boolean): boolean =>
  build.dockerfile !== undefined && isOutside(dockerfileOf(build));

function asksForOtherSyntax(build: Build): boolean {
  if ("BUILDKIT_SYNTAX" in (build.args ?? {})) return true;
  const text = build.dockerfile_inline ?? readSmall(dockerfileOf(build));
  return text === undefined ? existsSync(dockerfileOf(build)) : foreignSyntax(text) !== undefined;
}

/** @returns Why the grader does not build it, if so. */
function refusalOf(build: Build): string | undefined {
  const text = build.dockerfile_inline ?? readSmall(dockerfileOf(build));
  const problem = text === undefined ? undefined : gate(text, build.args);
  return problem && `${problem.cause} (line ${problem.line} of its Dockerfile)`;
}

/** @returns Images that a service takes as they are. */
function foreignImages({ image, build }: ComposeService): string[] {
  const contexts = Object.values(build?.additional_contexts ?? {});
  const images = contexts.flatMap((target) => /^docker-image:\/\/(.*)/.exec(target)?.[1] ?? []);
  const all = image !== undefined && build === undefined ? [image, ...images] : images;
  return all.filter((name) => !isPublic(name));
}

/** @returns A file's text; undefined where it is no regular file, or larger than any of the course. */
function readSmall(file: string): string | undefined {
  try {
    const found = statSync(file);
    return found.isFile() && found.size <= most.fileBytes ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds the files outside a folder that Compose would read along with a compose file, before it has
 * even told us what is in it: what they hold would stand in its messages and in its model.
 * @param folder Where it may take files from.
 * @param file A compose file, from that folder.
 * @returns What it names, such as `env_file /etc/passwd`; undefined if all stay inside.
 * @throws {Error} if that cannot be told: a compose file that it names is not there or unreadable.
 */
export function strayFile(folder: string, file: string): string | undefined {
  // Read by Compose though nobody names it
  if (leadsOutside(folder, ".env")) return ".env";
  const named = namedFiles(folder, file);
  let stray = named.find(({ isStray }) => isStray);
  if (stray === undefined) {
    const parts = named.filter(isPart);
    if (parts.length > most.parts) throw new Error(`it has more than ${most.parts} parts`);
    const inner = parts.flatMap(({ name }) => namedFiles(folder, name));
    // What the paths of a part's parts count from depends on Compose's version
    stray = inner.find((one) => one.isStray || isPart(one));
  }
  return stray && `${stray.what} ${stray.name}`;
}

interface NamedFile {
  what: string;
  name: string;
  isStray: boolean;
}

/** Compose reads it as a part of the compose file. */
const isPart = ({ what }: NamedFile): boolean => what === "include" || what === "extends";

/** @returns Every file that a compose file names and that Compose reads with it. */
function namedFiles(folder: string, file: string): NamedFile[] {
  const found: NamedFile[] = [];
  const add = (what: string, value: unknown, depth = 0): void => {
    // In Compose's schema, a list of parts, a part, its list of paths, a path
    if (depth > 3) return;
    if (found.length > most.files) throw new Error(`it names more than ${most.files} files`);
    if (Array.isArray(value)) for (const one of value) add(what, one, depth + 1);
    else if (typeof value === "string") {
      // A path from an included file counts from that file, or from the folder of the whole
      const isOutside = [".", path.dirname(file)].some((from) =>
        leadsOutside(folder, path.join(from, value)),
      );
      const isAddress = /^[\w+.-]+:|^git@/.test(value);
      const isMoved = what === "project_directory";
      const isStray =
        isMoved || isAddress || isOutside || /\$/.test(value) || path.isAbsolute(value);
      found.push({ what, name: value, isStray });
    } else if (isRecord(value)) {
      for (const key of ["path", "file"]) add(what, value[key], depth + 1);
      for (const key of ["env_file", "project_directory"]) add(key, value[key], depth + 1);
    }
  };
  for (const root of readPart(folder, file)) {
    if (!isRecord(root)) continue;
    add("include", root.include);
    for (const service of Object.values(isRecord(root.services) ? root.services : {})) {
      if (!isRecord(service)) continue;
      add("env_file", service.env_file);
      add("label_file", service.label_file);
      // As a string it is the name of a service
      if (isRecord(service.extends)) add("extends", service.extends);
    }
  }
  return found;
}

function readPart(folder: string, file: string): readonly unknown[] {
  const full = path.resolve(folder, file);
  if (!existsSync(full)) throw new Error(`there is no ${file}`);
  try {
    return readYaml(readSmall(full)).values;
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The verdict on a compose file that Compose is not even to read. */
export function judgeStrayFile(folder: string, name: string, file: string): Finding | undefined {
  const hint = "The course needs none of it, so this task is not run. Take it out.";
  let stray: string | undefined;
  try {
    stray = strayFile(folder, name);
  } catch (error) {
    return unreadable(error, hint, file);
  }
  if (stray === undefined) return undefined;
  return failed(`it asks for files from outside its folder: ${stray}`, hint, { file });
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
 * Bounds on every process of a build: bytes of its data, bytes of a file that it writes. BuildKit has
 * none on a build as a whole: see `build` in sandbox.ts.
 */
export const buildLimits = { data: 4_294_967_296, fsize: 2_147_483_648, core: 0 };

/**
 * Keeps the folders that `RUN --mount=type=cache` shares with later builds to one grading.
 * @param namespace A name that no other grading has.
 */
export const cacheArgs = (namespace: string) => ({ BUILDKIT_CACHE_MOUNT_NS: namespace });

/**
 * Arguments that change a layer without being part of its key in the build cache, so that another
 * repository's build would take it; and those that change BuildKit itself.
 * https://docs.docker.com/build/building/variables/#pre-defined-build-arguments
 */
const isHidden = (name: string): boolean => /_proxy$|^BUILDKIT_|^SOURCE_DATE_EPOCH$/i.test(name);

/**
 * The environment for Docker's client when it reads a graded compose file: what it needs to find its
 * engine, and nothing else, because the file may name any variable and send it anywhere.
 * @returns Each other variable of this process as undefined, which takes it away.
 */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const isNeeded = (name: string): boolean =>
    /^(PATH|HOME|USER|TMPDIR|DOCKER_\w+|XDG_\w+|SSH_AUTH_SOCK)$/.test(name);
  return Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => !isNeeded(name))
      .map((name) => [name, undefined]),
  );
}

/**
 * Makes a graded stack one that disturbs nobody: images, containers, networks and volumes under a
 * name of the grader's own, ports on loopback where the system finds some free, folders of the
 * repository read-only, and bounds. Labels go, because programs beside the engine act on them.
 * @param model As Compose reads the graded file; it is not changed.
 * @param project The grader's own name for it.
 */
export function tame(model: ComposeModel, project: string): ComposeModel {
  const services = Object.entries(model.services).map(([name, service]) => {
    const tamed: ComposeService = {
      ...without(service, dropped),
      ...(service.build !== undefined && {
        image: `${project}-${name}`,
        build: tameBuild(service.build, project),
      }),
      ...(service.volumes !== undefined && { volumes: service.volumes.map(tameMount) }),
      ...(typeof service.scale === "number" && { scale: Math.min(service.scale, most.scale) }),
      ports: (service.ports ?? []).map(({ target, protocol = "tcp" }) => ({
        ...{ target, protocol, mode: "ingress", host_ip: "127.0.0.1" },
      })),
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
    return [name, tamed] as const;
  });
  const unnamed = (parts: Record<string, unknown> = {}) =>
    Object.fromEntries(Object.keys(parts).map((name) => [name, { name: `${project}_${name}` }]));
  const { secrets, configs } = model;
  return {
    name: project,
    services: Object.fromEntries(services),
    networks: unnamed(model.networks),
    volumes: unnamed(model.volumes),
    ...(secrets !== undefined && { secrets }),
    ...(configs !== undefined && { configs }),
  };
}

/** Keys of a service that a graded stack runs without. */
const dropped = [
  ...["container_name", "restart", "deploy", "labels", "annotations", "env_file", "develop"],
  ...["pull_policy", "mem_reservation", "mem_swappiness", "cpuset"],
];

const without = (service: ComposeService, keys: readonly string[]): ComposeService =>
  Object.fromEntries(Object.entries(service).filter(([key]) => !keys.includes(key)));

/** No further tags, which could be the names of the user's images, and no cache of its own. */
const tameBuild = (build: Build, project: string): Build => ({
  ...(build.context !== undefined && { context: build.context }),
  ...(build.dockerfile !== undefined && { dockerfile: build.dockerfile }),
  ...(build.dockerfile_inline !== undefined && {
    dockerfile_inline: neutralize(build.dockerfile_inline),
  }),
  ...(build.target !== undefined && { target: build.target }),
  ...(build.additional_contexts !== undefined && {
    additional_contexts: build.additional_contexts,
  }),
  args: {
    ...Object.fromEntries(Object.entries(build.args ?? {}).filter(([name]) => !isHidden(name))),
    ...cacheArgs(project),
  },
  ulimits: buildLimits,
});

/** A folder of the repository can be read, not written, and none is made where there is none. */
const tameMount = (mount: NonNullable<ComposeService["volumes"]>[number]): typeof mount =>
  mount.type === "bind" ? { ...mount, read_only: true, bind: { create_host_path: false } } : mount;
