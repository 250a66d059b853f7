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
  /** Base images that are stand-ins; always none in an engine that is not ours. */
  standIns: string[];
}

/**
 * Makes sure that a Docker engine runs that can build and run the steps.
 *
 * Where one answers it is used as it is. Where none does, and we are root on Debian or Ubuntu, the
 * distribution's engine is installed, started and given the base images. It stays until
 * {@link stopEngineIfIdle}. (DESIGN, decision 7)
 * @throws {UserError} where there is no engine and none may be installed; nothing is changed then.
 */
export async function ensureEngine(report: Report, signal: AbortSignal): Promise<Engine> {
  const [answered, composeAnswered] = await Promise.all([engineVersion(), composeVersion()]);
  const version = answered ?? (await bringUp(report, signal));
  const started = answered === undefined;
  try {
    const versions = requireVersions(version, composeAnswered ?? (await composeVersion()));
    const ours = daemonPid() !== undefined;
    if (ours) enlist();
    const standIns = ours ? await ensureBaseImages(report, signal) : [];
    return { ...versions, started, standIns };
  } catch (error) {
    if (started) await stopEngineIfIdle();
    throw error;
  }
}

/** One line about an engine, for a person. */
export function describeEngine({ engine, compose, standIns }: Engine): string {
  const note = standIns.length === 0 ? "" : ` (stand-ins: ${standIns.join(", ")})`;
  return `Docker Engine ${engine}, Compose ${compose}${note}`;
}

/**
 * @param engine Undefined where there is none yet.
 * @returns What a figure was measured on, in a line: cores, processor, engine.
 */
export function describeMachine(engine: Engine | undefined): string {
  const [cpu] = cpus();
  const cores = `${cpus().length} × ${cpu?.model.trim() || process.arch}`;
  return [cores, ...(engine === undefined ? [] : [describeEngine(engine)])].join(", ");
}

/** The first step of a command that needs Docker: finds or starts an engine, and shows which. */
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
 * Runs the steps of a command that needs Docker, after the engine's own. An engine that was started
 * for them is stopped again if no container is left running in it.
 * @param cleanUp Runs when the steps have ended, however they ended, before the engine is stopped.
 * @returns The engine that was used.
 * @throws What the first failing step or the clean-up throws.
 */
export async function withEngine(
  signal: AbortSignal,
  steps: readonly Step[],
  cleanUp?: () => Promise<void>,
): Promise<Engine> {
  let engine: Engine | undefined;
  const keep = (ready: Engine): void => {
    engine = ready;
  };
  try {
    await runSteps([engineStep(signal, keep), ...steps]);
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

async function bringUp(report: Report, signal: AbortSignal): Promise<string> {
  const host = process.env.DOCKER_HOST ?? process.env.DOCKER_CONTEXT;
  if (host !== undefined) {
    throw new UserError(`no Docker engine answers at ${host}: start it, or unset DOCKER_HOST.`);
  }
  if (!(await canInstallPackages())) {
    throw new UserError(
      "no Docker engine answers: start Docker, or install it from https://docs.docker.com/get-started/get-docker/.",
    );
  }
  if (!(await isInstalled())) await installEngine(report, signal);
  report("starting the engine");
  // Where there is an init system, the package has started its own service
  return (await engineVersion()) ?? startDaemon(signal);
}

async function isInstalled(): Promise<boolean> {
  const asked = await Promise.all([
    attempt("dockerd", ["--version"]),
    attempt("docker", ["buildx", "version"]),
    attempt("iptables", ["--version"]),
    attempt("debootstrap", ["--version"]),
  ]);
  return asked.every(({ ok }) => ok) && (await composeVersion()) !== undefined;
}

/**
 * Ends an engine of ours once nobody needs it: no container runs in it and no other process of this
 * project uses it. Leaves any other engine alone.
 * @returns Whether it was ended.
 */
export async function stopEngineIfIdle(): Promise<boolean> {
  if (!endEngineIfIdle()) return false;
  await waitUntil(() => daemonPid() === undefined, {
    for: "the Docker engine to end",
    timeoutMs: 30_000,
  });
  return true;
}

/** The same without waiting for its end, for a process that is about to exit. */
export function endEngineIfIdle(): boolean {
  const pid = daemonPid();
  if (pid === undefined) return false;
  const running = spawnSync("docker", ["ps", "--quiet"]).stdout.toString();
  if (otherUsers() || running !== "") return false;
  process.kill(pid, "SIGTERM");
  return true;
}

const users = path.join(runFolder, "users");

/** Leaves word, until this process ends, that it uses the engine, so that no other one ends it. */
function enlist(): void {
  const own = path.join(users, String(process.pid));
  mkdirSync(users, { recursive: true });
  writeFileSync(own, "");
  process.once("exit", () => rmSync(own, { force: true }));
}

function otherUsers(): boolean {
  if (!existsSync(users)) return false;
  const others = readdirSync(users).filter((pid) => pid !== String(process.pid));
  return others.some((pid) => existsSync(`/proc/${pid}`));
}
