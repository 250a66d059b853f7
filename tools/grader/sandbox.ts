import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Answer, fetchAnswer } from "../lib/http";
import { printable } from "../lib/printable";
import type { Report } from "../lib/progress";
import { attempt } from "../lib/run";
import { waitUntil } from "../lib/wait";
import { buildLimits, cacheArgs, limits } from "./compose-file";
import { gate } from "./dockerfile-gate";
import { foreignSyntax, neutralize } from "./dockerfile-syntax";
import { type Finding, failed, skipped } from "./point";

/** Where graded images are built and run: under names of the grader's own, within bounds. */
export interface Sandbox {
  /** Begins the name of everything in it. */
  prefix: string;
  signal: AbortSignal;
  report: Report;
  /** For one build. */
  buildTimeoutMs: number;
}

/** A container whose port is found on loopback. */
export interface Running {
  container: string;
  url: string;
}

const maxOutputBytes = 4_000_000;

/** Of a build. BuildKit passes on at most 2 MiB of one step, at about 80 KB a second. */
const maxBuildBytes = 1_500_000;

/** @returns A name that no other grading on this machine has. */
export const newPrefix = (): string => `softy-pinko-grader-${randomBytes(3).toString("hex")}`;

/**
 * Builds an image of a graded repository.
 *
 * Bounded here: its time, its output, what its Dockerfile may ask of BuildKit itself, and for each
 * process the memory and the size of a file that it writes. The machine around it bounds processes,
 * memory and disk as a whole. Not bounded: what it asks of the network.
 * @param name Within the sandbox, such as `task2-front-end`.
 * @param context A folder in the grader's copy: the Dockerfile in it is made safe.
 * @param dockerfile From the context.
 * @param shown The Dockerfile's path for the learner.
 * @returns The image's name, or why there is none.
 */
export async function build(
  { prefix, signal, report, buildTimeoutMs }: Sandbox,
  name: string,
  context: string,
  dockerfile: string,
  shown: string,
): Promise<{ image: string } | Finding> {
  const image = `${prefix}-${name}`;
  const file = path.join(context, dockerfile);
  const text = await readFile(file, "utf8");
  const reader = foreignSyntax(text);
  if (reader !== undefined) {
    const cause = `it asks for ${reader} to build it, a program that is not Docker's own`;
    return failed(cause, "Take out its line with syntax=.", { file: shown });
  }
  const refusal = gate(text);
  if (refusal !== undefined) return { verdict: "fail", ...refusal, file: shown };
  await writeFile(file, neutralize(text));
  report(`building ${name}`);
  const bounds = Object.entries(buildLimits).map(([kind, most]) => `--ulimit=${kind}=${most}`);
  const args = Object.entries(cacheArgs(prefix)).map(
    ([key, value]) => `--build-arg=${key}=${value}`,
  );
  const { ok, exitCode, stderr } = await attempt(
    "docker",
    ["build", "--progress=plain", ...bounds, ...args, "--file", file, "--tag", image, context],
    { signal, timeoutMs: buildTimeoutMs, maxOutputBytes: maxBuildBytes, onLine: report.detail },
  );
  signal.throwIfAborted();
  if (ok) return { image };
  return exitCode === undefined ? whyCutOff(stderr, shown) : whyNotBuilt(stderr, shown);
}

/**
 * @param how What `attempt` says of a program that it ended: `timed out after 5 s`.
 * @param shown The Dockerfile's path for the learner.
 */
export const whyCutOff = (how: string, shown: string): Finding =>
  failed(`the build ${how}`, "An image of this course is built in a minute or two.", {
    file: shown,
  });

/** What a registry or a package source says that cannot be reached. */
const unreachable =
  /no such host|connection refused|TLS handshake timeout|Temporary failure (in name resolution|resolving)|Could not resolve|network is unreachable|getaddrinfo|ENOTFOUND|EAI_AGAIN|Failed to establish a new connection|i\/o timeout/;

/** What Docker's client says when its engine ends in the middle of a build. */
const noEngine = /rpc error: code = Unavailable|Cannot connect to the Docker daemon/;

/** What a registry says that does not have an image, or does not give it to everybody. */
const noImage = /failed to resolve source metadata for (\S+): .*(not found|pull access denied)/;

/**
 * Finds the cause in what a failing `docker build --progress=plain` printed.
 * @param shown The Dockerfile's path for the learner.
 */
