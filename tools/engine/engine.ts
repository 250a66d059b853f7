import { spawnSync } from "node:child_process";
import { cpus, homedir, tmpdir } from "node:os";
import path from "node:path";
import { root } from "../lib/course";
import { UserError } from "../lib/errors";
import {
  type Docker,
  findDocker,
  refuseUnusable,
  remoteHost,
  requireDocker,
} from "../lib/find-docker";
import { type Report, runSteps, type Step } from "../lib/progress";
import { waitUntil } from "../lib/wait";
import { ensureBaseImages } from "./base-images";
import { daemonPid, startDaemon } from "./daemon";
import { installEngine } from "./install";
import { inspectMachine, planStart } from "./start-plan";
import { hasOtherUsers, registerUser } from "./users";

export interface Engine {
  engine: string;
  compose: string;
  /** Whether this call started it. */
  started: boolean;
  /** Base images that are stand-ins; always empty for an engine that this project did not start. */
  standIns: string[];
}

/** What a command needs of an engine besides building and running containers. */
export interface Needs {
  /** Published ports on this machine; they are on the engine's. The default is true. */
  ports?: boolean;
  /** That it sees the temporary folder. The default is true. */
  temporaryFolder?: boolean;
}

/**
 * Makes sure that a Docker engine runs that can build and run the steps (DESIGN, decision 7).
 *
 * A running engine is used as it is. Without one, as root on Debian or Ubuntu, the distribution's
 * engine is installed, started and given the base images, unless the user has another one that does
 * not run. It runs until {@link stopEngineIfIdle}.
 * @throws {UserError} if something is missing that may not be installed; nothing is changed then.
 */
export async function ensureEngine(
  report: Report,
  signal: AbortSignal,
  needs: Needs = {},
): Promise<Engine> {
  const found = await findDocker();
  refuseUnusable(found);
  const started = found.engine === undefined;
  const docker = started ? await startEngine(found, report, signal) : found;
  try {
    requireDocker(docker);
    requireNeeds(docker, needs);
    const isOurs = daemonPid() !== undefined;
    if (isOurs) registerUser();
    const standIns = isOurs ? await ensureBaseImages(report, signal) : [];
    return { engine: docker.engine, compose: docker.compose.version, started, standIns };
  } catch (error) {
    if (started) await stopEngineIfIdle();
    throw error;
  }
}

function requireNeeds(docker: Docker, { ports = true, temporaryFolder = true }: Needs): void {
  const host = remoteHost(docker.endpoint);
  if (ports && host !== undefined) {
    throw new UserError(
      `Docker's engine is on ${host}, and so are the ports that it publishes: use one of this machine, with docker context use default or without DOCKER_HOST.`,
    );
  }
  if (!docker.isSnap) return;
  // https://snapcraft.io/docs/home-interface
  const isHidden = (folder: string): boolean => /^\.|^\//.test(path.relative(homedir(), folder));
  const invisible = [root, ...(temporaryFolder ? [tmpdir()] : [])].find(isHidden);
  if (invisible === undefined) return;
  const remedy =
    invisible === root ? "clone this repository there" : "set TMPDIR to a folder there";
  throw new UserError(
    `Docker from snap cannot see ${invisible}, only the folders of your home without a dot: ${remedy}.`,
  );
}

/** @returns An engine's versions in one line. */
export function describeEngine({ engine, compose, standIns }: Engine): string {
  const note = standIns.length === 0 ? "" : ` (stand-ins: ${standIns.join(", ")})`;
  return `Docker Engine ${engine}, Compose ${compose}${note}`;
}

/** @returns One line about the machine of a measurement: cores, processor, engine. */
export function describeMachine(engine: Engine): string {
  const [cpu] = cpus();
  // Such as Intel(R) Xeon(R) CPU @ 2.20GHz
  const name = cpu?.model.replace(/\(\w+\)|\b(CPU|Processor)\b|@.*/g, "").replace(/\s+/g, " ");
  return `${cpus().length} × ${name?.trim() || process.arch}, ${describeEngine(engine)}`;
}

export interface EngineOptions {
  needs?: Needs;
  /** Is told the engine before the steps run. */
  onEngine?: (engine: Engine) => void;
  /** Runs after the steps, when nothing but it writes to the terminal. */
  last?: () => Promise<void>;
  /** Runs in the end, even if something has failed, before the engine is stopped. */
  cleanUp?: () => Promise<void>;
}

/**
 * Finds or starts an engine, shows it, and runs the steps of a command that needs it. An engine that
 * was started for them is stopped afterwards if no container runs in it.
 * @returns The engine.
 * @throws What the first failing step or the clean-up throws.
 */
export async function withEngine(
  signal: AbortSignal,
  steps: readonly Step[],
  { needs, onEngine, last, cleanUp }: EngineOptions = {},
): Promise<Engine> {
  let engine: Engine | undefined;
  const findEngine = async (report: Report): Promise<string> => {
    engine = await ensureEngine(report, signal, needs);
    onEngine?.(engine);
    return describeEngine(engine);
  };
  try {
    await runSteps([{ title: "Docker engine", run: findEngine }, ...steps]);
    await last?.();
  } finally {
    try {
      await cleanUp?.();
    } finally {
      if (engine?.started) await stopEngineIfIdle();
    }
  }
  if (engine === undefined) throw new Error("the engine's step did not run");
  return engine;
}

async function startEngine(docker: Docker, report: Report, signal: AbortSignal): Promise<Docker> {
  const machine = await inspectMachine();
  const missing = planStart(docker, machine);
  if (missing.length > 0) await installEngine(missing, machine.os, report, signal);
  report("starting the engine");
  // With systemd, the package has started its service
  return machine.hasSystemd ? findDocker() : startDaemon(signal);
}

/**
 * Stops the engine that this project started, unless a container runs in it or another process of
 * this project uses it.
 * @returns Whether it was stopped.
 */
export async function stopEngineIfIdle(): Promise<boolean> {
  if (!endEngineIfIdle()) return false;
  await waitUntil(() => daemonPid() === undefined, {
    for: "the Docker engine to stop",
    timeoutMs: 30_000,
  });
  return true;
}

/** The same without waiting, for a process that is about to exit. */
export function endEngineIfIdle(): boolean {
  const pid = daemonPid();
  if (pid === undefined) return false;
  const containers = spawnSync("docker", ["ps", "--quiet"]).stdout.toString();
  if (hasOtherUsers() || containers !== "") return false;
  process.kill(pid, "SIGTERM");
  return true;
}
