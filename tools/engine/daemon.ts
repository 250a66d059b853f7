import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { engineVersion } from "../lib/docker";
import { UserError } from "../lib/errors";
import { waitUntil } from "../lib/wait";

/** All that our daemon keeps, apart from whatever another engine on this machine keeps. */
const dataRoot = "/var/lib/softy-pinko-engine";
export const runFolder = "/run/softy-pinko-engine";
const pidFile = `${runFolder}/dockerd.pid`;
const logFile = "/var/log/softy-pinko-engine.log";

/** @returns The process id of the daemon that we started, if it runs. */
export function daemonPid(): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dockerd" ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts dockerd on the default socket, where the plain `docker` and `docker-compose` commands find
 * it, and waits until it answers. It outlives this process.
 * @returns The engine's version.
 * @throws {UserError} when it ends or stays silent for a minute.
 */
export async function startDaemon(signal: AbortSignal): Promise<string> {
  mkdirSync(runFolder, { recursive: true });
  const log = openSync(logFile, "a");
  const mtu = await uplinkMtu();
  const daemon = spawn(
    "dockerd",
    [
      `--data-root=${dataRoot}`,
      `--exec-root=${runFolder}`,
      `--pidfile=${pidFile}`,
      `--mtu=${mtu}`,
      `--default-network-opt=bridge=com.docker.network.driver.mtu=${mtu}`,
    ],
    { detached: true, stdio: ["ignore", log, log] },
  );
  let ended = false;
  daemon.on("error", () => {
    ended = true;
  });
  daemon.on("exit", () => {
    ended = true;
  });
  daemon.unref();

  try {
    return await waitUntil(
      async () => {
        const version = await engineVersion();
        if (version === undefined && ended) {
          throw new UserError(`the Docker engine does not start; its words are in ${logFile}.`);
        }
        return version;
      },
      { for: "the Docker engine to answer", timeoutMs: 60_000, signal },
    );
  } catch (error) {
    daemon.kill();
    throw error;
  }
}

/**
 * Measures what fits through the interface of the default route: packets of containers that are
 * larger than the uplink carries would vanish.
 * @returns Bytes; 1500 where there is no default route.
 */
async function uplinkMtu(): Promise<number> {
  const routes = await readFile("/proc/net/route", "utf8").catch(() => "");
  const device = /^(\S+)\t0{8}\t/m.exec(routes)?.[1];
  const mtu = Number(await readFile(`/sys/class/net/${device}/mtu`, "utf8").catch(() => ""));
  return mtu > 0 ? Math.min(mtu, 1500) : 1500;
}
