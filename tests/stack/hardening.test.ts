import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { type Container, listContainers } from "../../tools/lib/compose";
import { attempt, run } from "../../tools/lib/run";
import {
  connectFrom,
  declaredLimits,
  engineSocketsIn,
  hasDefaultRoute,
  ipv6Interfaces,
  limitsOf,
  rightsIn,
  startProcesses,
  writableFolders,
} from "../lib/confinement";
import { gatewaysOf, hostAddresses, inspect, networksOf, useHostServer } from "../lib/networks";
import { useParts } from "../lib/parts";
import { bringUp, describeOnEngine, ownName, type TestStack, useStack } from "../lib/stacks";

/** Docker gives every container these, small and temporary. */
const inEveryContainer = ["/dev", "/dev/mqueue", "/dev/shm"];
const forNginx = ["/run", "/var/cache/nginx"];

interface Case {
  folder: string;
  built: string[];
  args: string[];
  /** The service whose image has Node.js. */
  node: string;
  /** The folders that each service may write to. */
  writable: Record<string, string[]>;
  /** The services without a route to other networks. */
  internal: string[];
  /** The only service with a port on the host. */
  entry: string;
}

const cases: Case[] = [
  {
    folder: "production",
    built: ["back-end", "front-end", "proxy"],
    args: argv`--scale back-end=2`,
    node: "back-end",
    writable: { "back-end": [], "front-end": forNginx, proxy: forNginx },
    internal: ["back-end", "front-end"],
    entry: "proxy",
  },
  {
    folder: "visitor-counter",
    built: ["webapp"],
    args: [],
    node: "webapp",
    writable: { webapp: [], redis: ["/data"], nginx: forNginx },
    internal: ["redis", "webapp"],
    entry: "nginx",
  },
];

/** @returns Servers on the host and beyond that no closed network should reach. */
async function forbiddenTargets({ project, ports }: TestStack, port: number) {
  const hostPorts = [port, 2375, 2376, ports.proxy, ports.web];
  const addresses = [...hostAddresses(), ...(await gatewaysOf(project))];
  return [
    ...addresses.flatMap((host) => hostPorts.map((hostPort) => ({ host, port: hostPort }))),
    { host: "host.docker.internal", port },
    { host: "gateway.docker.internal", port },
    // A documentation address, a metadata service, a name: beyond the host
    { host: "198.51.100.1", port: 80 },
    { host: "169.254.169.254", port: 80 },
    { host: "example.com", port: 80 },
  ];
}

