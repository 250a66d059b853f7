import { argv } from "../../tools/lib/argv";
import { readConfig, type Stack } from "../../tools/lib/compose";
import { attempt, run } from "../../tools/lib/run";

/** A container by name or ID; with the node that it runs on if that is itself a container. */
export type Place = string | readonly [node: string, container: string];

/** Runs a command in a container, and ignores how it ends. */
async function runInside(
  place: Place,
  command: readonly string[],
  options: readonly string[] = [],
): Promise<string> {
  const [container = "", node] = [place].flat().reverse();
  const onNode = node === undefined ? [] : argv`exec ${node} docker`;
  return (await attempt("docker", argv`${onNode} exec ${options} ${container} ${command}`)).stdout;
}

/**
 * Finds what the processes of a container may do beyond what any user may.
 * @returns One line for each right of each process.
 */
export async function rightsIn(container: Place): Promise<string[]> {
  const script = 'for process in /proc/[0-9]*; do cat "$process/status" && echo; done';
  const listed = await runInside(container, argv`sh -c ${script}`);
  const processes = listed.split("\n\n").filter((status) => status.startsWith("Name:"));
  if (processes.length === 0) throw new Error(`${String(container)} shows no process`);
  return processes.flatMap((status) => {
    const field = (name: string): string =>
      new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "missing";
    const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    return [
      ...(field("Uid").split("\t").includes("0") ? ["is root"] : []),
      ...sets
        .filter((name) => !/^0+$/.test(field(name)))
        .map((name) => `has capabilities (${name} ${field(name)})`),
      ...(field("NoNewPrivs") === "1" ? [] : ["may gain privileges"]),
      ...(field("Seccomp") === "2" ? [] : ["may make any system call"]),
    ].map((right) => `${field("Name")} ${right}`);
  });
}

/**
 * Tries to write a file into every folder of a container.
 * @param user Not even root can write to a read-only file system.
 * @returns The folders in which that succeeds.
 */
export async function writableFolders(container: Place, user?: string): Promise<string[]> {
  const script = `find / \\( -path /proc -o -path /sys \\) -prune -o -type d -print 2>/dev/null |
    while IFS= read -r folder; do
      # Not ":", whose failure would end the shell
      if true 2>/dev/null > "$folder/.probe"; then echo "$folder"; rm -f "$folder/.probe"; fi
    done 2>/dev/null`;
  const options = user === undefined ? [] : argv`--user ${user}`;
  const folders = await runInside(container, argv`sh -c ${script}`, options);
  return folders.split("\n").filter((folder) => folder !== "");
}

/** @returns The sockets of container engines in a container, and mounts of such a name. */
export async function engineSocketsIn(container: Place): Promise<string[]> {
  const names = argv`-name docker.sock -o -name containerd.sock -o -name podman.sock`;
  const find = argv`find / ( ${names} -o -name crio.sock ) -not -path /proc/*`;
  const files = await runInside(container, find);
  const mounts = await runInside(container, argv`cat /proc/mounts`);
  return [...files.split("\n").filter(Boolean), ...(mounts.match(/\S*\.sock\b/g) ?? [])];
}

/** @returns Whether a container has a route beyond its own networks. */
export async function hasDefaultRoute(container: Place): Promise<boolean> {
  return /^\S+\t0{8}\t/m.test(await runInside(container, argv`cat /proc/net/route`));
}

/** @returns The network interfaces with an IPv6 address, without the loopback. */
export async function ipv6Interfaces(container: Place): Promise<string[]> {
  const listed = await runInside(container, argv`cat /proc/net/if_inet6`);
  return (listed.match(/\S+$/gm) ?? []).filter((name) => name !== "lo");
}

/** What the kernel grants a container; undefined is no limit. */
export interface Limits {
  memoryBytes: number | undefined;
  processes: number | undefined;
  cpus: number | undefined;
}

/** Reads a container's limits from control groups of either version. */
export async function limitsOf(container: Place): Promise<Limits> {
  const read = async (file: string, fileOfVersion1: string): Promise<string> =>
    (await runInside(container, argv`cat /sys/fs/cgroup/${file}`)) ||
    (await runInside(container, argv`cat /sys/fs/cgroup/${fileOfVersion1}`));
  const limit = (text: string): number | undefined => {
    const value = Number(text);
    // Without a limit, version 1 has -1 or a number that no machine has
    return Number.isNaN(value) || value < 0 || value > 2 ** 60 ? undefined : value;
  };
  const [quota = "", periodOfVersion2] = (await read("cpu.max", "cpu/cpu.cfs_quota_us")).split(" ");
  const period =
    periodOfVersion2 ??
    (await runInside(container, argv`cat /sys/fs/cgroup/cpu/cpu.cfs_period_us`));
  const cpuTime = limit(quota);
  return {
    memoryBytes: limit(await read("memory.max", "memory/memory.limit_in_bytes")),
    processes: limit(await read("pids.max", "pids/pids.max")),
    cpus: cpuTime === undefined ? undefined : cpuTime / Number(period),
  };
}

/** @returns The limits that a stack's docker-compose.yml sets, by service. */
export async function declaredLimits(stack: Stack): Promise<Record<string, Limits>> {
  const { services } = await readConfig(stack);
  const limits = Object.entries(services).map(([name, { mem_limit, pids_limit, cpus }]) => {
    const memoryBytes = mem_limit === undefined ? undefined : Number(mem_limit);
    return [name, { memoryBytes, processes: pids_limit, cpus }];
  });
  return Object.fromEntries(limits) as Record<string, Limits>;
}

/** @returns How many of the wanted processes a container could run at the same time. */
export async function startProcesses(container: string, wanted: number): Promise<number> {
  // They stay until the last one has been tried, and end with the script
  const script = `i=0 started=; trap 'kill $started' EXIT
    while [ $i -lt ${wanted} ]; do
      sleep 600 & started="$started $!" i=$((i + 1)); echo $i
    done 2>/dev/null`;
  return Number((await runInside(container, argv`sh -c ${script}`)).split("\n").at(-1));
}

/** An address that a container might reach. */
export interface Target {
  host: string;
  port: number;
}

/**
 * Tries to connect from a container's network, in another container with Node.js.
 * @returns The result of each attempt, such as `connected`, `ETIMEDOUT` or `ENOTFOUND`.
 */
export async function connectFrom(
  container: string,
  nodeImage: string,
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
  const options = argv`--rm --network=container:${container} --entrypoint=node`;
  const command = argv`run ${options} ${nodeImage} -e ${script} ${JSON.stringify(targets)}`;
  return JSON.parse(await run("docker", command)) as string[];
}
