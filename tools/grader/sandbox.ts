import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { argv } from "../lib/argv";
import { printable } from "../lib/printable";
import type { Report } from "../lib/progress";
import { attempt } from "../lib/run";
import { limits } from "./isolate";
import { raise } from "./point";
import { ask, docker, engineFailed, requireEngine, wasStopped } from "./trouble";

/** Where graded images are built and run: under the grader's names, with limits. */
export interface Sandbox {
  /** Begins the name of everything in it. */
  prefix: string;
  signal: AbortSignal;
  report: Report;
  /** For one build. */
  buildTimeoutMs: number;
  /** Full names of images that only the repository itself builds. */
  ownImages?: ReadonlySet<string>;
}

/** A container with a port that is published on loopback. */
export interface Running {
  container: string;
  url: string;
}

/** @returns A name that no other grading on this machine has. */
export const newPrefix = (): string => `softy-pinko-grader-${randomBytes(3).toString("hex")}`;

/**
 * The limits of every graded container. Only its run time limits what it writes into its own layer,
 * because few of Docker's storage drivers have quotas, and its use of the network.
 */
export const bounds = argv`--memory=${limits.memory} --memory-swap=${limits.memory}
  --pids-limit=${limits.pids} --cpus=${limits.cpus} --security-opt=no-new-privileges
  --no-healthcheck --log-driver=local --log-opt=max-size=${limits.logBytes}
  --log-opt=max-file=1 --log-opt=compress=false`;

const remove = (container: string): Promise<unknown> =>
  attempt("docker", argv`rm --force ${container}`, { detached: true });

/**
 * Starts a container with the limits.
 * @param args Its other options, and the image.
 * @returns Whether its program could be started.
 */
async function runDetached(
  container: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const run = argv`run --detach --name=${container} ${bounds} ${args}`;
  const started = await docker(run, { signal, timeoutMs: 60_000 });
  requireEngine(started);
  return started.ok;
}

/**
 * Runs an image until it exits. It runs in the background: an attached client would wait for its
 * container even after a signal.
 * @returns Its output and whether it succeeded; `stderr` says why it was stopped.
 */
export async function runToEnd(
  { prefix, signal }: Sandbox,
  image: string,
  timeoutMs: number,
): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  const container = `${prefix}-run-${randomBytes(2).toString("hex")}`;
  // A greeting is expected, and the engine drops old output if it is printed faster than it is read
  const maxOutputBytes = 500_000;
  try {
    const isStarted = await runDetached(container, argv`--network=none ${image}`, signal);
    if (!isStarted) return { ok: false, stdout: "", stderr: await errorIn(container) };
    const follow = argv`logs --follow ${container}`;
    const printed = await docker(follow, { signal, timeoutMs, maxOutputBytes });
    if (printed.stdout.length + printed.stderr.length >= maxOutputBytes) {
      return { ...printed, ok: false, stderr: `printed more than ${maxOutputBytes / 1e6} MB` };
    }
    if (wasStopped(printed)) return printed;
    if (!printed.ok) raise(engineFailed(printed.stderr));
    return { ...printed, ok: (await ask(["wait", container], { signal })) === "0" };
  } finally {
    await remove(container);
  }
}

/**
 * Starts an image in the background and publishes one of its ports on loopback. If it does not
 * start, nothing listens at the URL, and {@link errorIn} says why.
 * @param port The container's.
 */
export async function start(
  { prefix, signal }: Sandbox,
  name: string,
  image: string,
  port: number,
): Promise<Running> {
  const container = `${prefix}-${name}`;
  await runDetached(container, argv`--publish=127.0.0.1::${port} ${image}`, signal);
  return { container, url: (await publishedAt(container, port)) ?? "http://127.0.0.1:1" };
}

/** @returns The URL of a container's port; undefined if it is not published, or it has exited. */
export async function publishedAt(container: string, port: number): Promise<string | undefined> {
  const { ok, stdout, stderr } = await attempt("docker", argv`port ${container} ${port}/tcp`);
  if (!ok && !/No public port|No such container/.test(stderr)) raise(engineFailed(stderr));
  return ok ? `http://${stdout.split("\n")[0]}` : undefined;
}