describeOnEngine.each(cases)("inside the containers of $folder", (stackCase) => {
  const { folder, built, args, node, writable, internal, entry } = stackCase;
  const services = Object.keys(writable);
  const stack = useStack(folder, built);
  const hostPort = useHostServer();
  const neighbor = ownName("neighbor");
  let containers: Container[] = [];
  let nodeImage = "";

  const firstOf = (service: string): Container => {
    const first = containers.find((container) => container.service === service);
    if (first === undefined) throw new Error(`${service} does not run`);
    return first;
  };

  beforeAll(async () => {
    await bringUp(stack, args);
    containers = await listContainers(stack);
    nodeImage = `${stack.project}-${node}`;
  });
  afterAll(() => attempt("docker", argv`rm --force ${neighbor}`));

  it.each(services)("no process of %s has more rights than its user", async (service) => {
    expect(await rightsIn(firstOf(service).id)).toEqual([]);
  });

  it.each(services)("%s can write only where it must, even as root", async (service) => {
    const needed = writable[service] ?? [];
    const allowed = [...inEveryContainer, ...needed].map((folder) => `${folder}/`);
    for (const user of [undefined, "0"]) {
      const folders = await writableFolders(firstOf(service).id, user);
      const others = folders.filter(
        (folder) => !allowed.some((prefix) => `${folder}/`.startsWith(prefix)),
      );
      expect({ user, others }).toEqual({ user, others: [] });
      if (user === undefined) expect(folders).toEqual(expect.arrayContaining(needed));
    }
  });

  it.each(services)("%s has no socket of a container engine", async (service) => {
    expect(await engineSocketsIn(firstOf(service).id)).toEqual([]);
  });

  it("each container has the limits of docker-compose.yml", async () => {
    const declared = await declaredLimits(stack);
    for (const service of services) {
      const limits = declared[service];
      expect(Object.values(limits ?? {})).not.toContain(undefined);
      expect(await limitsOf(firstOf(service).id)).toEqual(limits);
    }
  });

  it("a container cannot start more processes than its limit", async () => {
    const limit = (await declaredLimits(stack))[node]?.processes ?? 0;
    const started = await startProcesses(firstOf(node).id, limit + 50);
    expect(started).toBeLessThan(limit);
    expect(started).toBeGreaterThan(limit / 2);
  });

  it.each(internal)("%s can reach neither the host nor other networks", async (service) => {
    const targets = await forbiddenTargets(stack, hostPort());
    const { id } = firstOf(service);
    expect(await hasDefaultRoute(id)).toBe(false);
    expect(await ipv6Interfaces(id)).toEqual([]);
    const outcomes = await connectFrom(id, nodeImage, targets);
    expect(outcomes).toHaveLength(targets.length);
    expect(targets.filter((_, index) => outcomes[index] === "connected")).toEqual([]);
  });

  it.each(internal)("%s cannot reach a container in the network of the entry", async (service) => {
    const shared = await networksOf(firstOf(service));
    const edge = (await networksOf(firstOf(entry))).find((name) => !shared.includes(name)) ?? "";
    const listen = 'require("node:net").createServer((socket) => socket.end()).listen(7000)';
    await attempt("docker", argv`rm --force ${neighbor}`);
    const options = argv`--detach --name=${neighbor} --network=${edge} --network-alias=neighbor`;
    await run("docker", argv`run ${options} --entrypoint=node ${nodeImage} -e ${listen}`);
    const address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const targets = [
      { host: "neighbor", port: 7000 },
      { host: await inspect(neighbor, address), port: 7000 },
    ];
    const fromEntry = await connectFrom(firstOf(entry).id, nodeImage, targets);
    expect(fromEntry).toEqual(["connected", "connected"]);
    const outcomes = await connectFrom(firstOf(service).id, nodeImage, targets);
    expect(outcomes).toHaveLength(2);
    expect(outcomes).not.toContain("connected");
  });

  it("only the entry has a port on the host", () => {
    const published = containers
      .filter((container) => container.published.length > 0)
      .map((container) => [container.service, container.published]);
    const port = folder === "production" ? stack.ports.proxy : stack.ports.web;
    expect(published).toEqual([[entry, [port]]]);
  });
});

describeOnEngine("in a container without any of this, the same checks find", () => {
  const plain = ownName("plain");
  const parts = useParts("production");
  const hostPort = useHostServer();
  let nodeImage = "";
  let scratch = "";

  beforeAll(async () => {
    nodeImage = await parts.build("./back-end");
    scratch = await mkdtemp(path.join(tmpdir(), plain));
    const socket = path.join(scratch, "engine.sock");
    const engine = createServer();
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
    const options = argv`--detach --name=${plain} --user=0 --security-opt=seccomp=unconfined`;
    const mount = `--volume=${socket}:/run/docker.sock`;
    await run("docker", argv`run ${options} ${mount} --entrypoint=sleep ${nodeImage} infinity`);
    engine.close();
  });
  afterAll(async () => {
    await attempt("docker", argv`rm --force ${plain}`);
    await rm(scratch, { recursive: true, force: true });
  });

  it("rights", async () => {
    const rights = await rightsIn(plain);
    expect(rights).toEqual(
      expect.arrayContaining([
        "sleep is root",
        expect.stringMatching(/^sleep has capabilities \(CapEff /),
        expect.stringMatching(/^sleep has capabilities \(CapBnd /),
        "sleep may gain privileges",
        "sleep may make any system call",
      ]),
    );
  });

  it("writable folders", async () => {
    const folders = await writableFolders(plain);
    expect(folders).toEqual(expect.arrayContaining(["/", "/app", "/etc", "/tmp", "/usr/bin"]));
  });

  it("the socket of an engine", async () => {
    expect(await engineSocketsIn(plain)).toContain("/run/docker.sock");
  });

  it("no limits", async () => {
    expect(await startProcesses(plain, 600)).toBe(600);
    expect(await limitsOf(plain)).toMatchObject({ memoryBytes: undefined, cpus: undefined });
  });

  it("a route to the host and beyond", async () => {
    expect(await hasDefaultRoute(plain)).toBe(true);
    const host = await inspect(plain, "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}");
    const targets = [{ host, port: hostPort() }];
    expect(await connectFrom(plain, nodeImage, targets)).toEqual(["connected"]);
  });
});
