import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Needs } from "../../tools/engine/engine";
import { type Machine, planStart } from "../../tools/engine/start-plan";
import { type Docker, remoteHost } from "../../tools/lib/find-docker";
import { buildx, type FakeMachine, fakeMachine } from "../lib/fake-machine";

const engine = "28.5.2";
const plugin = "2.40.3";
const report = Object.assign(() => undefined, { detail: () => undefined });
const { signal } = new AbortController();

// Each module that is loaded again adds a listener
process.setMaxListeners(100);

let remove: (() => void) | undefined;
/** Puts the programs of a machine into PATH, in place of all others. */
function use(machine: FakeMachine) {
  const fakes = fakeMachine(machine);
  remove = fakes.remove;
  vi.stubEnv("PATH", fakes.PATH);
  return fakes;
}
beforeEach(() => {
  // Forget the Compose that was found
  vi.resetModules();
  vi.stubEnv("DOCKER_HOST", undefined);
  vi.stubEnv("DOCKER_CONTEXT", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  remove?.();
  remove = undefined;
});

describe("an engine is refused with one line, and nothing is changed", () => {
  const rows: [string, FakeMachine, RegExp, Needs?][] = [
    [
      "an old engine",
      { engine: "20.10.24", plugin },
      /^Docker Engine 20.10.24 is too old: install 25/,
    ],
    ["no Compose", { engine }, /^Docker Compose is missing: install 2.24 or later/],
    [
      "an old plugin",
      { engine, plugin: "2.9.0" },
      /^Docker Compose 2.9.0 is too old: install 2.24/,
    ],
    ["Compose 1", { engine, program: "1.29.2" }, /^Docker Compose 1.29.2 is too old: install 2.24/],
    ["no buildx", { engine, plugin, plugins: [] }, /^Docker's buildx plugin is missing: install/],
    [
      "a broken buildx",
      { engine, plugin, plugins: [{ ...buildx, Err: "exec format error" }] },
      /^Docker's buildx plugin is missing/,
    ],
    [
      "an engine of another machine",
      { engine, plugin, endpoint: "ssh://ana@build.example:22" },
      /^Docker's engine is on build.example, and so are the ports/,
    ],
    [
      "snap's engine, for a command that uses the temporary folder",
      { engine, plugin, info: { DockerRootDir: "/var/snap/docker/common/var-lib-docker" } },
      /^Docker from snap cannot see \/.*, only the folders of your home without a dot: /,
    ],
    [
      "Podman's service",
      { engine: "5.4.2", plugin, component: "Podman Engine" },
      /^docker is Podman here/,
    ],
    [
      "Podman as docker",
      { info: { ClientInfo: undefined }, name: "podman version 5.8.6" },
      /^docker is Podman here/,
    ],
    [
      "a user without rights",
      { error: "permission denied while trying to connect", plugin },
      /^you may not use the engine at unix:.*: sudo usermod -aG docker \$USER, then log in again\.$/,
    ],
    [
      "Docker Desktop, stopped",
      { plugin, endpoint: "unix:///home/ana/.docker/desktop/docker.sock" },
      /^no Docker engine responds at unix:.*: start Docker Desktop\.$/,
    ],
    [
      "colima, stopped",
      { plugin, endpoint: "unix:///Users/ana/.colima/default/docker.sock" },
      /^no Docker engine responds at unix:.*: colima start\.$/,
    ],
    [
      "a rootless engine, stopped",
      { plugin, endpoint: "unix:///run/user/1000/docker.sock" },
      /^no Docker engine responds at unix:.*: systemctl --user start docker\.$/,
    ],
    [
      "docker-ce, stopped",
      { plugin, packages: ["docker-ce"], programs: ["dockerd"] },
      /^Docker is installed but does not run: sudo (systemctl|service) /,
    ],
    [
      "an engine that no package has, stopped",
      { plugin, programs: ["dockerd"] },
      /does not run: sudo (systemctl|service) /,
    ],
    ["snap's, stopped", { plugin, programs: ["snap"] }, /does not run: sudo snap start docker\.$/],
  ];

  it.each(rows)("%s", async (_, machine, message, needs) => {
    const fakes = use(machine);
    const { ensureEngine } = await import("../../tools/engine/engine");
    await expect(ensureEngine(report, signal, needs)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(message),
    });
    const reads =
      /^(docker (--version|info|version|context|compose version)|docker-compose version|dpkg-query|snap list)\b/;
    expect(fakes.calls().filter((call) => !reads.test(call))).toEqual([]);
  });
});

describe("Compose", () => {
  it.each([
    ["the plugin, if both can run the stacks", { plugin, program: "2.39.1" }, "docker compose"],
    ["the program without the plugin", { program: "v2.39.1" }, "docker-compose"],
    ["the program, not an old plugin", { plugin: "2.9.0", program: "2.39.1" }, "docker-compose"],
  ])("is %s", async (_, versions, command) => {
    const fakes = use({ engine, ...versions });
    const { compose } = await import("../../tools/lib/compose");
    await compose({ folder: "/" }, ["ps"]);
    expect(fakes.calls().at(-1)).toBe(`${command} --progress=plain ps`);
  });
});

describe("without an engine, on a machine without systemd, root installs", () => {
  const debian = { ID: "debian" };
  const mint = { ID: "linuxmint", ID_LIKE: "ubuntu debian" };
  const debianPackages = ["docker.io", "docker-cli", "docker-compose", "docker-buildx"];
  const ubuntuPackages = ["docker.io", "docker-compose-v2", "docker-buildx"];
  const others = ["iptables", "debootstrap"];
  const docker = { endpoint: "unix:///var/run/docker.sock" } as Docker;
  const bare = {
    canInstall: true,
    os: debian,
    hasSystemd: false,
    packages: new Set<string>(),
    hasDaemon: false,
    hasSnap: false,
  };

  it.each<[string, Partial<Machine>, string[]]>([
    ["Debian's packages", {}, [...debianPackages, ...others]],
    [
      "Ubuntu's packages",
      { os: { ID: "ubuntu", ID_LIKE: "debian" } },
      [...ubuntuPackages, ...others],
    ],
    ["Ubuntu's packages in Linux Mint", { os: mint }, [...ubuntuPackages, ...others]],
    [
      "Debian's packages in its Debian edition",
      { os: { ID: "linuxmint", ID_LIKE: "debian" } },
      [...debianPackages, ...others],
    ],
    [
      "only what is missing",
      { hasDaemon: true, packages: new Set([...debianPackages, "iptables"]) },
      ["debootstrap"],
    ],
    ["a first engine, which systemd starts", { hasSystemd: true }, [...debianPackages, ...others]],
  ])("%s", (_, machine, packages) => {
    expect(planStart(docker, { ...bare, ...machine })).toEqual(packages);
  });

  it.each<[string, Partial<Machine>, RegExp]>([
    [
      "the distribution's engine, stopped",
      { hasSystemd: true, hasDaemon: true, packages: new Set(["docker.io"]) },
      /^Docker is installed but does not run: sudo systemctl start docker\.$/,
    ],
    [
      "for another user than root",
      { canInstall: false },
      /^no Docker engine runs: start Docker, or install/,
    ],
    [
      "Docker Desktop, stopped",
      { packages: new Set(["docker-desktop"]) },
      /does not run: start Docker Desktop\.$/,
    ],
  ])("nothing: %s", (_, machine, message) => {
    expect(() => planStart(docker, { ...bare, ...machine })).toThrow(message);
  });
});

it.each([
  ["unix:///var/run/docker.sock", undefined],
  ["npipe:////./pipe/docker_engine", undefined],
  ["tcp://localhost:2375", undefined],
  ["tcp://127.0.0.1:2375", undefined],
  ["tcp://[::1]:2375", undefined],
  ["tcp://docker:2375", "docker"],
  ["ssh://ana@10.0.0.7", "10.0.0.7"],
  ["10.0.0.7:2375", "10.0.0.7"],
])("the engine at %s is on %s", (endpoint, host) => {
  expect(remoteHost(endpoint)).toBe(host);
});
