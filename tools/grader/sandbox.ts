import { randomBytes } from "node:crypto";
import { type Answer, fetchAnswer } from "../lib/http";
import type { Report } from "../lib/progress";
import { attempt, run } from "../lib/run";
import { waitUntil } from "../lib/wait";
import { limits } from "./compose-file";
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

/** @returns A name that no other grading on this machine has. */
export const newPrefix = (): string => `softy-pinko-grader-${randomBytes(3).toString("hex")}`;

/**
 * Builds an image of a graded repository.
 * @param name Within the sandbox, such as `task2-front-end`.
 * @param context On this machine.
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
  report(`building ${name}`);
  const { ok, exitCode, stderr } = await attempt(
    "docker",
    ["build", "--progress=plain", "--file", `${context}/${dockerfile}`, "--tag", image, context],
    { signal, timeoutMs: buildTimeoutMs, maxOutputBytes, onLine: report.detail },
  );
  signal.throwIfAborted();
  if (ok) return { image };
  if (exitCode === undefined) {
    return failed(`the build ${stderr}`, "An image of this course is built in a minute or two.", {
      file: shown,
    });
  }
  return whyNotBuilt(stderr, shown);
}

/** What a registry or a package source says that cannot be reached. */
const unreachable =
  /failed to resolve source metadata|no such host|Temporary failure (in name resolution|resolving)|Could not resolve|network is unreachable|getaddrinfo|ENOTFOUND|EAI_AGAIN|Failed to establish a new connection|i\/o timeout/;

/**
 * Finds the cause in what a failing `docker build --progress=plain` printed.
 * @param shown The Dockerfile's path for the learner.
 */
export function whyNotBuilt(output: string, shown: string): Finding {
  const line = Number(/^Dockerfile[^:\n]*:(\d+)$/m.exec(output)?.[1]);
  const where = { file: shown, ...(line > 0 && { line }) };
  const error = /^ERROR: (?:failed to solve: )?(.*)$/m.exec(output)?.[1] ?? "docker build failed";
  if (unreachable.test(output)) {
    return { ...skipped(`something it needs cannot be downloaded here: ${error}`), ...where };
  }
  const missing = /"([^"]+)": not found|failed to compute cache key.*?"([^"]+)"/.exec(error);
  if (missing !== null) {
    const file = (missing[1] ?? missing[2] ?? "").replace(/^\//, "");
    const hint = "The path counts from the build context, in the very letters of the file's name.";
    return failed(`it copies ${file}, which is not there`, hint, where);
  }
  const command = /process "(?:\/bin\/sh -c )?(.*)" did not complete/.exec(error)?.[1];
  const said = lastWords(output);
  const cause = command === undefined ? error : `\`${command}\` fails: ${said}`;
  return failed(cause, "Build it by hand to see all it says: docker build .", where);
}

/** @returns The last thing that a step printed, without BuildKit's own prefix. */
function lastWords(output: string): string {
  const printed = Array.from(output.matchAll(/^#\d+ \d+\.\d+ (.*\S.*)$/gm), ([, text]) => text);
  return printed.at(-1)?.trim() ?? "it says nothing";
}

const bounds = [
  ...[`--memory=${limits.memory}`, `--memory-swap=${limits.memory}`],
  ...[`--pids-limit=${limits.pids}`, `--cpus=${limits.cpus}`, "--security-opt=no-new-privileges"],
  ...[
    "--log-driver=local",
    `--log-opt=max-size=${limits.logBytes}`,
    "--log-opt=max-file=1",
    "--log-opt=compress=false",
    "--log-opt=compress=false",
  ],
];

/**
 * Runs an image to its end.
 * @returns What it printed and how it ended; `stderr` tells where it was cut off.
 */
export async function runToEnd(
  { prefix, signal }: Sandbox,
  image: string,
  timeoutMs: number,
): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  const container = `${prefix}-run-${randomBytes(2).toString("hex")}`;
  const outcome = await attempt("docker", ["run", "--rm", "--name", container, ...bounds, image], {
    signal,
    timeoutMs,
    maxOutputBytes,
  });
  await attempt("docker", ["rm", "--force", container], { detached: true });
  signal.throwIfAborted();
  return outcome;
}

/**
 * Starts an image in the background, with a port of it on loopback.
 * @param port The container's.
 */
export async function start(
  { prefix, signal }: Sandbox,
  name: string,
  image: string,
  port: number,
): Promise<Running> {
  const container = `${prefix}-${name}`;
  await run(
    "docker",
    ["run", "--detach", "--name", container, ...bounds, `--publish=127.0.0.1::${port}`, image],
    { signal },
  );
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

/** @returns The end of what a container printed, for a person: a line or two. */
export async function lastLog(container: string): Promise<string> {
  const { stdout, stderr } = await attempt("docker", ["logs", "--tail=5", container], {
    maxOutputBytes,
  });
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-2).join(" / ").slice(0, 300);
}

/** An address on which a container listens. */
export interface Listener {
  port: number;
  /** Whether only the container itself can reach it. */
  isLoopback: boolean;
}

/**
 * Reads where a container listens, from a container beside it: its own image may have no tools.
 * @param helper An image with `cat`, present in the engine.
 */
export async function listenersOf(container: string, helper: string): Promise<Listener[]> {
  const files = ["/proc/net/tcp", "/proc/net/tcp6"];
  const { stdout } = await attempt("docker", [
    ...["run", "--rm", `--network=container:${container}`, "--entrypoint=cat", ...bounds],
    ...[helper, ...files],
  ]);
  return parseListeners(stdout);
}

/** Reads /proc/net/tcp and tcp6: https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt */
export function parseListeners(table: string): Listener[] {
  const listening = "0A";
  const found = Array.from(
    table.matchAll(/^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /gm),
    ([, address = "", port = "", state]) => ({
      port: Number.parseInt(port, 16),
      isLoopback: /^0100007F$|^0{24}01000000$/.test(address),
      isListening: state === listening,
    }),
  );
  // Docker's own DNS listens on 127.0.0.11 in a network of the user's
  const own = found.filter(({ isListening }) => isListening);
  return own.map(({ port, isLoopback }) => ({ port, isLoopback }));
}

/** Removes all that a sandbox has made. Comes to its end even after Ctrl-C. */
export async function tidyUp({ prefix }: Pick<Sandbox, "prefix">): Promise<void> {
  const remove = async (list: string[], rm: string[]): Promise<void> => {
    const { stdout } = await attempt("docker", list, { detached: true });
    const ids = [...new Set(stdout.split("\n").filter(Boolean))];
    if (ids.length > 0) await attempt("docker", [...rm, ...ids], { detached: true });
  };
  const filter = `--filter=name=^${prefix}`;
  await remove(["ps", "--all", "--quiet", filter], ["rm", "--force", "--volumes"]);
  await remove(["network", "ls", "--quiet", filter], ["network", "rm"]);
  await remove(["volume", "ls", "--quiet", filter], ["volume", "rm", "--force"]);
  const images = `--filter=reference=${prefix}*`;
  await remove(["image", "ls", "--quiet", images], ["image", "rm", "--force"]);
}
