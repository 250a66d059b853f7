import { compose, type Stack } from "../../tools/lib/compose";
import { attempt, run } from "../../tools/lib/run";

/** A container by its name or id; one in an engine that runs in a container, by both. */
export type Place = string | readonly [node: string, container: string];

/** Runs a command in a container, and does not mind how it ends. */
async function inside(
  place: Place,
  command: readonly string[],
  options: readonly string[] = [],
): Promise<string> {
  const [container, ...nodes] = [place].flat().reverse();
  const way = nodes.flatMap((node) => ["exec", node, "docker"]);
  const exec = [...way, "exec", ...options, container ?? "", ...command];
  return (await attempt("docker", exec)).stdout;
}

/**
 * Finds what the processes of a container may do beyond what any user may.
 * @returns One line for each right of each process; none where all is well.
 */
export async function rightsIn(container: Place): Promise<string[]> {
  const listed = await inside(container, [
    ...["sh", "-c", 'for process in /proc/[0-9]*; do cat "$process/status" && echo; done'],
  ]);
  const processes = listed.split("\n\n").filter((status) => status.startsWith("Name:"));
  if (processes.length === 0) throw new Error(`${String(container)} shows no process`);
  return processes.flatMap((status) => {
    const field = (name: string): string =>
      new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "missing";
    const capabilities = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    return [
      ...(field("Uid").split("\t").includes("0") ? ["is root"] : []),
      ...capabilities
        .filter((name) => !/^0+$/.test(field(name)))
        .map((name) => `has capabilities (${name} ${field(name)})`),
      ...(field("NoNewPrivs") === "1" ? [] : ["may gain rights"]),
      ...(field("Seccomp") === "2" ? [] : ["may make any system call"]),
    ].map((right) => `${field("Name")} ${right}`);
  });
}

/**
 * Tries to write a file into every folder of a container.
 * @param user Who tries; root too cannot write to what is read-only.
 * @returns The folders in which that works.
 */
export async function writableFolders(container: Place, user?: string): Promise<string[]> {
  const script = `find / \\( -path /proc -o -path /sys \\) -prune -o -type d -print 2>/dev/null |
    while IFS= read -r folder; do
      # Not ":", whose failure would end the shell
      if true 2>/dev/null > "$folder/.probe"; then echo "$folder"; rm -f "$folder/.probe"; fi
    done 2>/dev/null`;
  const found = await inside(
    container,
    ["sh", "-c", script],
    user === undefined ? [] : ["--user", user],
  );
  return found.split("\n").filter((folder) => folder !== "");
}

/** @returns The sockets of container engines that a container has, and mounts of such a name. */
export async function engineSocketsIn(container: Place): Promise<string[]> {
  const names = ["docker.sock", "containerd.sock", "podman.sock", "crio.sock"];
  const tests = names.flatMap((name) => ["-o", "-name", name]).slice(1);
  const found = await inside(container, [
    "find",
    "/",
    "(",
    ...tests,
    ")",
    "-not",
    "-path",
    "/proc/*",
  ]);
  const mounts = await inside(container, ["cat", "/proc/mounts"]);
  return [...found.split("\n").filter(Boolean), ...(mounts.match(/\S*\.sock\b/g) ?? [])];
}

/** @returns Whether a container has a way beyond its own networks. */
export async function hasDefaultRoute(container: Place): Promise<boolean> {
  return /^\S+\t0{8}\t/m.test(await inside(container, ["cat", "/proc/net/route"]));
}

/** @returns The network interfaces that have an IPv6 address, but for the loopback. */
export async function ipv6Interfaces(container: Place): Promise<string[]> {
  const listed = await inside(container, ["cat", "/proc/net/if_inet6"]);
  return Array.from(listed.matchAll(/(\S+)$/gm), ([, name = ""]) => name).filter(
    (name) => name !== "lo",
  );
}

/** What the kernel grants a container; undefined stands for no limit. */
export interface Limits {
  memoryBytes: number | undefined;
  processes: number | undefined;
  cpus: number | undefined;
}

/** Reads the limits where the kernel keeps them, with control groups of either version. */
export async function limitsOf(container: Place): Promise<Limits> {
  const read = async (file: string, fileOfVersion1: string): Promise<string> =>
    (await inside(container, ["cat", `/sys/fs/cgroup/${file}`])) ||
    (await inside(container, ["cat", `/sys/fs/cgroup/${fileOfVersion1}`]));
  const number = (text: string): number | undefined => {
    const value = Number(text);
    // Version 1 says "no limit" with a number that no machine has, or with -1
    return Number.isNaN(value) || value < 0 || value > 2 ** 60 ? undefined : value;
  };
  const [quota = "", period = ""] = (await read("cpu.max", "cpu/cpu.cfs_quota_us")).split(" ");
  const length =
    period || (await inside(container, ["cat", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"]));
  const share = number(quota);
  return {
    memoryBytes: number(await read("memory.max", "memory/memory.limit_in_bytes")),
    processes: number(await read("pids.max", "pids/pids.max")),
    cpus: share === undefined ? undefined : share / Number(length),
  };
}

/** @returns The limits that a stack's docker-compose.yml sets, by service. */
export async function declaredLimits(stack: Stack): Promise<Record<string, Limits>> {
  interface Config {
    services: Record<string, { mem_limit?: string; pids_limit?: number; cpus?: number }>;
  }
  const { services } = JSON.parse(await compose(stack, ["config", "--format=json"])) as Config;
  return Object.fromEntries(
    Object.entries(services).map(([name, { mem_limit, pids_limit, cpus }]) => [
      name,
      {
        memoryBytes: mem_limit === undefined ? undefined : Number(mem_limit),
        processes: pids_limit,
        cpus,
      },
    ]),
  );
}

/** @returns How many processes a container could start at once of as many as are asked for. */
export async function startProcesses(container: string, wanted: number): Promise<number> {
  // They stay until the last one has been tried, however long that takes, and end with the script
  const script = `i=0 started=; trap 'kill $started' EXIT
    while [ $i -lt ${wanted} ]; do
      sleep 600 & started="$started $!" i=$((i + 1)); echo $i
    done 2>/dev/null`;
  return Number((await inside(container, ["sh", "-c", script])).split("\n").at(-1));
}

/** Somewhere that a container might get to. */
export interface Target {
  host: string;
  port: number;
}

/**
 * Tries to connect from a container, with another one in its network that has the means for it.
 * @param image Has Node.js.
 * @returns What came of each attempt, such as `connected`, `ETIMEDOUT` or `ENOTFOUND`.
 */
export async function connectFrom(
  container: string,
  image: string,
  targets: readonly Target[],
): Promise<string[]> {
  const script = `
    const { connect } = require("node:net");
    const targets = JSON.parse(process.argv[1]);
    const tries = targets.map(({ host, port }) => new Promise((resolve) => {
      const socket = connect({ host, port, family: 4 });
      const settle = (outcome) => { clearTimeout(late); socket.destroy(); resolve(outcome); };
      const late = setTimeout(() => settle("ETIMEDOUT"), 1500);
      socket.once("connect", () => settle("connected"));
      socket.once("error", ({ code }) => settle(code));
    }));
    Promise.all(tries).then((outcomes) => console.log(JSON.stringify(outcomes)));`;
  const network = `--network=container:${container}`;
  const told = await run("docker", [
    ...["run", "--rm", network, "--entrypoint=node", image, "-e", script, JSON.stringify(targets)],
  ]);
  return JSON.parse(told) as string[];
}
