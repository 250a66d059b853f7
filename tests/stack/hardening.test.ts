import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
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
  type Target,
  writableFolders,
} from "../lib/confinement";
import { useParts } from "../lib/parts";
import { bringUp, describeOnEngine, ownName, useStack } from "../lib/stacks";

/** A listener of the test on the host, at all of its addresses, as a database might be. */
function useListener(): () => number {
  let server: Server;
  beforeAll(async () => {
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  });
  afterAll(() => {
    server.close();
  });
  return () => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("nothing listens");
    return address.port;
  };
}

/** @returns The host's own addresses, those in the networks of containers among them. */
function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
}

/** @returns The addresses that the networks of a project keep for the host, used or not. */
async function gatewaysOf(project: string): Promise<string[]> {
  const label = `--filter=label=com.docker.compose.project=${project}`;
  const networks = (await run("docker", ["network", "ls", "--quiet", label])).split("\n");
  const format = "{{range .IPAM.Config}}{{.Gateway}} {{end}}";
  const told = await run("docker", ["network", "inspect", `--format=${format}`, ...networks]);
  return told.split(/\s+/).filter((address) => address !== "");
}

/** @returns The names of the networks that a container is in. */
async function networksOf({ id }: Container): Promise<string[]> {
  const format = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
  return (await run("docker", ["inspect", `--format=${format}`, id])).trim().split(" ");
}

/** Docker gives every container these: small, and gone with it. */
const everybodys = ["/dev", "/dev/mqueue", "/dev/shm"];
const nginxs = ["/run", "/var/cache/nginx"];

interface Case {
  folder: string;
  built: string[];
  args: string[];
  /** Its image has Node.js. */
  withNode: string;
  /** Folders that a service may write to, by name. */
  writable: Record<string, string[]>;
  /** Services that have no way out of their network. */
  shutIn: string[];
  /** The one service with a port on the host. */
  front: string;
}

const cases: Case[] = [
  {
    folder: "production",
    built: ["back-end", "front-end", "proxy"],
    args: ["--scale", "back-end=2"],
    withNode: "back-end",
    writable: { "back-end": [], "front-end": nginxs, proxy: nginxs },
    shutIn: ["back-end", "front-end"],
    front: "proxy",
  },
  {
    folder: "visitor-counter",
    built: ["webapp"],
    args: [],
    withNode: "webapp",
    writable: { webapp: [], redis: ["/data"], nginx: nginxs },
    shutIn: ["redis", "webapp"],
    front: "nginx",
  },
];

