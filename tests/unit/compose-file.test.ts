import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { leadsOutside } from "../../tools/grader/external-files";
import { buildArgs, isolate, limits } from "../../tools/grader/isolate";
import { unsafeSettings } from "../../tools/grader/unsafe-settings";
import type { ComposeModel, ComposeService } from "../../tools/lib/compose-model";

let home: string;
let folder: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(path.join(tmpdir(), "compose-file-")));
  folder = path.join(home, "task6");
  mkdirSync(folder);
});
afterEach(() => rmSync(home, { recursive: true }));

/** @returns A stack of the course with something added to its API's service. */
const stackWith = (service: ComposeService, more: Partial<ComposeModel> = {}): ComposeModel => ({
  name: "graded",
  services: { "back-end": { build: { context: "back-end" }, ...service } },
  networks: { default: { name: "graded_default" } },
  ...more,
});

const bind = (source: string): ComposeService => ({
  volumes: [{ type: "bind", source, target: "/mnt" }],
});

describe("unsafeSettings", () => {
  it("finds none in what the course has", () => {
    const model = stackWith({
      image: "softy-pinko-back-end:task6",
      ports: [{ target: 80, published: "80" }],
      depends_on: { "front-end": { condition: "service_started" } },
      security_opt: ["no-new-privileges:true"],
      ipc: "private",
      volumes: [
        { type: "bind", source: "front-end", target: "/site" },
        { type: "volume", source: "data", target: "/data" },
      ],
    });
    expect(unsafeSettings(model, folder)).toEqual([]);
  });

  it.each<[string, ComposeService]>([
    ["a privileged container", { privileged: true }],
    ["a privileged container", { build: { privileged: true } }],
    ["a folder of the host", bind("..")],
    ["the engine's socket", bind("/run/docker.sock")],
    ["the host's network", { network_mode: "host" }],
    ["the host's network", { build: { network: "host" } }],
    ["another container's network", { network_mode: "container:database" }],
    ["processes outside its container", { pid: "host" }],
    ["memory outside its container", { ipc: "host" }],
    ["capabilities (SYS_ADMIN, NET_ADMIN)", { cap_add: ["SYS_ADMIN", "NET_ADMIN"] }],
    ["devices of the host", { devices: ["/dev/sda:/dev/sda"] }],
    ["devices of the host", { device_cgroup_rules: ["b *:* rwm"], devices: [] }],
    ["less protection", { security_opt: ["seccomp:unconfined"] }],
    ["another container's volumes", { volumes_from: ["container:database"] }],
    ["files from outside its folder", { build: { context: ".." } }],
    ["files from outside its folder", { build: { dockerfile: "/etc/passwd" } }],
    ["more than 16 ports", { ports: Array.from({ length: 17 }, (_, target) => ({ target })) }],
  ])("finds %s in a service with %j", (what, service) => {
    expect(unsafeSettings(stackWith(service), folder)).toEqual([
      { service: "back-end", what: expect.stringContaining(what) },
    ]);
  });

  it("finds every key that could reach outside, and any that it does not know", () => {
    const build = "additional_contexts, dockerfile_inline, entitlements, secrets, ssh";
    const others = "userns_mode, cgroup, cgroup_parent, sysctls, runtime, uts, provider";
    const withKeys = (keys: string) =>
      Object.fromEntries(keys.split(", ").map((key) => [key, "x"]));
    const model = stackWith({ build: withKeys(build), ...withKeys(others) });
    expect(unsafeSettings(model, folder)).toEqual([
      { service: "back-end", what: `${build} in its build` },
      { service: "back-end", what: `${others}, which the grader does not know` },
    ]);
  });

  it.each<[string, Partial<ComposeModel>]>([
    ["networks or volumes of others", { networks: { other: { external: true } } }],
    ["networks or volumes of others", { networks: { other: { driver: "host" } } }],
    ["networks or volumes of others", { volumes: { other: { external: true } } }],
    ["networks or volumes of others", { volumes: { etc: { driver_opts: { device: "/etc" } } } }],
    ["files from outside its folder", { secrets: { shadow: { file: "/etc/shadow" } } }],
    ["files from outside its folder", { configs: { hosts: { file: "../../hosts" } } }],
    [
      "more than 10 services",
      { services: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [index, {}])) },
    ],
  ])("finds %s in a stack with %j", (what, more) => {
    expect(unsafeSettings(stackWith({}, more), folder)).toEqual([{ service: "the stack", what }]);
  });
});

describe("leadsOutside", () => {
  it.each([
    ["back-end", false],
    ["./not/there/yet", false],
    ["..hidden", false],
    [".", false],
    ["..", true],
    ["back-end/../..", true],
    ["/etc", true],
    ["out", true],
    ["out/passwd", true],
    ["dead", true],
    ["https://example.com/x.git", true],
    ["git@example.com:x", true],
  ])("%s: %s", (target, expected) => {
    mkdirSync(path.join(folder, "back-end"));
    symlinkSync("/etc", path.join(folder, "out"));
    symlinkSync("/nowhere/at/all", path.join(folder, "dead"));
    expect(leadsOutside(folder, target)).toBe(expected);
  });
});

describe("isolate", () => {
  const mount = { type: "bind", source: "/x/data", target: "/data" };
  const model: ComposeModel = {
    name: "graded",
    services: {
      api: {
        build: { context: "/x" },
        image: "nginx:latest",
        container_name: "api",
        restart: "always",
        labels: { "traefik.enable": "true" },
        deploy: { replicas: 40 },
        scale: 1000,
        ports: [{ target: 5252, published: "5252", protocol: "tcp" }, { target: 9229 }],
        volumes: [mount],
      },
      cache: { image: "redis:8" },
    },
    networks: { default: { name: "graded_default" }, inner: null },
    volumes: { data: { name: "data" } },
    models: {},
  } as ComposeModel;
  const bounds = {
    mem_limit: limits.memory,
    memswap_limit: limits.memory,
    pids_limit: limits.pids,
    cpus: limits.cpus,
    security_opt: ["no-new-privileges:true"],
    logging: {
      driver: "local",
      options: { "max-size": limits.logBytes, "max-file": "1", compress: "false" },
    },
  };
  const port = { protocol: "tcp", mode: "ingress", host_ip: "127.0.0.1" };

  it("gives a stack names, ports and bounds of the grader's, and keeps nothing else", () => {
    const before = structuredClone(model);
    expect(isolate(model, "project")).toEqual({
      name: "project",
      services: {
        api: {
          ...bounds,
          image: "project-api",
          scale: 4,
          ports: [
            { target: 5252, ...port },
            { target: 9229, ...port },
          ],
          volumes: [{ ...mount, read_only: true, bind: { create_host_path: false } }],
        },
        cache: { ...bounds, image: "redis:8", ports: [] },
      },
      networks: { default: { name: "project_default" }, inner: { name: "project_inner" } },
      volumes: { data: { name: "project_data" } },
    });
    expect(model).toEqual(before);
  });
});

it("buildArgs keeps only what cannot affect other builds", () => {
  const args = {
    A: "1",
    EMPTY: null,
    HTTP_PROXY: "http://x",
    BUILDKIT_CACHE_MOUNT_NS: "x",
    BUILDKIT_SYNTAX: "a/b",
    SOURCE_DATE_EPOCH: "0",
  };
  expect(buildArgs(args, "project")).toEqual({ A: "1", BUILDKIT_CACHE_MOUNT_NS: "project" });
});
