import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import path from "node:path";
import { UserError } from "./errors";
import { findDocker } from "./find-docker";
import { attempt } from "./run";

/** @returns A port that nothing listens on. Another program can take it before it is used. */
export async function freePort(): Promise<number> {
  const { port } = await tryToListen(0);
  if (port === undefined) throw new Error("the system has no free port");
  return port;
}

/**
 * Reads a port from an environment variable.
 * @returns Undefined if it is not set.
 * @throws {UserError} if it is not a port.
 */
export function portFrom(variable: string): number | undefined {
  const value = process.env[variable];
  if (value === undefined) return undefined;
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new UserError(`${variable} is "${value}": set it to a whole number from 1 to 65535.`);
}

/** @returns The environment variables that set the host ports of a folder's stack. */
export function portVariablesIn(folder: string): string[] {
  return ["docker-compose.yml", "docker-compose.https.yml"]
    .map((name) => path.join(folder, name))
    .filter((file) => existsSync(file))
    .flatMap((file) => [...readFileSync(file, "utf8").matchAll(/\$\{(\w+_PORT)\b/g)])
    .map(([, variable = ""]) => variable);
}

/** A host port that a step publishes. */
export interface HostPort {
  port: number;
  /** The environment variable that sets it; undefined if it cannot be changed. */
  variable?: string | undefined;
}

/**
 * Makes sure that ports can be published, before a stack is half started.
 * @throws {UserError} if one is wanted twice or in use, or if a rootless engine may not publish it.
 */
export async function requirePorts(ports: readonly HostPort[]): Promise<void> {
  const remedy = ({ variable }: HostPort): string =>
    variable === undefined ? "" : `, or set ${variable}=8080`;
  for (const [index, wanted] of ports.entries()) {
    const { port, variable } = wanted;
    const other = ports.slice(0, index).find((earlier) => earlier.port === port);
    if (other !== undefined) {
      const name = variable ?? other.variable;
      throw new UserError(`port ${port} is wanted twice: set ${name} to another one.`);
    }
    if (await isInUse(port)) {
      throw new UserError(
        `port ${port} is in use: stop the program that listens there${remedy(wanted)}.`,
      );
    }
    if (await isForbidden(port)) {
      throw new UserError(
        `a rootless engine may not publish port ${port}: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}${remedy(wanted)}.`,
      );
    }
  }
}

/** @returns Whether a program listens on a port. */
export async function isInUse(port: number): Promise<boolean> {
  const { errorCode } = await tryToListen(port);
  // A user may not listen below 1024, but the engine may
  return errorCode === "EADDRINUSE" || (errorCode === "EACCES" && (await isListening(port)));
}

/** https://docs.docker.com/engine/security/rootless/tips/#exposing-privileged-ports */
async function isForbidden(port: number): Promise<boolean> {
  if (port >= 1024) return false;
  const { isRootless } = await findDocker();
  if (!isRootless) return false;
  const file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  if (port >= Number(await readFile(file, "utf8").catch(() => "1024"))) return false;
  const script = 'getcap "$(command -v rootlesskit)"';
  const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const capabilities = await attempt("sh", ["-c", script], { env });
  return !capabilities.stdout.includes("cap_net_bind_service");
}

/** @returns The port, or the system's error code. */
function tryToListen(port: number): Promise<{ port?: number; errorCode?: string | undefined }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve({ errorCode: code }));
    server.listen(port, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address : {}));
    });
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "localhost");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy() && resolve(true));
  });
}
