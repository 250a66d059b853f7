import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { argv } from "../lib/argv";
import { UserError } from "../lib/errors";
import { type Docker, findDocker } from "../lib/find-docker";
import { waitUntil } from "../lib/wait";

/** Separate from the data of any other engine on this machine. */
const dataRoot = "/var/lib/softy-pinko-engine";
export const runFolder = "/run/softy-pinko-engine";
const pidFile = `${runFolder}/dockerd.pid`;
const logFile = "/var/log/softy-pinko-engine.log";

/** @returns The process id of the dockerd that this project started, if it runs. */
export function daemonPid(): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dockerd" ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts dockerd on the default socket, which the `docker` client uses, and waits until it responds.
 * It outlives this process.
 * @returns The machine's Docker, with this engine.
 * @throws {UserError} if it exits.
 * @throws {Error} after a minute without a response.
 */
export async function startDaemon(signal: AbortSignal): Promise<Docker> {
  mkdirSync(runFolder, { recursive: true });
  const log = openSync(logFile, "a");
  const mtu = await uplinkMtu();
  const args = argv`--data-root=${dataRoot} --exec-root=${runFolder} --pidfile=${pidFile}
    --mtu=${mtu} --default-network-opt=bridge=com.docker.network.driver.mtu=${mtu}`;
  const daemon = spawn("dockerd", args, { detached: true, stdio: ["ignore", log, log] });
  let hasExited = false;
  const onExit = (): void => {
    hasExited = true;
  };
  daemon.on("error", onExit).on("exit", onExit);
  daemon.unref();

  const ready = async (): Promise<Docker | false> => {
    const docker = await findDocker();
    if (docker.engine !== undefined) return docker;
    if (hasExited) throw new UserError(`the Docker engine does not start: see ${logFile}.`);
    return false;
  };
  try {
    return await waitUntil(ready, { for: "the Docker engine", timeoutMs: 60_000, signal });
  } catch (error) {
    daemon.kill();
    throw error;
  }
}

/**
 * @returns The MTU of the default route's interface, at most 1500 bytes: larger packets of containers
 *   would be lost.
 */
async function uplinkMtu(): Promise<number> {
  const routes = await readFile("/proc/net/route", "utf8").catch(() => "");
  const device = /^(\S+)\t0{8}\t/m.exec(routes)?.[1];
  const mtu = Number(await readFile(`/sys/class/net/${device}/mtu`, "utf8").catch(() => ""));
  return mtu > 0 ? Math.min(mtu, 1500) : 1500;
}