export function whyNotBuilt(text: string, shown: string): Finding {
  const output = printable(text);
  const line = Number(/^Dockerfile[^:\n]*:(\d+)$/m.exec(output)?.[1]);
  const where = { file: shown, ...(line > 0 && { line }) };
  // Patterns over it may take quadratic time
  const error =
    /^ERROR: (?:failed to solve: )?(.*)$/m.exec(output)?.[1]?.slice(0, 20_000) ??
    "docker build failed";
  if (unreachable.test(output)) {
    return { ...skipped(`something it needs cannot be downloaded here: ${error}`), ...where };
  }
  if (noEngine.test(error)) return { ...skipped(`the engine has ended: ${error}`), ...where };
  const image = noImage.exec(error)?.[1];
  if (image !== undefined) {
    const name = image.replace(/^docker\.io\/(library\/)?/, "");
    return failed(`there is no image ${name}`, "Its name and tag stand behind FROM.", where);
  }
  const missing = /"([^"]+)": not found|failed to compute cache key.*?"([^"]+)"/.exec(error);
  if (missing !== null) {
    const file = (missing[1] ?? missing[2] ?? "").replace(/^\//, "");
    const hint = "The path counts from the build context, in the very letters of the file's name.";
    return failed(`it copies ${file}, which is not there`, hint, where);
  }
  const command = /process "(?:\/bin\/sh -c )?(.*)" did not complete/.exec(error)?.[1];
  const said = lastWords(output);
  const cause = command === undefined ? error : `\`${command.slice(0, 200)}\` fails: ${said}`;
  return failed(cause.slice(0, 600), "Build it by hand to see all it says: docker build .", where);
}

/** @returns The last thing that a step printed, without BuildKit's own prefix. */
function lastWords(output: string): string {
  const printed = Array.from(output.matchAll(/^#\d+ \d+\.\d+ (.*\S.*)$/gm), ([, text]) => text);
  return printed.at(-1)?.trim() ?? "it says nothing";
}

/**
 * For every container that runs what was graded. What it writes into its own layer is not bounded,
 * except by how long it runs: few of Docker's storage drivers have a quota. Nor is what it asks of
 * the network.
 */
export const bounds = [
  ...[`--memory=${limits.memory}`, `--memory-swap=${limits.memory}`],
  ...[`--pids-limit=${limits.pids}`, `--cpus=${limits.cpus}`, "--security-opt=no-new-privileges"],
  ...["--no-healthcheck", "--log-driver=local", `--log-opt=max-size=${limits.logBytes}`],
  ...["--log-opt=max-file=1", "--log-opt=compress=false"],
];

/**
 * Runs an image to its end. In the background, because an attached client waits for its container
 * even after it was told to end.
 * @returns What it printed and how it ended; `stderr` tells where it was cut off.
 */
export async function runToEnd(
  { prefix, signal }: Sandbox,
  image: string,
  timeoutMs: number,
): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  const container = `${prefix}-run-${randomBytes(2).toString("hex")}`;
  try {
    const started = await attempt(
      "docker",
      ["run", "--detach", "--name", container, "--network=none", ...bounds, image],
      { signal, timeoutMs: 60_000 },
    );
    signal.throwIfAborted();
    if (!started.ok) return { ok: false, stdout: "", stderr: await lastLog(container) };
    // A greeting is expected; and the engine keeps only so much of what is printed faster than read
    const most = 500_000;
    const printed = await attempt("docker", ["logs", "--follow", container], {
      ...{ signal, timeoutMs, maxOutputBytes: most },
    });
    signal.throwIfAborted();
    if (printed.stdout.length + printed.stderr.length >= most) {
      return { ...printed, ok: false, stderr: `printed more than ${most / 1e6} MB` };
    }
    if (!printed.ok) return printed;
    const ended = await attempt("docker", ["wait", container], { signal, timeoutMs: 10_000 });
    return { ...printed, ok: ended.stdout === "0" };
  } finally {
    await attempt("docker", ["rm", "--force", container], { detached: true });
  }
}

/**
 * Starts an image in the background, with a port of it on loopback. Where it cannot be started
 * there is no answer at its address, and {@link lastLog} tells why.
 * @param port The container's.
 */
export async function start(
  { prefix, signal }: Sandbox,
  name: string,
  image: string,
  port: number,
): Promise<Running> {
  const container = `${prefix}-${name}`;
  await attempt(
    "docker",
    ["run", "--detach", "--name", container, ...bounds, `--publish=127.0.0.1::${port}`, image],
    { signal, timeoutMs: 60_000 },
  );
  signal.throwIfAborted();
  // A container that has ended by now publishes nothing
  const published = await attempt("docker", ["port", container, `${port}/tcp`], { signal });
  return { container, url: `http://${published.stdout.split("\n")[0] || "127.0.0.1:1"}` };
}

/**
 * Asks until there is an answer, or until the container has ended.
 * @returns The last answer, which has a status where there was one.
 */
export async function askUntilAnswered(
  { signal }: Sandbox,
  { container, url }: Running,
  path: string,
  timeoutMs = 20_000,
): Promise<Answer> {
  let answer = await fetchAnswer(url + path);
  await waitUntil(
    async () => {
      answer = await fetchAnswer(url + path);
      return answer.status !== undefined || !(await isRunning(container));
    },
    { for: "an answer", timeoutMs, signal },
  ).catch(() => signal.throwIfAborted());
  return answer;
}

async function isRunning(container: string): Promise<boolean> {
  const state = await attempt("docker", ["inspect", "--format={{.State.Running}}", container]);
  return state.stdout === "true";
}

/**
 * @returns The end of what a container printed, for a person: a line or two; otherwise what the
 *   engine says of why it did not start.
 */
export async function lastLog(container: string): Promise<string> {
  const printed = await attempt("docker", ["logs", "--tail=5", container], {
    maxOutputBytes,
    timeoutMs: 10_000,
  });
  const error = await attempt("docker", ["inspect", "--format={{.State.Error}}", container]);
  const said = printable(`${printed.stdout}\n${printed.stderr}\n${error.stdout}`);
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-2).join(" / ").slice(0, 300);
}

/** An address on which a container listens. */
export interface Listener {
  port: number;
  /** Whether only the container itself can reach it. */
  isLoopback: boolean;
}

/** @returns Whether a listener is at this port, for other containers too. */
export const isReachableAt =
  (port: number) =>
  (listener: Listener): boolean =>
    listener.port === port && !listener.isLoopback;

/**
 * Reads where a container listens, from a container beside it: its own image may have no tools.
 * @param helper An image with `cat`, present in the engine.
 */
export async function listenersOf(container: string, helper: string): Promise<Listener[]> {
  const files = ["/proc/net/tcp", "/proc/net/tcp6"];
  const beside = `${container}-look`;
  const { stdout } = await attempt(
    "docker",
    [
      ...["run", "--rm", "--name", beside, `--network=container:${container}`, ...bounds],
      ...["--entrypoint=cat", helper, ...files],
    ],
    { timeoutMs: 20_000, maxOutputBytes: 1_000_000 },
  );
  await attempt("docker", ["rm", "--force", beside], { detached: true });
  return parseListeners(stdout);
}

/** Reads /proc/net/tcp and tcp6: https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt */
export function parseListeners(table: string): Listener[] {
  const listening = "0A";
  const found = Array.from(
    table.matchAll(/^[ \t]*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /gm),
    ([, address = "", port = "", state]) => ({
      port: Number.parseInt(port, 16),
      // 127.0.0.0/8 and ::1, byte by byte from the last in words of four
      isLoopback: /^.{6}7F$|^0{24}01000000$|^0{16}FFFF0000.{6}7F$/.test(address),
      isListening: state === listening,
      isDns: address === "0B00007F",
    }),
  );
  // Docker's own DNS listens on 127.0.0.11 in a network of the user's
  const own = found.filter(({ isListening, isDns }) => isListening && !isDns);
  return own.map(({ port, isLoopback }) => ({ port, isLoopback }));
}

/**
 * Removes all that a sandbox has made. Comes to its end even after Ctrl-C. Images go by name: by
 * their ids the user's own names for the same image would go with them.
 */
export async function tidyUp({ prefix }: Pick<Sandbox, "prefix">): Promise<void> {
  const filter = `--filter=name=^${prefix}`;
  const kinds = [
    { list: ["ps", "--all", "--quiet", filter], remove: ["rm", "--force", "--volumes"] },
    { list: ["network", "ls", "--quiet", filter], remove: ["network", "rm"] },
    { list: ["volume", "ls", "--quiet", filter], remove: ["volume", "rm", "--force"] },
    {
      list: ["image", "ls", "--format={{.Repository}}:{{.Tag}}", `--filter=reference=${prefix}*`],
      remove: ["image", "rm", "--force"],
    },
  ];
  const namesOf = async (list: readonly string[]): Promise<string[]> => {
    const { stdout } = await attempt("docker", list, { detached: true });
    return [...new Set(stdout.split("\n").filter(Boolean))];
  };
  // A client that was cut off may have left the engine at work for a moment
  for (let round = 0; round < 10; round += 1) {
    const names = await Promise.all(kinds.map(({ list }) => namesOf(list)));
    if (names.every(({ length }) => length === 0)) break;
    for (const [index, { remove }] of kinds.entries()) {
      const found = names[index] ?? [];
      if (found.length > 0) await attempt("docker", [...remove, ...found], { detached: true });
    }
  }
}
