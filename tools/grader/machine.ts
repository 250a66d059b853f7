import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { argv } from "../lib/argv";
import { root } from "../lib/course";
import { copyImages, officialImages, requireImage } from "../lib/docker";
import { UserError } from "../lib/errors";
import { lastLine } from "../lib/lines";
import type { Report } from "../lib/progress";
import { attempt, type RunOptions } from "../lib/run";
import { waitUntil } from "../lib/wait";

/** A container with a Docker engine, a browser and the grader in it. */
export interface Machine {
  /** The container's name. */
  name: string;
  /** Removes the container and its network, even after Ctrl-C. */
  close(): Promise<void>;
}

interface MachineOptions {
  /** For the container, its network and the volume of its disk: the first that is free is used. */
  names: readonly string[];
  /** As {@link buildMachine} returns it; by default it is built. */
  image?: string | undefined;
  /** The maximum size of its disk, such as `20G`. */
  diskSize?: string;
  report: Report;
  signal: AbortSignal;
}

/** The image of all machines. */
const machineImage = "softy-pinko-grader";

/** For a whole machine, its engine included; what is graded in it has lower limits. */
const limits = argv`--memory=4g --memory-swap=4g --pids-limit=4096`;

/** The maximum number of concurrent gradings: each has a disk of its own. */
export const maxMachines = 16;

/**
 * @param worker Counted from 0, of all `workers` of a command: no two share a name, since one may
 *   remove its network while the other starts.
 * @returns The names of its machines; `GRADER_MACHINE` sets them.
 */
export function machineNames(worker = 0, workers = 1): string[] {
  const { GRADER_MACHINE: name } = process.env;
  if (name !== undefined) return [workers === 1 ? name : `${name}-${worker + 1}`];
  const numbers = Array.from({ length: maxMachines }, (_, index) => index + 1);
  const own = numbers.filter((number) => (number - 1) % workers === worker);
  return own.map((number) => `${machineImage}-${number}`);
}

/**
 * Starts a machine for one repository. What is built and run in it cannot reach an image, network,
 * volume, build cache, credential or loopback address of the host's engine, and is removed with it.
 * Its disk stays for the next machine of that name: base images and build layers. The machine stops
 * when this process ends, even after SIGKILL.
 * @throws {UserError} if the engine cannot build or start it.
 */
export async function openMachine(options: MachineOptions): Promise<Machine> {
  const { image = await buildMachine(options), names } = options;
  for (const name of names) {
    const machine = await start(name, image, options);
    if (machine !== undefined) return machine;
  }
  const taken = names.length === 1 ? names[0] : `each of the ${names.length} machines`;
  throw new UserError(`${taken} is in use by another grading: wait until it has ended.`);
}

/**
 * Builds the image of this version of the grader, from the build cache if nothing has changed.
 * @returns Its ID: a concurrent build of another version may take its name.
 */
export async function buildMachine({
  report,
  signal,
}: Pick<MachineOptions, "report" | "signal">): Promise<string> {
  report("preparing a machine; the first time this takes a minute or two");
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-machine-"));
  const idFile = path.join(scratch, "id");
  const dockerfile = path.join(__dirname, "machine/Dockerfile");
  try {
    const built = await attempt(
      "docker",
      argv`build --load --progress=plain --tag=${machineImage} --iidfile=${idFile}
        --file=${dockerfile} ${root}`,
      { signal, onLine: report.detail, env: { BUILDX_GIT_INFO: "false" } },
    );
    signal.throwIfAborted();
    if (!built.ok) {
      throw new UserError(`the machine for grading cannot be built: ${lastLine(built.stderr)}`);
    }
    const id = await readFile(idFile, "utf8");
    await requireImage(id, { signal });
    return id;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @returns Undefined if a machine of that name is running. */
async function start(
  name: string,
  image: string,
  { report, signal, diskSize }: MachineOptions,
): Promise<Machine | undefined> {
  report("starting the machine");
  await attempt("docker", argv`network create ${name}`, { signal });
  const disk = [`--volume=${name}:/disk`];
  if (diskSize !== undefined) disk.push(`--env=DISK_SIZE=${diskSize}`);
  const ending = new AbortController();
  let isReady = false;
  let hasEnded = false;
  const ended = attempt(
    "docker",
    argv`run --rm --pull=never --interactive --privileged ${limits} --name=${name} --hostname=machine
      --network=${name} ${disk} ${image}`,
    {
      // The machine stops when its stdin is closed: see machine/machine.sh
      holdStdin: true,
      signal: ending.signal,
      onLine: (line) => {
        isReady ||= line === "ready";
      },
    },
  ).finally(() => {
    hasEnded = true;
  });
  const close = async (): Promise<void> => {
    ending.abort();
    await attempt("docker", argv`rm --force --volumes ${name}`, { detached: true });
    await ended;
    await attempt("docker", argv`network rm ${name}`, { detached: true });
  };
  const wait = { for: "the machine to start", timeoutMs: 60_000, signal };
  try {
    await waitUntil(() => isReady || hasEnded, wait);
  } catch (error) {
    await close();
    throw error;
  }
  if (isReady) return { name, close };
  const { stderr } = await ended;
  if (stderr.includes("is already in use by container")) return undefined;
  await close();
  throw new UserError(`the engine cannot start a privileged container: ${lastLine(stderr)}`);
}

/**
 * Gives a machine the official base images that the host's engine has. The machine pulls any other
 * image itself, without credentials.
 * @param images By name.
 */
export async function lendImages(
  { name }: Machine,
  images: readonly string[],
  options: RunOptions,
): Promise<void> {
  const official = await officialImages(images, options);
  await copyImages(name, [...official.keys()], options);
}

/** Copies a folder's contents into a machine; root owns the files there. */
export async function putFolder(
  { name }: Machine,
  folder: string,
  target: string,
  options: RunOptions,
): Promise<void> {
  const copied = await attempt("docker", argv`cp --quiet ${folder} ${name}:${target}`, options);
  options.signal?.throwIfAborted();
  if (!copied.ok) throw new UserError(`the repository cannot be copied: ${copied.stderr}`);
}
