import { rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { argv } from "../lib/argv";
import type { Build } from "../lib/compose-model";
import { fullName } from "../lib/docker";
import { printable } from "../lib/printable";
import { removeDirectives } from "./directives";
import { dockerfileOf } from "./external-files";
import { buildArgs, buildLimits } from "./isolate";
import { type Finding, failed, type Place } from "./point";
import type { Sandbox } from "./sandbox";
import { docker, engineFailed, wasStopped } from "./trouble";

/** BuildKit passes on at most 2 MiB of the output of one step, at about 80 KB a second. */
const maxOutputBytes = 1_500_000;

/**
 * Builds an image of a graded repository. This limits the build's time, its output, and the memory
 * and file size of each process. The machine limits processes, memory and disk as a whole. The build's
 * network is not limited.
 * @param name Within the sandbox, such as `task2-front-end`.
 * @param settings With a context in the grader's copy, whose Dockerfile is changed.
 * @param shownFile The Dockerfile's path for the learner.
 * @returns The image's name, or why there is none.
 */
export async function build(
  { prefix, signal, report, buildTimeoutMs, ownImages }: Sandbox,
  name: string,
  settings: Build & { context: string },
  shownFile: string,
): Promise<{ image: string } | Finding> {
  const { target } = settings;
  const file = dockerfileOf(settings);
  await removeDirectives(file);
  report(`building ${name}`);
  const image = `${prefix}-${name}`;
  const ulimits = Object.entries(buildLimits).map(([kind, max]) => `--ulimit=${kind}=${max}`);
  const args = Object.entries(buildArgs(settings.args, prefix)).map(
    ([key, value]) => `--build-arg=${key}=${value}`,
  );
  const stage = target === undefined ? [] : [`--target=${target}`];
  // A unique folder name: BuildKit reuses a file of the same size and time from an earlier context whose
  // folder had the same name, and the copies of all tasks are made within a second.
  // https://github.com/moby/buildkit/issues/4950
  const context = path.join(tmpdir(), image);
  await symlink(settings.context, context);
  const outcome = await docker(
    argv`build --progress=plain ${ulimits} ${args} ${stage} --file=${file} --tag=${image} ${context}`,
    { signal, timeoutMs: buildTimeoutMs, maxOutputBytes, onLine: report.detail },
  ).finally(() => rm(context));
  if (outcome.ok && !/remain in the build cache/.test(outcome.stderr)) return { image };
  if (!wasStopped(outcome)) return explainFailedBuild(outcome.stderr, shownFile, ownImages);
  const hint = "An image of this course builds in a minute or two.";
  return failed(`the build ${outcome.stderr}`, hint, { file: shownFile });
}

/** Errors of BuildKit and of package managers: a registry is unreachable, or the disk is full. */
const ofMachine = new RegExp(
  [
    "no such host|connection refused|TLS handshake timeout|network is unreachable|i/o timeout",
    "Temporary failure (in name resolution|resolving)|Could not resolve|getaddrinfo|ENOTFOUND",
    "EAI_AGAIN|Failed to (establish a new connection|connect to)|unable to resolve host",
    "certificate (signed by unknown|verify failed)|unexpected EOF|429 Too Many",
    "\\b50[234] +(Bad Gateway|Service Unavailable|Server Error|Gateway Time-?out)",
    "no space left on device",
  ].join("|"),
  "i",
);

/** Hosts that no build can reach on any machine: itself, and names without a dot, as services have. */
const local =
  /\b(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0)\b|::1|\/\/[\w-]+[:/]|(host:?|address|resolve|resolving|ENOTFOUND|EAI_AGAIN) ['"‘]?[\w-]+['"’]?(?![\w.-])/i;

/** What a registry says of an image that it does not have, or does not give. */
const isAbsent = /: \S+: not found( \(|$)/;
const isDenied = /pull access denied|insufficient_scope/;

/** Everybody may pull these: without them, something else is wrong. */
const official = /^(docker\.io\/)?(library\/)?(ubuntu|nginx|node|python|debian|alpine|redis)[:@]/;

/**
 * Explains why `docker build --progress=plain` failed. Only the step that failed counts.
 * @param file The Dockerfile's path for the learner.
 * @param ownImages Full names of images that only the repository itself builds.
 */
export function explainFailedBuild(
  output: string,
  file: string,
  ownImages: ReadonlySet<string> = new Set(),
): Finding {
  const text = printable(output);
  const line = Number(/^[^:\n]*:(\d+)\n-{20}$/m.exec(text)?.[1]);
  const place = { file, ...(line > 0 && { line }) };
  const [, message] = /^ERROR: (?:failed to (?:build: failed to )?solve: )?(.*)$/m.exec(text) ?? [];
  // The patterns below can take quadratic time
  const error = (message ?? "").slice(0, 20_000);
  const printed = linesOfFailedStep(text);
  const image = /failed to resolve source metadata for (\S+):/.exec(error)?.[1];
  const isOwn = image !== undefined && ownImages.has(fullName(image)) && !official.test(image);
  const troubles = [error, ...printed].filter((it) => ofMachine.test(it));
  const isLearners = isOwn || troubles.length === 0 || troubles.some((it) => local.test(it));
  if (message === undefined || !isLearners) {
    return { ...engineFailed(troubles[0] ?? (error || text)), ...place };
  }
  if (image !== undefined) return explainNoImage(image, error, place, isOwn);
  const missing = /"([^"]+)": not found|failed to compute cache key.*?"([^"]+)"/.exec(error);
  if (missing !== null) {
    const [, missingFile = missing[2]] = missing;
    const cause = `it copies ${missingFile?.replace(/^\//, "")}, which is not there`;
    return failed(cause, "Write the path from the build context; case counts.", place);
  }
  const hint = "Run docker build and read its output.";
  const command = /process "(?:\/bin\/sh -c )?(.*)" did not complete/.exec(error)?.[1];
  if (command !== undefined) {
    const last = printed.findLast((it) => it.trim() !== "")?.trim() ?? "it prints nothing";
    return failed(`\`${command.slice(0, 200)}\` fails: ${last}`.slice(0, 600), hint, place);
  }
  // BuildKit shows the instruction that it blames
  const isOfFile = line > 0 || /dockerfile parse error|stage/.test(error);
  return isOfFile ? failed(error.slice(0, 600), hint, place) : { ...engineFailed(error), ...place };
}

function explainNoImage(image: string, error: string, place: Place, isOwn: boolean): Finding {
  const name = image.replace(/^docker\.io\/(library\/)?/, "");
  if (isOwn) {
    const cause = `it is based on ${name}, which only this repository builds: no other machine has it`;
    return failed(cause, "Write FROM with an image of a registry.", place);
  }
  const isOfFile = isAbsent.test(error) || (isDenied.test(error) && !official.test(image));
  if (!isOfFile) return { ...engineFailed(error), ...place };
  return failed(`there is no image ${name}`, "Check its name and tag after FROM.", place);
}

/** @returns What the step that failed has printed, without BuildKit's prefix. */
function linesOfFailedStep(text: string): string[] {
  const step = /^#(\d+) ERROR: /m.exec(text)?.[1];
  const prefix = new RegExp(`^#${step} \\d+\\.\\d+ (.*)$`, "gm");
  return step === undefined ? [] : Array.from(text.matchAll(prefix), ([, printed = ""]) => printed);
}
