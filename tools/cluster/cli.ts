import { Argument } from "commander";
import { stopEngineIfIdle, withEngine } from "../engine/engine";
import { commandLine, main } from "../lib/cli";
import { listContainers, type Stack, wantedPorts } from "../lib/compose";
import { type ComposeStep, findStep } from "../lib/course";
import { findEngine } from "../lib/find-docker";
import { fetchAnswer } from "../lib/http";
import { portFrom, portVariablesIn, requirePorts } from "../lib/ports";
import type { Step } from "../lib/progress";
import { waitUntil } from "../lib/wait";
import {
  containerOf,
  localCluster,
  manager,
  removeCluster,
  startNodes,
  type Task,
} from "./cluster";
import { deploy, type StackName, swarmStacks } from "./deploy";

main(async (signal) => {
  const program = commandLine("npm run cluster --").description(
    "A Docker Swarm of three nodes on this machine, to try a stack on.",
  );
  program
    .command("up", { isDefault: true })
    .description("start the nodes, if they do not run, and deploy or update a stack")
    .addArgument(
      new Argument("[stack]", "the stack to run")
        .choices(Object.keys(swarmStacks))
        .default("production"),
    )
    .addHelpText(
      "after",
      "\nEnvironment variables set the host ports: NODE_1_PORT=9081 npm run cluster\n" +
        "(NODE_1_PORT 8081, NODE_2_PORT 8082, NODE_3_PORT 8083;\n" +
        "for the visitor counter NODE_1_WEB_PORT 5081, NODE_2_WEB_PORT 5082, NODE_3_WEB_PORT 5083)",
    )
    .action((name: StackName) => up(localCluster(), name, signal));
  program
    .command("down")
    .description("remove the nodes and everything on them")
    .action(() => down(localCluster()));
  await program.parseAsync();
  return undefined;
});

/** A node's published port on this machine. */
interface Address {
  node: string;
  /** For example `http://localhost:8081`. */
  origin: string;
}

async function up(cluster: Stack, name: StackName, signal: AbortSignal): Promise<void> {
  portVariablesIn(cluster.folder).forEach(portFrom);
  const { sample } = findStep(name) as ComposeStep;
  let isIncomplete = false;
  let addresses: Address[] = [];
  let servers: Task[] = [];
  const steps: Step[] = [
    {
      title: "three nodes",
      run: async (report) => {
        const isNew = (await listContainers(cluster)).length === 0;
        addresses = await findAddresses(cluster, swarmStacks[name].port, isNew);
        isIncomplete = isNew;
        await startNodes(cluster, report, signal);
        return "three nodes, one swarm";
      },
    },
    {
      title: name,
      run: async (report) => {
        const tasks = await deploy(cluster, name, report, signal);
        servers = tasks.filter(({ service }) => service === `${name}_${sample.servedBy}`);
        for (const { origin } of addresses) {
          await untilAllServe(`${origin}${sample.path}`, servers.length, signal);
        }
        isIncomplete = false;
        return `${name} responds on every node`;
      },
    },
  ];
  await withEngine(signal, steps, {
    cleanUp: async () => {
      if (isIncomplete) await removeCluster(cluster);
    },
  });

  const names: unknown[] = [];
  for (const { origin } of addresses) {
    names.push(...(await sampleServers(`${origin}${sample.path}`, 6)));
  }
  const lines = [
    `${name} is up, on every node:`,
    ...addresses.map(({ node, origin }) => `  ${node}  ${origin}`),
    "",
    `Requests for ${sample.path} to all nodes are distributed over`,
    ...servers.map((server) => {
      const count = names.filter((id) => id === server.container.slice(0, 12)).length;
      const share = count === 0 ? "" : `  served ${count} of ${names.length}`;
      return `  ${server.name} on ${server.node}${share}`;
    }),
    "",
    `Inspect the swarm: docker exec ${containerOf(cluster, manager)} docker service ls`,
    "Remove it: npm run cluster -- down",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

async function down(cluster: Stack): Promise<void> {
  const isUp = (await findEngine()) !== undefined && (await listContainers(cluster)).length > 0;
  if (isUp) await removeCluster(cluster);
  process.stdout.write(isUp ? "The cluster is removed\n" : "There is no cluster to remove\n");
  if (await stopEngineIfIdle()) process.stdout.write("The Docker engine is stopped\n");
}

/**
 * @param port A port inside the nodes.
 * @param isNew Whether the nodes do not run yet.
 * @returns Where each node publishes that port on this machine.
 * @throws {UserError} if a port of new nodes is in use.
 */
async function findAddresses(cluster: Stack, port: number, isNew: boolean): Promise<Address[]> {
  const ports = await wantedPorts(cluster);
  const wanted = ports.map(({ service, published, target }) => ({
    port: published,
    variable: `${service.toUpperCase().replace("-", "_")}${target === 80 ? "" : "_WEB"}_PORT`,
  }));
  if (isNew) await requirePorts(wanted);
  return ports
    .filter(({ target }) => target === port)
    .map(({ service, published }) => ({ node: service, origin: `http://localhost:${published}` }));
}

/** Waits until every server responds; if a stack does not send `X-Served-By`, until any does. */
async function untilAllServe(url: string, servers: number, signal: AbortSignal): Promise<void> {
  const allServe = async (): Promise<boolean> => {
    const names = new Set(await sampleServers(url, servers));
    return !names.has(null) && (names.size === servers || names.has(undefined));
  };
  await waitUntil(allServe, { for: `every server at ${url}`, timeoutMs: 60_000, signal });
}

/** @returns `X-Served-By` of each response; null for a failed request. */
async function sampleServers(url: string, count: number): Promise<unknown[]> {
  const names: unknown[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const { status, headers } = await fetchAnswer(url);
    names.push(status === 200 ? headers["x-served-by"] : null);
  }
  return names;
}
