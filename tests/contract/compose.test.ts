import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { portVariable, type Service } from "../../tools/lib/course";
import { modelOf, portsAsInTheText } from "../lib/compose-model";
import { describeOnEngine } from "../lib/stacks";
import { readRepositoryFile } from "../lib/task-files";
import {
  type ComposeModel,
  fileProblems,
  hardeningProblems,
  healthProblems,
  limitProblems,
  type Network,
  operationProblems,
  publishedPorts,
  type Service as ServiceModel,
  wayOutProblems,
} from "./rules/compose";

const ports = {
  task4: { "back-end": 5252, "front-end": 9000 },
  task5: { proxy: 80 },
  task6: { proxy: 80 },
  production: { proxy: 80 },
};

describeOnEngine.each(Object.entries(ports))("the stack of %s", (folder, published) => {
  it("has a health check for each service, probed often while it starts", async () => {
    expect(healthProblems(await modelOf(folder))).toEqual([]);
  });

  it("says nothing that Compose ignores", () => {
    const document = parse(readRepositoryFile(folder, "docker-compose.yml"), { merge: true });
    expect(fileProblems(document as Record<string, unknown>)).toEqual([]);
  });

  it.each(Object.entries(published))("lets the host port of %s move", async (name, port) => {
    const variable = portVariable[name as Service];
    const { services } = await modelOf(folder, { ...portsAsInTheText, [variable]: "18080" });
    expect(publishedPorts(services[name] ?? {})).toEqual([`18080:${port}`]);
  });
});

describeOnEngine("the stack of production", () => {
  it("restarts its services, rotates their logs and can be scaled", async () => {
    expect(operationProblems(await modelOf("production"))).toEqual([]);
  });

  it("gives its services no more rights than they need", async () => {
    expect(hardeningProblems(await modelOf("production"))).toEqual([]);
  });

  it("gives none of them the whole machine", async () => {
    expect(limitProblems(await modelOf("production"))).toEqual([]);
  });

  it("lets only the proxy out", async () => {
    expect(wayOutProblems(await modelOf("production"), ["proxy"])).toEqual([]);
  });
});

const good: ServiceModel = {
  image: "softy-pinko-front-end:task4",
  build: { context: "/x/task4/front-end", dockerfile: "Dockerfile" },
  ports: [{ target: 9000, published: "9000" }],
  depends_on: { "back-end": { condition: "service_healthy" } },
  healthcheck: { test: ["CMD", "curl", "http://127.0.0.1:9000/health"], start_interval: "1s" },
  restart: "unless-stopped",
  logging: { driver: "local" },
};

describe("a stack fails", () => {
  it("in nothing when it keeps the rules", () => {
    expect(healthProblems({ services: { "front-end": good } })).toEqual([]);
    expect(operationProblems({ services: { "front-end": good } })).toEqual([]);
  });

  it.each<[string, ServiceModel, string]>([
    [
      "a disabled check",
      { healthcheck: { ...good.healthcheck, disable: true } },
      "no health check",
    ],
    [
      "a check by name",
      { healthcheck: { test: ["CMD", "curl", "http://localhost"], start_interval: "1s" } },
      "is probed elsewhere than at 127.0.0.1",
    ],
    ["slow first probes", { healthcheck: { test: ["CMD", "127.0.0.1"] } }, "has no start_interval"],
  ])("to be checked with %s", (_, change, problem) => {
    const problems = healthProblems({ services: { "front-end": { ...good, ...change } } });
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it.each<[string, ServiceModel, string]>([
    ["no restart", { restart: "no" }, "restarts no"],
    ["logs that grow", { logging: { driver: "json-file" } }, "logs without end"],
    ["a container_name", { container_name: "api" }, "has a container_name"],
    ["privileges", { privileged: true }, "is privileged"],
    ["a host mount", { volumes: [{ type: "bind", source: "/x" }] }, "mounts a folder of the host"],
    ["the host's network", { network_mode: "host" }, "shares the host's network"],
  ])("to run with %s", (_, change, problem) => {
    const problems = operationProblems({ services: { "front-end": { ...good, ...change } } });
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it("to run with a folder of the host in the place of a conf, or with one it can write", () => {
    const confs = ["/etc/nginx/conf.d/default.conf"];
    const problemsOf = (volume: object): string[] =>
      operationProblems(
        { services: { nginx: { ...good, volumes: [{ type: "bind", ...volume }] } } },
        confs,
      );
    expect(problemsOf({ target: confs[0], read_only: true })).toEqual([]);
    expect(problemsOf({ target: "/etc/nginx", read_only: true })).toHaveLength(1);
    expect(problemsOf({ target: confs[0] })).toHaveLength(1);
  });

  const hardened: ServiceModel = {
    user: "101",
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
  };

  it.each<[string, ServiceModel, string[]]>([
    ["nothing amiss", {}, []],
    ["root", { user: "0:0" }, ["nginx runs as root"]],
    ["files that can be changed", { read_only: false }, ["nginx can write into its image's files"]],
    ["capabilities", { cap_drop: ["NET_RAW"] }, ["nginx keeps capabilities"]],
    ["capabilities again", { cap_add: ["CHOWN"] }, ["nginx is given CHOWN"]],
    ["privileges", { security_opt: [] }, ["nginx can gain privileges"]],
  ])("to be hardened with %s", (_, change, problems) => {
    const services = { nginx: { ...hardened, ...change } };
    expect(hardeningProblems({ services })).toEqual(problems);
  });

  const limited: ServiceModel = { mem_limit: "268435456", cpus: 1, pids_limit: 64 };

  it.each<[string, ServiceModel, string[]]>([
    ["nothing amiss", {}, []],
    ["no memory limit", { mem_limit: "" }, ["nginx: memory without limit"]],
    ["no processor limit", { cpus: 0 }, ["nginx: processors without limit"]],
    ["no process limit", { pids_limit: 0 }, ["nginx: processes without limit"]],
  ])("to be limited with %s", (_, change, problems) => {
    expect(limitProblems({ services: { nginx: { ...limited, ...change } } })).toEqual(problems);
  });

  it.each<[string, Network, string[]]>([
    ["nothing amiss", {}, []],
    ["a route", { internal: false }, ["api has a way out by inside"]],
    ["an address of the host", { driver_opts: {} }, ["api has a way out by inside"]],
  ])("to be closed with %s", (_, change, problems) => {
    const closed = {
      internal: true,
      driver_opts: { "com.docker.network.bridge.inhibit_ipv4": "true" },
    };
    const model: ComposeModel = {
      services: {
        api: { networks: { inside: {} } },
        proxy: { networks: { edge: {}, inside: {} } },
      },
      networks: { edge: {}, inside: { ...closed, ...change } },
    };
    expect(wayOutProblems(model, ["proxy"])).toEqual(problems);
  });

  it("to run without any health check", () => {
    const { healthcheck: _, ...without } = good;
    expect(healthProblems({ services: { "front-end": without } })).toEqual([
      "front-end has no health check",
      "front-end has no start_interval",
    ]);
  });

  it("with a version", () => {
    expect(fileProblems(parse('version: "3"\nservices: {}\n'))).toEqual(["version is obsolete"]);
  });
});
