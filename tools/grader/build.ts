import path from "node:path";
import { argv } from "../lib/argv";
import { printable } from "../lib/printable";
import { attempt } from "../lib/run";
import { removeDirectives } from "./directives";
import { buildLimits, cacheArgs } from "./isolate";
import { type Finding, failed, skipped } from "./point";
import type { Sandbox } from "./sandbox";

/** BuildKit passes on at most 2 MiB of the output of one step, at about 80 KB a second. */
const maxOutputBytes = 1_500_000;

/**
 * Builds an image of a graded repository. This limits the build's time, its output, and the memory
 * and file size of each process. The machine limits processes, memory and disk as a whole. The build's
 * network is not limited.
 * @param name Within the sandbox, such as `task2-front-end`.
 * @param context A folder in the grader's copy, whose Dockerfile is changed.
 * @param dockerfile From the context.
 * @param shownFile The Dockerfile's path for the learner.
 * @returns The image's name, or why there is none.
 */
export async function build(
  { prefix, signal, report, buildTimeoutMs }: Sandbox,
  name: string,
  context: string,
  dockerfile: string,
  shownFile: string,
): Promise<{ image: string } | Finding> {
  const file = path.join(context, dockerfile);
  await removeDirectives(file);
  report(`building ${name}`);
  const image = `${prefix}-${name}`;
  const ulimits = Object.entries(buildLimits).map(([kind, max]) => `--ulimit=${kind}=${max}`);
  const args = Object.entries(cacheArgs(prefix)).map(
    ([key, value]) => `--build-arg=${key}=${value}`,
  );
  const { ok, exitCode, stderr } = await attempt(
    "docker",
    argv`build --progress=plain ${ulimits} ${args} --file=${file} --tag=${image} ${context}`,
    { signal, timeoutMs: buildTimeoutMs, maxOutputBytes, onLine: report.detail },
  );
  signal.throwIfAborted();
  if (ok) return { image };
  return exitCode === undefined
    ? explainStoppedBuild(stderr, shownFile)
    : explainFailedBuild(stderr, shownFile);
}

/** @param reason Why `attempt` stopped the build: `timed out after 5 s`. */
export const explainStoppedBuild = (reason: string, file: string): Finding =>
  failed(`the build ${reason}`, "An image of this course builds in a minute or two.", { file });

/** Errors of package managers and of BuildKit if a registry or a package source is unreachable. */
const unreachable = new RegExp(
  [
    "no such host|connection refused|TLS handshake timeout|network is unreachable|i/o timeout",
    "Temporary failure (in name resolution|resolving)|Could not resolve|getaddrinfo|ENOTFOUND",
    "EAI_AGAIN|Failed to establish a new connection",
  ].join("|"),
);

/** Errors of Docker's client if its engine stops during a build. */
const noEngine = /rpc error: code = Unavailable|Cannot connect to the Docker daemon/;

/** The error of a registry that does not have an image, or requires authorization for it. */
const noImage = /failed to resolve source metadata for (\S+): .*(not found|pull access denied)/;

/**
 * Explains why `docker build --progress=plain` failed.
 * @param file The Dockerfile's path for the learner.
 */
export function explainFailedBuild(output: string, file: string): Finding {
  const text = printable(output);
  const line = Number(/^Dockerfile[^:\n]*:(\d+)$/m.exec(text)?.[1]);
  const place = { file, ...(line > 0 && { line }) };
  const [, message = "docker build failed"] =
    /^ERROR: (?:failed to solve: )?(.*)$/m.exec(text) ?? [];
  // The patterns below can take quadratic time
  const error = message.slice(0, 20_000);
  if (unreachable.test(text)) {
    return { ...skipped(`something it needs cannot be downloaded here: ${error}`), ...place };
  }
  if (noEngine.test(error)) return { ...skipped(`the engine has stopped: ${error}`), ...place };
  const image = noImage.exec(error)?.[1];
  if (image !== undefined) {
    const name = image.replace(/^docker\.io\/(library\/)?/, "");
    return failed(`there is no image ${name}`, "Check its name and tag after FROM.", place);
  }
  const missing = /"([^"]+)": not found|failed to compute cache key.*?"([^"]+)"/.exec(error);
  if (missing !== null) {
    const [, missingFile = missing[2]] = missing;
    const cause = `it copies ${missingFile?.replace(/^\//, "")}, which is not there`;
    return failed(cause, "Write the path from the build context; case counts.", place);
  }
  const command = /process "(?:\/bin\/sh -c )?(.*)" did not complete/.exec(error)?.[1];
  const cause =
    command === undefined ? error : `\`${command.slice(0, 200)}\` fails: ${lastOutput(text)}`;
  return failed(cause.slice(0, 600), "Run docker build and read its output.", place);
}

/** @returns The last line that a step printed, without BuildKit's prefix. */
function lastOutput(text: string): string {
  const lines = Array.from(text.matchAll(/^#\d+ \d+\.\d+ (.*\S.*)$/gm), ([, line]) => line);
  return lines.at(-1)?.trim() ?? "it prints nothing";
}