/** @returns Why a container ended: the first error in its log, its last lines, or the engine's error. */
export async function errorIn(container: string): Promise<string> {
  const options = { timeoutMs: 10_000, maxOutputBytes: 4_000_000 };
  const printed = await attempt("docker", argv`logs --tail=60 ${container}`, options);
  const state = await attempt("docker", argv`inspect --format={{.State.Error}} ${container}`);
  const text = printable(`${printed.stdout}\n${printed.stderr}\n${state.stdout}`);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const error = lines.find((line) => /^(\w+\.)*\w*Error\b|\[emerg\]/.test(line));
  return (error ?? lines.slice(-2).join(" / ")).trim().slice(0, 300) || "it printed nothing";
}

/** An address on which a container listens. */
export interface Listener {
  port: number;
  /** Whether only the container itself can connect to it. */
  isLoopback: boolean;
}

/**
 * Finds /proc/net as a container sees it. Its image may lack tools, so it is read through its process
 * on this machine; if the engine runs on another one, as Docker Desktop's does, in the container.
 * @returns Reads a file of it, which is empty once the container has ended; undefined if it does not run.
 */
async function findNet(
  container: string,
): Promise<((file: string) => Promise<string>) | undefined> {
  const state = await attempt("docker", argv`inspect --format={{.Id}}/{{.State.Pid}} ${container}`);
  if (!state.ok && !/No such (object|container)/.test(state.stderr)) {
    raise(engineFailed(state.stderr));
  }
  const [id = "", pid = "0"] = state.stdout.split("/");
  if (pid === "0") return undefined;
  const read = (file: string): Promise<string> =>
    readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  if ((await read("cgroup")).includes(id)) return (file) => read(`net/${file}`);
  return async (file) =>
    (await attempt("docker", argv`exec ${container} cat /proc/net/${file}`)).stdout;
}

/** @returns Where a container listens; undefined if it does not run. */
export async function listenersOf(container: string): Promise<Listener[] | undefined> {
  const read = await findNet(container);
  return read && parseListeners(`${await read("tcp")}\n${await read("tcp6")}`);
}

/** @returns Reads how many bytes a container has received from others; 0 if it does not run. */
export async function countReceived(container: string): Promise<() => Promise<number>> {
  const read = await findNet(container);
  return async () => {
    let sum = 0;
    // Such as "  eth0:    1306      15    0    0 …", after two lines of headings
    for (const [, name, bytes] of (await read?.("dev"))?.matchAll(/^ *(\S+): *(\d+)/gm) ?? []) {
      if (name !== "lo") sum += Number(bytes);
    }
    return sum;
  };
}

/** Reads /proc/net/tcp and tcp6: https://docs.kernel.org/networking/proc_net_tcp.html */
export function parseListeners(table: string): Listener[] {
  const listening = "0A";
  // Docker's DNS listens on 127.0.0.11 in every user-defined network
  const dockerDns = "0B00007F";
  const row = /^[ \t]*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /gm;
  return Array.from(table.matchAll(row)).flatMap(([, address = "", port = "", state]) => {
    if (state !== listening || address === dockerDns) return [];
    // 127.0.0.0/8 and ::1, in words of four bytes, each with its last byte first
    const isLoopback = /^.{6}7F$|^0{24}01000000$|^0{16}FFFF0000.{6}7F$/.test(address);
    return { port: Number.parseInt(port, 16), isLoopback };
  });
}

/**
 * Removes everything whose name begins with a prefix, even after Ctrl-C. It removes images by name,
 * because removal by ID would remove other names of the same image, too.
 */
export async function tidyUp(prefix: string): Promise<void> {
  const filter = `--filter=name=^${prefix}`;
  const format = "--format={{.Repository}}:{{.Tag}}";
  const kinds = [
    { list: argv`ps --all --quiet ${filter}`, remove: argv`rm --force --volumes` },
    { list: argv`network ls --quiet ${filter}`, remove: argv`network rm` },
    { list: argv`volume ls --quiet ${filter}`, remove: argv`volume rm --force` },
    {
      list: argv`image ls ${format} --filter=reference=${prefix}*`,
      remove: argv`image rm --force`,
    },
  ];
  // After an interrupted client, the engine may still finish its request
  for (let round = 0, isEmpty = false; round < 10 && !isEmpty; round += 1) {
    isEmpty = true;
    for (const kind of kinds) {
      const { stdout } = await attempt("docker", kind.list, { detached: true });
      const names = [...new Set(stdout.split("\n").filter(Boolean))];
      if (names.length === 0) continue;
      isEmpty = false;
      await attempt("docker", [...kind.remove, ...names], { detached: true });
    }
  }
}