describeOnEngine.each(cases)("$folder, from inside its containers", (stackCase) => {
  const { folder, built, args, withNode, writable, shutIn, front } = stackCase;
  const stack = useStack(folder, built);
  const listenerPort = useListener();
  const outside = ownName("outside");
  let containers: Container[] = [];
  let image = "";

  /** A service's first container. */
  const theOne = (service: string): Container => {
    const found = containers.find((container) => container.service === service);
    if (found === undefined) throw new Error(`${service} does not run`);
    return found;
  };

  beforeAll(async () => {
    await bringUp(stack, args);
    containers = await listContainers(stack);
    image = `${stack.project}-${withNode}`;
  });
  afterAll(() => attempt("docker", ["rm", "--force", outside]));

  const services = Object.keys(writable);

  it.each(services)("no process of %s has a right beyond its user's", async (service) => {
    expect(await rightsIn(theOne(service).id)).toEqual([]);
  });

  it.each(services)("%s can write only where it must, even as root", async (service) => {
    const allowed = [...everybodys, ...(writable[service] ?? [])];
    for (const user of [undefined, "0"]) {
      const folders = await writableFolders(theOne(service).id, user);
      const strange = folders.filter(
        (found) => !allowed.some((one) => found === one || found.startsWith(`${one}/`)),
      );
      expect({ user, strange }).toEqual({ user, strange: [] });
    }
  });

  it.each(services)("%s can write where it must", async (service) => {
    const folders = await writableFolders(theOne(service).id);
    expect(folders).toEqual(expect.arrayContaining(writable[service] ?? []));
  });

  it.each(services)("%s has no socket of an engine", async (service) => {
    expect(await engineSocketsIn(theOne(service).id)).toEqual([]);
  });

  it("gives each container what docker-compose.yml grants, and no more", async () => {
    const declared = await declaredLimits(stack);
    for (const service of services) {
      const granted = declared[service];
      expect(Object.values(granted ?? {})).not.toContain(undefined);
      expect(await limitsOf(theOne(service).id)).toEqual(granted);
    }
  });

  it("lets a container start no more processes than that", async () => {
    const limit = (await declaredLimits(stack))[withNode]?.processes ?? 0;
    const started = await startProcesses(theOne(withNode).id, limit + 50);
    expect(started).toBeLessThan(limit);
    expect(started).toBeGreaterThan(limit / 2);
  });

  it.each(shutIn)("%s has no way out: not to the host, not beyond", async (service) => {
    const port = listenerPort();
    const host = [...hostAddresses(), ...(await gatewaysOf(stack.project))];
    const targets: Target[] = [
      ...host.flatMap((address) => [
        { host: address, port },
        { host: address, port: 2375 },
        { host: address, port: 2376 },
        { host: address, port: stack.ports.proxy },
        { host: address, port: stack.ports.web },
      ]),
      { host: "host.docker.internal", port },
      { host: "gateway.docker.internal", port },
      // A documentation address, a metadata service, a name: beyond the host
      { host: "198.51.100.1", port: 80 },
      { host: "169.254.169.254", port: 80 },
      { host: "example.com", port: 80 },
    ];
    const { id } = theOne(service);
    expect(await hasDefaultRoute(id)).toBe(false);
    expect(await ipv6Interfaces(id)).toEqual([]);
    const outcomes = await connectFrom(id, image, targets);
    expect(outcomes).toHaveLength(targets.length);
    expect(targets.filter((_, index) => outcomes[index] === "connected")).toEqual([]);
  });

  it.each(shutIn)("%s cannot reach what stands in the front network", async (service) => {
    const [first, own] = [theOne(front), theOne(service)];
    const shared = await networksOf(own);
    const frontNetwork = (await networksOf(first)).find((name) => !shared.includes(name)) ?? "";
    const listen = 'require("node:net").createServer((socket) => socket.end()).listen(7000)';
    await attempt("docker", ["rm", "--force", outside]);
    await run("docker", [
      ...["run", "--detach", `--name=${outside}`, `--network=${frontNetwork}`],
      ...["--network-alias=outside", "--entrypoint=node", image, "-e", listen],
    ]);
    const address = await run("docker", [
      ...["inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", outside],
    ]);
    const targets = [
      { host: "outside", port: 7000 },
      { host: address, port: 7000 },
    ];
    expect(await connectFrom(first.id, image, targets)).toEqual(["connected", "connected"]);
    const outcomes = await connectFrom(own.id, image, targets);
    expect(outcomes).toHaveLength(2);
    expect(outcomes).not.toContain("connected");
  });

  it("opens one port on the host, that of the front", async () => {
    const published = containers
      .filter((container) => container.published.length > 0)
      .map((container) => [container.service, container.published]);
    const port = folder === "production" ? stack.ports.proxy : stack.ports.web;
    expect(published).toEqual([[front, [port]]]);
  });
});

describeOnEngine("in a container for which nothing of it is done, the same checks find", () => {
  const plain = ownName("plain");
  const parts = useParts("production");
  const listenerPort = useListener();
  let image = "";
  let scratch = "";

  beforeAll(async () => {
    image = await parts.build("./back-end");
    scratch = await mkdtemp(path.join(tmpdir(), plain));
    const socket = path.join(scratch, "engine.sock");
    const engine = createServer();
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
    await run("docker", [
      ...["run", "--detach", `--name=${plain}`, "--user=0", "--security-opt=seccomp=unconfined"],
      ...[`--volume=${socket}:/run/docker.sock`, "--entrypoint=sleep", image, "infinity"],
    ]);
    engine.close();
  });
  afterAll(async () => {
    await attempt("docker", ["rm", "--force", plain]);
    await rm(scratch, { recursive: true, force: true });
  });

  it("rights", async () => {
    expect(await rightsIn(plain)).toEqual(
      expect.arrayContaining([
        "sleep is root",
        expect.stringMatching(/^sleep has capabilities \(CapEff /),
        expect.stringMatching(/^sleep has capabilities \(CapBnd /),
        "sleep may gain rights",
        "sleep may make any system call",
      ]),
    );
  });

  it("places to write", async () => {
    expect(await writableFolders(plain)).toEqual(
      expect.arrayContaining(["/", "/app", "/etc", "/tmp", "/usr", "/usr/bin", "/var"]),
    );
  });

  it("the socket of an engine", async () => {
    expect(await engineSocketsIn(plain)).toContain("/run/docker.sock");
  });

  it("as many processes as somebody starts", async () => {
    expect(await startProcesses(plain, 600)).toBe(600);
  });

  it("no limits", async () => {
    expect(await limitsOf(plain)).toMatchObject({ memoryBytes: undefined, cpus: undefined });
  });

  it("a way to the host and a way out", async () => {
    expect(await hasDefaultRoute(plain)).toBe(true);
    const gateway = await run("docker", [
      ...["inspect", "--format={{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", plain],
    ]);
    const targets = [{ host: gateway, port: listenerPort() }];
    expect(await connectFrom(plain, image, targets)).toEqual(["connected"]);
  });
});
