import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { canInstallPackages } from "../lib/apt";
import { composeVersion, engineVersion, requireVersions } from "../lib/docker";
import { UserError } from "../lib/errors";
import { type Report, runSteps, type Step } from "../lib/progress";
import { attempt } from "../lib/run";
import { waitUntil } from "../lib/wait";
import { ensureBaseImages } from "./base-images";
import { daemonPid, runFolder, startDaemon } from "./daemon";
import { installEngine } from "./install";

export interface Engine {
  engine: string;
  compose: string;
  /** Whether this call started it. */
  started: boolean;
  /** Base images that are stand-ins; always empty for an engine that this project did not start. */
  standIns: string[];
}

/**
 * Makes sure that a Docker engine runs that can build and run the steps (DESIGN, decision 7).
 *
 * A running engine is used as it is. Without one, as root on Debian or Ubuntu, the distribution's
 * engine is installed, started and given the base images. It runs until {@link stopEngineIfIdle}.
 * @throws {UserError} if no engine runs and none may be installed; nothing is changed then.
 */
export async function ensureEngine(report: Report, signal: AbortSignal): Promise<Engine> {
  const [runningVersion, installedCompose] = await Promise.all([engineVersion(), composeVersion()]);
  const started = runningVersion === undefined;
  const version = runningVersion ?? (await startEngine(report, signal));
  try {
    const versions = requireVersions(version, installedCompose ?? (await composeVersion()));
    const isOurs = daemonPid() !== undefined;
    if (isOurs) registerUser();
    const standIns = isOurs ? await ensureBaseImages(report, signal) : [];
    return { ...versions, started, standIns };
  } catch (error) {
    if (started) await stopEngineIfIdle();
    throw error;
  }
}

/** @returns An engine's versions in one line. */
export function describeEngine({ engine, compose, standIns }: Engine): string {
  const note = standIns.length === 0 ? "" : ` (stand-ins: ${standIns.join(", ")})`;
  return `Docker Engine ${engine}, Compose ${compose}${note}`;
}

/** @returns One line about the machine of a measurement: cores, processor, engine. */
export function describeMachine(engine: Engine | undefined): string {
  const [cpu] = cpus();
  const cores = `${cpus().length} × ${cpu?.model.trim() || process.arch}`;
  return engine === undefined ? cores : `${cores}, ${describeEngine(engine)}`;
}

/** The first step of a command that needs Docker: finds or starts an engine and shows it. */
export function engineStep(signal: AbortSignal, keep?: (engine: Engine) => void): Step {
  return {
    title: "Docker engine",
    run: async (report) => {
      const engine = await ensureEngine(report, signal);
      keep?.(engine);
      return describeEngine(engine);
    },
  };
}

/**
 * Runs the engine step and then the steps of a command that needs Docker. An engine that was started
 * for them is stopped afterwards if no container runs in it.
 * @param cleanUp Runs after the steps, whether or not they failed, before the engine is stopped.
 * @param last Runs between the steps and the clean-up, when nothing but it writes to the terminal.
 * @returns The engine.
 * @throws What the first failing step or the clean-up throws.
 */
export async function withEngine(
  signal: AbortSignal,
  steps: readonly Step[],
  cleanUp?: () => Promise<void>,
  last?: () => Promise<void>,
): Promise<Engine> {
  let engine: Engine | undefined;
  const keep = (ready: Engine): void => {
    engine = ready;
  };
  try {
    await runSteps([engineStep(signal, keep), ...steps]);
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

async function startEngine(report: Report, signal: AbortSignal): Promise<string> {
  const host = process.env.DOCKER_HOST ?? process.env.DOCKER_CONTEXT;
  if (host !== undefined) {
    throw new UserError(`no Docker engine responds at ${host}: start it, or unset DOCKER_HOST.`);
  }
  if (!(await canInstallPackages())) {
    throw new UserError(
      "no Docker engine runs: start Docker, or install it from https://docs.docker.com/get-started/get-docker/.",
    );
  }
  const commands = ["dockerd --version", "docker buildx version", "docker compose version"];
  const needed = [...commands, "iptables --version", "debootstrap --version"];
  const isInstalled = await attempt("sh", ["-c", needed.join(" && ")]);
  if (!isInstalled.ok) await installEngine(report, signal);
  report("starting the engine");
  // On a machine with an init system, the package starts its service
  return (await engineVersion()) ?? startDaemon(signal);
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

/** Has a file for each process that uses the engine, named by its process id. */
const users = path.join(runFolder, "users");

function registerUser(): void {
  const file = path.join(users, String(process.pid));
  mkdirSync(users, { recursive: true });
  writeFileSync(file, "");
  process.once("exit", () => rmSync(file, { force: true }));
}

function hasOtherUsers(): boolean {
  if (!existsSync(users)) return false;
  const others = readdirSync(users).filter((pid) => pid !== String(process.pid));
  return others.some((pid) => existsSync(`/proc/${pid}`));
}
