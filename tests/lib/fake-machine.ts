import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** What the fake programs of a machine print; `info` is merged into that of an ordinary engine. */
export interface FakeMachine {
  info?: Record<string, unknown>;
  /** Of the engine; by default none responds. */
  engine?: string | undefined;
  /** Why none responds. */
  error?: string;
  endpoint?: string;
  /** What `docker --version` prints. */
  name?: string;
  /** The first component that `docker version` names. */
  component?: string;
  /** The version of the plugin `docker compose`. */
  plugin?: string;
  /** The version of the program `docker-compose`. */
  program?: string;
  /** Plugins that `docker info` lists. */
  plugins?: Record<string, unknown>[];
  /** Installed packages. */
  packages?: string[];
  /** Other programs in PATH, which only record that they were called. */
  programs?: string[];
}

export const buildx = { Name: "buildx", Version: "0.13.1" };

/**
 * Writes the programs of a machine into a folder.
 * @returns A PATH that has only them, and a function that lists what was called.
 */
export function fakeMachine(machine: FakeMachine) {
  const folder = mkdtempSync(path.join(tmpdir(), "softy-pinko-fakes-"));
  const calls = path.join(folder, "calls");
  writeFileSync(calls, "");
  const write = (name: string, lines: string[]): void => {
    const record = `printf '%s\\n' "${name} $*" >> ${calls}`;
    const script = ["#!/bin/sh", record, ...lines, ""].join("\n");
    writeFileSync(path.join(folder, name), script, { mode: 0o755 });
  };
  const { engine, error = "Cannot connect to the Docker daemon", endpoint, plugin } = machine;
  const info = {
    ServerVersion: engine ?? "",
    ClientInfo: { Version: "28.2.2", Plugins: machine.plugins ?? [buildx] },
    ...machine.info,
  };
  const version = { Components: [{ Name: machine.component ?? "Engine" }] };
  const print = (text: string): string => `printf '%s\n' '${text}'`;
  write("docker", [
    'case "$1" in',
    `--version) ${print(machine.name ?? "Docker version 28.2.2, build e6534b4")} ;;`,
    `info) ${print(JSON.stringify(info))}; ${engine ? "exit 0" : `echo '${error}' >&2; exit 1`} ;;`,
    `version) ${print(JSON.stringify(version))} ;;`,
    `context) ${print(endpoint ?? "unix:///var/run/docker.sock")} ;;`,
    `compose) ${plugin === undefined ? "exit 1" : print(plugin)} ;;`,
    "*) exit 1 ;;",
    "esac",
  ]);
  if (machine.program !== undefined) write("docker-compose", [print(machine.program)]);
  write(
    "dpkg-query",
    (machine.packages ?? []).map((name) => print(`ii  ${name}`)),
  );
  for (const name of ["apt-get", ...(machine.programs ?? [])]) write(name, []);
  return {
    PATH: folder,
    calls: () => readFileSync(calls, "utf8").trim().split("\n"),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
