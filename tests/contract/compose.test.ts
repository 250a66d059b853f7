import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { modelOf, portsAsInTheText } from "../lib/compose-model";
import { describeOnEngine } from "../lib/stacks";
import { readRepositoryFile } from "../lib/task-files";
import {
  type ComposeModel,
  contracts,
  fileProblems,
  hardeningProblems,
  limitProblems,
  type Network,
  operationProblems,
  publishedPorts,
  type Service,
  stackProblems,
  wayOutProblems,
} from "./rules/compose";

const movable = { "back-end": "BACK_END_PORT", "front-end": "FRONT_END_PORT", proxy: "PROXY_PORT" };

describeOnEngine.each(contracts)("the stack of $task", (contract) => {
  const { task, ports } = contract;

  it("has the text's services, images, ports and order of start", async () => {
    expect(stackProblems(await modelOf(task), contract)).toEqual([]);
  });

  it("can be watched, scaled and left alone", async () => {
    expect(operationProblems(await modelOf(task))).toEqual([]);
  });

  it("says nothing that Compose ignores", () => {
    const document = parse(readRepositoryFile(task, "docker-compose.yml"), { merge: true });
    expect(fileProblems(document as Record<string, unknown>)).toEqual([]);
  });

  it.each(Object.keys(ports) as (keyof typeof movable)[])("lets %s's port move", async (name) => {
    const { services } = await modelOf(task, { ...portsAsInTheText, [movable[name]]: "18080" });
    const [, container] = ports[name]?.split(":") ?? [];
    expect(publishedPorts(services[name] ?? {})).toEqual([`18080:${container}`]);
  });
});

describeOnEngine("the stack of task6, taken over by somebody,", () => {
  it("gives its services no more rights than they need", async () => {
    expect(hardeningProblems(await modelOf("task6"))).toEqual([]);
  });

  it("gives none of them the whole machine", async () => {
    expect(limitProblems(await modelOf("task6"))).toEqual([]);
  });

  it("lets nobody out but the proxy", async () => {
    expect(wayOutProblems(await modelOf("task6"), ["proxy"])).toEqual([]);
  });
});

const good: Service = {
  image: "softy-pinko-front-end:task4",
  build: { context: "/x/task4/front-end", dockerfile: "Dockerfile" },
  ports: [{ target: 9000, published: "9000" }],
  depends_on: { "back-end": { condition: "service_healthy" } },
  healthcheck: { test: ["CMD", "curl", "http://127.0.0.1:9000/health"], start_interval: "1s" },
  restart: "unless-stopped",
  logging: { driver: "local" },
};

const backEnd: Service = {
  ...good,
  image: "softy-pinko-back-end:task4",
  build: { context: "/x/task4/back-end", dockerfile: "Dockerfile" },
  ports: [{ target: 5252, published: "5252" }],
  depends_on: {},
};

describe("a stack fails", () => {
  const contract = contracts[0];
  if (contract === undefined) throw new Error("there is no contract for task4");
  const problemsWith = (change: Service): string[] =>
    stackProblems(
      { services: { "back-end": backEnd, "front-end": { ...good, ...change } } },
      contract,
    );

  it("in nothing when it keeps the rules", () => {
    expect(problemsWith({})).toEqual([]);
    expect(operationProblems({ services: { "front-end": good } })).toEqual([]);
  });

  it.each<[string, ComposeModel, string]>([
    ["a service too few", { services: { "back-end": backEnd } }, "the services are back-end, not"],
    [
      "a service too many",
      { services: { "back-end": backEnd, "front-end": good, db: good } },
      "the services are back-end, db, front-end, not back-end, front-end",
    ],
    [
      "another name",
      { services: { backend: backEnd, "front-end": good } },
      "the services are backend, front-end, not",
    ],
  ])("with %s", (_, model, problem) => {
    expect(stackProblems(model, contract)).toEqual([expect.stringContaining(problem)]);
  });

  it.each<[string, Service, string]>([
    ["a base image's tag", { image: "nginx:latest" }, 'image "nginx:latest", not "softy-pinko-f'],
    ["the tag of another step", { image: "softy-pinko-front-end:task3" }, ":task3"],
    ["another folder", { build: { ...good.build, context: "/x/task3/front-end" } }, "context"],
    ["another Dockerfile", { build: { ...good.build, dockerfile: "dev" } }, 'dockerfile "dev"'],
    ["no port", { ports: [] }, 'ports "", not "9000:9000"'],
    ["ports mixed up", { ports: [{ target: 80, published: "9000" }] }, 'ports "9000:80", not'],
    ["any port", { ports: [{ target: 9000 }] }, 'ports "any:9000", not'],
    [
      "a port on one address",
      { ports: [{ target: 9000, published: "9000", host_ip: "127.0.0.1" }] },
      'ports "127.0.0.1:9000:9000"',
    ],
    ["no order", { depends_on: {} }, 'depends on "", not "back-end"'],
    [
      "no wait for health",
      { depends_on: { "back-end": { condition: "service_started" } } },
      "waits for back-end until service_started",
    ],
  ])("with %s", (_, change, problem) => {
    expect(problemsWith(change)).toEqual([expect.stringContaining(problem)]);
  });

  it.each<[string, Service, string]>([
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

  const hardened: Service = {
    user: "101",
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
  };

  it.each<[string, Service, string[]]>([
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

  const limited: Service = { mem_limit: "268435456", cpus: 1, pids_limit: 64 };

  it.each<[string, Service, string[]]>([
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
    expect(operationProblems({ services: { "front-end": without } })).toEqual([
      "front-end has no health check",
      "front-end has no start_interval",
    ]);
  });

  it("with a version", () => {
    expect(fileProblems(parse('version: "3"\nservices: {}\n'))).toEqual(["version is obsolete"]);
  });
});
