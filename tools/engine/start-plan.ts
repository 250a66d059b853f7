import { existsSync } from "node:fs";
import path from "node:path";
import { canInstallPackages, isLike, osRelease } from "../lib/apt";
import { argv } from "../lib/argv";
import { UserError } from "../lib/errors";
import { type Docker, defaultEndpoint } from "../lib/find-docker";
import { attempt } from "../lib/run";

/** What decides whether this project may start an engine on this machine, and with what. */
export interface Machine {
  /** Root, on Debian, Ubuntu or a relative of theirs. */
  canInstall: boolean;
  /** Of os-release. */
  os: Record<string, string>;
  /** Whether systemd manages the services. */
  hasSystemd: boolean;
  /** Names of installed packages, of those that matter here. */
  packages: ReadonlySet<string>;
  /** Whether a `dockerd` is in PATH. */
  hasDaemon: boolean;
  /** Whether snap has Docker. */
  hasSnap: boolean;
}

/** The packages of an engine, Compose and buildx. */
const debian = ["docker.io", "docker-cli", "docker-compose", "docker-buildx"];
const ubuntu = ["docker.io", "docker-compose-v2", "docker-buildx"];
/** For the engine's networks and the stand-ins. */
const others = ["iptables", "debootstrap"];
/** Docker's own packages, whose engine only the user starts. */
const foreign = ["docker-ce", "docker-desktop", "docker-ce-rootless-extras", "moby-engine"];

/** @returns What is installed. Changes nothing, and starts nothing that might be an engine. */
export async function inspectMachine(): Promise<Machine> {
  const names = [...new Set([...debian, ...ubuntu, ...others, ...foreign])];
  const format = ["db:Status-Abbrev", "Package"].map((field) => `\${${field}}`).join(" ");
  const [canInstall, os, listed, snap] = await Promise.all([
    canInstallPackages(),
    osRelease(),
    attempt("dpkg-query", argv`--show --showformat=${format}\\n ${names}`),
    attempt("snap", argv`list docker`),
  ]);
  const installed = Array.from(listed.stdout.matchAll(/^ii +(.+)$/gm), ([, name = ""]) => name);
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute);
  return {
    canInstall,
    os,
    hasSystemd: existsSync("/run/systemd/system"),
    packages: new Set(installed),
    hasDaemon: folders.some((folder) => existsSync(path.join(folder, "dockerd"))),
    hasSnap: snap.ok,
  };
}

/**
 * Decides how to get an engine where none responds: only the distribution's, and only where nothing
 * else starts one.
 * @returns The packages that are missing for it.
 * @throws {UserError} with what to do, if the engine is the user's to start or to install.
 */
export function planStart({ endpoint }: Docker, machine: Machine): string[] {
  const { canInstall, os, hasSystemd, packages, hasDaemon, hasSnap } = machine;
  if (endpoint !== defaultEndpoint) {
    throw new UserError(`no Docker engine responds at ${endpoint}: ${howToStart(endpoint)}.`);
  }
  const stopped = (command: string): UserError =>
    new UserError(`Docker is installed but does not run: ${command}.`);
  if (hasSnap) throw stopped("sudo snap start docker");
  if (packages.has("docker-desktop")) throw stopped("start Docker Desktop");
  const isForeign =
    foreign.some((name) => packages.has(name)) || (hasDaemon && !packages.has("docker.io"));
  const isInstalled = isForeign || hasDaemon;
  if (isInstalled && hasSystemd) throw stopped("sudo systemctl start docker");
  if (isForeign || (isInstalled && !canInstall)) throw stopped("sudo service docker start");
  if (!canInstall) {
    throw new UserError(
      "no Docker engine runs: start Docker, or install it from https://docs.docker.com/get-started/get-docker/.",
    );
  }
  return [...(isLike(os, "ubuntu") ? ubuntu : debian), ...others].filter(
    (name) => !packages.has(name),
  );
}

function howToStart(endpoint: string): string {
  if (/desktop|\.docker\/run|^npipe:/i.test(endpoint)) return "start Docker Desktop";
  if (endpoint.includes("colima")) return "colima start";
  if (endpoint.includes("/run/user/")) return "systemctl --user start docker";
  return "start it, or choose another with docker context use";
}
