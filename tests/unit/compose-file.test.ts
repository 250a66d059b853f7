import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ComposeModel, ComposeService } from "../../tools/grader/compose-model";
import { isolate, limits } from "../../tools/grader/isolate";
import { judgeUnsafeSettings, unsafeSettings } from "../../tools/grader/unsafe-settings";

const home = realpathSync(mkdtempSync(path.join(tmpdir(), "compose-file-")));
const folder = path.join(home, "task6");
mkdirSync(folder);

afterAll(() => {
  rmSync(home, { recursive: true });
});

/** @returns A stack of the course with something added to its API's service. */
const stackWith = (service: ComposeService, more: Partial<ComposeModel> = {}): ComposeModel => ({
  name: "graded",
  services: { "back-end": { build: { context: `${folder}/back-end` }, ...service } },
  networks: { default: { name: "graded_default" } },
  ...more,
});

const bind = (source: string): ComposeService => ({
  volumes: [{ type: "bind", source, target: "/mnt" }],
});

describe("a stack that is graded", () => {
  it("may have what the course has", () => {
    const model = stackWith({
      image: "softy-pinko-back-end:task6",
      ports: [{ target: 80, published: "80" }],
      depends_on: { "front-end": { condition: "service_started" } },
      security_opt: ["no-new-privileges:true"],
      ipc: "private",
      volumes: [
        { type: "bind", source: `${folder}/front-end`, target: "/site" },
        { type: "volume", source: "data", target: "/data" },
      ],
    });
    expect(unsafeSettings(model, folder)).toEqual([]);
    expect(judgeUnsafeSettings(model, folder, "task6/docker-compose.yml")).toBeUndefined();
  });

  it.each<[string, ComposeService]>([
    ["a privileged container", { privileged: true }],
    ["a privileged container", { build: { privileged: true } }],
    ["a folder of the host", bind("/")],
    ["a folder of the host", bind("..")],
    ["a folder of the host", bind("../task6-other")],
    ["the host's network", { network_mode: "host" }],
    ["the host's network", { build: { network: "host" } }],
    ["another container's network", { network_mode: "container:database" }],
    ["another container's network", { network_mode: "service:proxy" }],
    ["other processes than its own", { pid: "host" }],
    ["other memory than its own", { ipc: "host" }],
    ["the host's users", { userns_mode: "host" }],
    ["another control group", { cgroup: "host" }],
    ["another control group", { cgroup_parent: "/system.slice" }],
    ["capabilities (SYS_ADMIN, NET_ADMIN)", { cap_add: ["SYS_ADMIN", "NET_ADMIN"] }],
    ["devices of the host", { devices: ["/dev/sda:/dev/sda"] }],
    ["devices of the host", { device_cgroup_rules: ["b *:* rwm"] }],
    ["less protection", { security_opt: ["seccomp:unconfined"] }],
    ["kernel settings", { sysctls: { "net.ipv4.ip_forward": "1" } }],
    ["another runtime", { runtime: "runc" }],
    ["another container's volumes", { volumes_from: ["container:database"] }],
    ["secrets in its build", { build: { ssh: ["default"] } }],
    ["secrets in its build", { build: { secrets: [{ source: "token" }] } }],
    ["secrets in its build", { build: { entitlements: ["security.insecure"] } }],
    ["files from outside its folder", { build: { context: ".." } }],
    ["files from outside its folder", { build: { additional_contexts: { etc: "/etc" } } }],
  ])("is not run when it asks for %s: %j", (what, service) => {
    expect(unsafeSettings(stackWith(service), folder)).toEqual([
      { service: "back-end", what: expect.stringContaining(what) },
    ]);
  });

  it("is not run when it asks for the engine's socket", () => {
    const found = unsafeSettings(stackWith(bind("/var/run/docker.sock")), folder);
    expect(found.map(({ what }) => what)).toContain("the engine's socket");
  });

  it.each<[string, Partial<ComposeModel>]>([
    ["networks or volumes of others", { networks: { other: { external: true } } }],
    ["networks or volumes of others", { networks: { other: { driver: "host" } } }],
    ["networks or volumes of others", { volumes: { other: { external: true } } }],
    ["networks or volumes of others", { volumes: { etc: { driver_opts: { device: "/etc" } } } }],
    ["files from outside its folder", { secrets: { shadow: { file: "/etc/shadow" } } }],
    ["files from outside its folder", { configs: { hosts: { file: "../../hosts" } } }],
  ])("is not run when it asks for %s: %j", (what, more) => {
    expect(unsafeSettings(stackWith({}, more), folder)).toEqual([{ service: "the stack", what }]);
  });

  it("is told what it asks for, all at once", () => {
    const model = stackWith({ privileged: true, pid: "host" });
    expect(judgeUnsafeSettings(model, folder, "task6/docker-compose.yml")).toMatchObject({
      verdict: "fail",
      cause:
        "back-end asks for a privileged container; back-end asks for other processes than its own",
      file: "task6/docker-compose.yml",
    });
  });
});

describe("a isolated stack", () => {
  const model: ComposeModel = {
    name: "graded",
    services: {
      api: {
        build: { context: `${folder}/back-end` },
        image: "nginx:latest",
        container_name: "api",
        restart: "always",
        deploy: { replicas: 40 },
        ports: [{ target: 5252, published: "5252", protocol: "tcp" }, { target: 9229 }],
      },
      cache: { image: "redis:8" },
    },
    networks: { default: { name: "graded_default" }, inner: null },
    volumes: { data: { name: "data" } },
  };
  const isolated = isolate(model, "own");

  it("has names of the grader's own for all that it makes", () => {
    expect(isolated.name).toBe("own");
    expect(isolated.services.api).toMatchObject({ image: "own-api" });
    expect(isolated.networks).toEqual({
      default: { name: "own_default" },
      inner: { name: "own_inner" },
    });
    expect(isolated.volumes).toEqual({ data: { name: "own_data" } });
  });

  it("keeps an image that is not built", () => {
    expect(isolated.services.cache?.image).toBe("redis:8");
  });

  it("has its ports where the system finds some free, on loopback alone", () => {
    const port = { protocol: "tcp", mode: "ingress", host_ip: "127.0.0.1" };
    expect(isolated.services.api?.ports).toEqual([
      { target: 5252, ...port },
      { target: 9229, ...port },
    ]);
    expect(isolated.services.cache?.ports).toEqual([]);
  });

  it.each(["container_name", "restart", "deploy"])("has no %s", (key) => {
    expect(isolated.services.api).not.toHaveProperty(key);
  });

  it.each(["api", "cache"])("has bounds on %s", (service) => {
    expect(isolated.services[service]).toMatchObject({
      mem_limit: limits.memory,
      memswap_limit: limits.memory,
      pids_limit: limits.pids,
      cpus: limits.cpus,
      logging: { driver: "local", options: { "max-size": limits.logBytes } },
    });
  });

  it("leaves the graded one as it was", () => {
    expect(model.services.api).toMatchObject({ image: "nginx:latest", container_name: "api" });
  });
});
