import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { root } from "../lib/course";
import { copyImages, officialImages } from "../lib/docker";
import { UserError } from "../lib/errors";
import type { Report } from "../lib/progress";
import { attempt, type RunOptions } from "../lib/run";
import { waitUntil } from "../lib/wait";

/** A container with a Docker engine, a browser and the grader in it. */
export interface Machine {
  /** The container's name. */
  name: string;
  /** Removes the container and its network. Comes to its end even after Ctrl-C. */
  close(): Promise<void>;
}

export interface MachineOptions {
  /** Names the container, its network and the volume of its disk; by default the first free number. */
  name?: string | undefined;
  /** The most that its disk can hold, such as `20G`. */
  diskSize?: string;
  report: Report;
  signal: AbortSignal;
}

/** The image that machines are made from. */
export const machineImage = "softy-pinko-grader";

/** Memory and processes of a whole machine: the engine's own and, below, those that are graded. */
const limits = ["--memory=4g", "--memory-swap=4g", "--pids-limit=4096"];

/** So many gradings can run on one machine at the same time: each has a disk of its own. */
const maxMachines = 16;

/**
 * Starts a machine for one repository: what is built and run in it sees no image, network, volume,
 * build cache, credential or loopback address of the host's engine, and goes with it as a whole. Its
 * disk stays for the next machine of that name: base images and build layers.
 *
 * It ends with this process, however this process ends.
 * @throws {UserError} where the engine cannot build or start it.
 */
export async function openMachine(options: MachineOptions): Promise<Machine> {
  const image = await buildMachine(options);
  if (options.name !== undefined) return start(options.name, image, options);
  for (let slot = 1; slot <= maxMachines; slot += 1) {
    try {
      return await start(`${machineImage}-${slot}`, image, options);
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error;
    }
  }
  throw new UserError(`${maxMachines} gradings are running: wait until one of them has ended.`);
}

class NameTaken extends UserError {
  override name = "NameTaken";
}

/**
 * Builds the image of this version of the grader, from the build cache where nothing has changed.
 * @returns Its id: another version may take its name at any moment.
 */
export async function buildMachine({
  report,
  signal,
}: Pick<MachineOptions, "report" | "signal">): Promise<string> {
  report("preparing a machine; the first time this takes a minute or two");
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-machine-"));
  const idFile = path.join(scratch, "id");
  try {
    const built = await attempt(
      "docker",
      [
        "build",
        "--progress=plain",
        `--tag=${machineImage}`,
        `--iidfile=${idFile}`,
        `--file=${path.join(__dirname, "machine/Dockerfile")}`,
        root,
      ],
      { signal, onLine: report.detail, env: { BUILDX_GIT_INFO: "false" } },
    );
    signal.throwIfAborted();
    if (!built.ok) {
      const reason = built.stderr.trim().split("\n").at(-1);
      throw new UserError(`the machine to grade in cannot be built: ${reason}`);
    }
    return await readFile(idFile, "utf8");
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function start(name: string, image: string, options: MachineOptions): Promise<Machine> {
  const { report, signal, diskSize } = options;
  report("starting the machine");
  await attempt("docker", ["network", "create", name], { signal });
  const ending = new AbortController();
  let isReady = false;
  let hasEnded = false;
  const ended = attempt(
    "docker",
    [
      "run",
      "--rm",
      "--interactive",
      "--privileged",
      ...limits,
      `--name=${name}`,
      "--hostname=machine",
      `--network=${name}`,
      `--volume=${name}:/disk`,
      ...(diskSize === undefined ? [] : [`--env=DISK_SIZE=${diskSize}`]),
      image,
    ],
    {
      // Its end is the machine's: see machine/machine.sh
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
    await attempt("docker", ["rm", "--force", "--volumes", name], { detached: true });
    await ended;
    await attempt("docker", ["network", "rm", name], { detached: true });
  };
  try {
    await waitUntil(() => isReady || hasEnded, {
      for: "the machine to start",
      timeoutMs: 60_000,
      signal,
    });
    if (isReady) return { name, close };
    const { stderr } = await ended;
    if (/is already in use by container/.test(stderr)) {
      throw new NameTaken(`a machine named ${name} is running: wait until its grading has ended.`);
    }
    throw new UserError(
      `the engine cannot start a machine to grade in, a privileged container: ${stderr.trim().split("\n").at(-1)}`,
    );
  } catch (error) {
    if (!(error instanceof NameTaken)) await close();
    throw error;
  }
}

/**
 * Gives a machine those base images that the host's engine has: official ones, and no others.
 * @param wanted By name; one that is not there the machine pulls by itself, without credentials.
 */
export async function lendImages(
  { name }: Machine,
  wanted: readonly string[],
  options: RunOptions,
): Promise<void> {
  await copyImages(name, await officialImages(wanted, options), options);
}

/** Copies a folder's contents into a machine, as files of root's. */
export async function putFolder(
  { name }: Machine,
  folder: string,
  target: string,
  options: RunOptions,
): Promise<void> {
  const copied = await attempt("docker", ["cp", "--quiet", folder, `${name}:${target}`], options);
  options.signal?.throwIfAborted();
  if (!copied.ok) throw new UserError(`the repository cannot be copied: ${copied.stderr}`);
}
