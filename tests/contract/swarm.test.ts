import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { root } from "../../tools/lib/course";
import { run } from "../../tools/lib/run";
import { modelOf } from "../lib/compose-model";
import { describeOnEngine } from "../lib/stacks";
import type { ComposeModel } from "./rules/compose";
import { differences, type SwarmModel, type SwarmService, swarmProblems } from "./rules/swarm";

/** Reads a folder's stack as Swarm's client understands it. */
async function swarmModelOf(
  folder: string,
  files: readonly string[] = ["docker-stack.yml"],
  env: NodeJS.ProcessEnv = {},
): Promise<SwarmModel> {
  const options = { cwd: path.join(root, folder), env };
  const chosen = files.map((file) => `--compose-file=${file}`);
  return parse(await run("docker", ["stack", "config", ...chosen], options)) as SwarmModel;
}

describeOnEngine.each([
  { folder: "production", own: ["back-end", "front-end", "proxy"], front: "proxy" },
  { folder: "visitor-counter", own: ["webapp"], front: "nginx" },
])("the stack of $folder for a Swarm", ({ folder, own, front }) => {
  it("differs from the one for Compose in nothing that both can say", async () => {
    expect(differences(await swarmModelOf(folder), await modelOf(folder), own)).toEqual([]);
  });

  it("is balanced by nginx, and updated without a gap wherever that can be", async () => {
    expect(swarmProblems(await swarmModelOf(folder), front)).toEqual([]);
  });

  it("takes its own images from a registry, at a version", async () => {
    const env = { REGISTRY: "registry.example/team/", TAG: "v2" };
    const { services } = await swarmModelOf(folder, ["docker-stack.yml"], env);
    const found = Object.entries(services).filter(([, { image = "" }]) =>
      /^registry\.example\/team\/[\w-]+:v2$/.test(image),
    );
    expect(found.map(([name]) => name)).toEqual(own);
  });
});

describeOnEngine("production on machines that do not trust their network", () => {
  it("encrypts what goes from one to another, and is otherwise the same", async () => {
    const plain = await swarmModelOf("production");
    const files = ["docker-stack.yml", "docker-stack.encrypted.yml"];
    const encrypted = await swarmModelOf("production", files);
    expect(encrypted.networks?.inside).toEqual({
      ...plain.networks?.inside,
      driver_opts: { encrypted: "" },
    });
    expect({ ...encrypted, networks: {} }).toEqual({ ...plain, networks: {} });
  });
});

const healthcheck = { test: ["CMD", "true"], interval: "10s" };
const inCompose: ComposeModel = {
  services: {
    proxy: {
      image: "own-proxy:production",
      user: "101",
      read_only: true,
      cap_drop: ["ALL"],
      healthcheck,
      ...{ logging: { driver: "local" }, mem_limit: "1024", cpus: 1, pids_limit: 5 },
      ...{ networks: { edge: null, inside: null }, tmpfs: ["/run:uid=101"] },
    },
  },
  networks: { edge: {}, inside: { internal: true } },
};
const proxy: SwarmService = {
  ...{ image: "own-proxy:v2", user: "101", read_only: true, cap_drop: ["ALL"] },
  healthcheck: { interval: "10s", test: ["CMD", "true"] },
  ...{ logging: { driver: "local" }, networks: { edge: null, inside: null } },
  ports: [{ mode: "host", target: 80, published: 80 }],
  volumes: [{ type: "volume", source: "run", target: "/run", volume: { nocopy: true } }],
  deploy: {
    ...{ mode: "global", endpoint_mode: "dnsrr" },
    resources: { limits: { cpus: "1.0", memory: "1024", pids: 5 } },
    update_config: { order: "stop-first", failure_action: "rollback" },
    rollback_config: { order: "stop-first" },
  },
};
const inSwarm = (change: SwarmService = {}): SwarmModel => ({
  services: { proxy: { ...proxy, ...change } },
  networks: { edge: null, inside: { internal: true } },
  volumes: { run: { driver_opts: { type: "tmpfs", o: "uid=101,mode=700" } } },
});

describe("a stack for a Swarm fails", () => {
  it("in nothing when it keeps the rules", () => {
    expect(differences(inSwarm(), inCompose, ["proxy"])).toEqual([]);
    expect(swarmProblems(inSwarm(), "proxy")).toEqual([]);
  });

  it.each<[string, SwarmService, string]>([
    ["another image", { image: "other:v2" }, "image is other, in Compose own-proxy"],
    ["root", { user: "0" }, "user is 0, in Compose 101"],
    ["a file system to write to", { read_only: false }, "read_only is false"],
    ["capabilities", { cap_drop: [] }, "cap_drop is , in Compose ALL"],
    ["capabilities again", { cap_add: ["CHOWN"] }, "cap_add is CHOWN"],
    ["logs that grow", { logging: { driver: "json-file" } }, "logging is json-file"],
    ["more ways", { networks: { ...proxy.networks, store: null } }, "networks is edge, inside, st"],
    ["another probe", { healthcheck: { ...healthcheck, interval: "1s" } }, "health check is"],
    ["another command", { command: ["sh"] }, "command is sh"],
    ["another setting", { environment: { DEBUG: "1" } }, 'environment is [["DEBUG","1"]]'],
    ["another folder", { volumes: [] }, "memory to write to is , in Compose /run:uid=101"],
    [
      "a folder with the image's rights",
      { volumes: [{ type: "volume", source: "run", target: "/run" }] },
      "memory to write to is /run, filled",
    ],
  ])("to be the same with %s", (_, change, problem) => {
    expect(differences(inSwarm(change), inCompose, ["proxy"])).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it("to be the same with fewer services, no limits, and a way out", () => {
    expect(differences({ services: {} }, inCompose, [])).toEqual(["the services are , not proxy"]);
    const unlimited = { ...proxy.deploy, resources: {} };
    expect(differences(inSwarm({ deploy: unlimited }), inCompose, ["proxy"])).toHaveLength(3);
    expect(differences({ ...inSwarm(), networks: {} }, inCompose, ["proxy"])).toEqual([
      "network inside is not as closed",
    ]);
  });

  it("to be the same with another version of an image that is not its own", () => {
    expect(differences(inSwarm(), inCompose, [])).toEqual([
      "proxy: image is own-proxy:v2, in Compose own-proxy:production",
    ]);
  });

  it.each<[string, SwarmService["deploy"], string]>([
    ["one address", { endpoint_mode: "vip" }, "proxy is one address to nginx"],
    [
      "two at one port",
      { update_config: { ...proxy.deploy?.update_config, order: "start-first" } },
      "stop-first",
    ],
    ["two at one port again", { rollback_config: {} }, "proxy is not taken back stop-first"],
    ["what fails", { update_config: { order: "stop-first" } }, "proxy keeps a version that fails"],
    ["fewer than nodes", { mode: "replicated" }, "proxy does not run once per node"],
  ])("to be run with %s", (_, change, problem) => {
    const problems = swarmProblems(inSwarm({ deploy: { ...proxy.deploy, ...change } }), "proxy");
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it("to be run with its data anywhere, or a port in Swarm's own way", () => {
    const data = { type: "volume", source: "data", target: "/data" };
    expect(swarmProblems(inSwarm({ volumes: [data] }), "proxy")).toEqual([
      "proxy may be where its data is not",
    ]);
    const ports = [{ target: 80, published: 80 }];
    expect(swarmProblems(inSwarm({ ports }), "proxy")).toEqual([
      "proxy is published through Swarm's own balancer",
    ]);
    expect(swarmProblems(inSwarm(), "back-end")).toHaveLength(4);
  });
});
