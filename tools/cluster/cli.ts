import { type Engine, engineStep, stopEngineIfIdle } from "../engine/engine";
import { commandLine, main } from "../lib/cli";
import { listContainers, type Stack, wantedPorts } from "../lib/compose";
import { engineVersion } from "../lib/docker";
import { fetchAnswer } from "../lib/http";
import { requireFreePort } from "../lib/ports";
import { runSteps } from "../lib/progress";
import { waitUntil } from "../lib/wait";
import {
  containerOf,
  localCluster,
  manager,
  removeCluster,
  startNodes,
  type Task,
} from "./cluster";
import { deploy, findStack, type SwarmStack, stacks } from "./deploy";

main(async (signal) => {
  const program = commandLine("npm run cluster --").description(
    "Three machines on this one, joined to a Docker Swarm, to try a stack on.",
  );
  program
    .command("up", { isDefault: true })
    .description("start the machines, if they are not up, and deploy or update a stack")
    .argument("[stack]", stacks.map(({ name }) => name).join(" or "), "production")
    .addHelpText(
      "after",
      "\nPorts on this machine move by environment: NODE_1_PORT=9081 npm run cluster\n" +
        "(NODE_1_PORT 8081, NODE_2_PORT 8082, NODE_3_PORT 8083;\n" +
        "for the visitor counter NODE_1_WEB_PORT 5081, NODE_2_WEB_PORT 5082, NODE_3_WEB_PORT 5083)",
    )
    .action((name: string) => up(localCluster(), findStack(name), signal));
  program
    .command("down")
    .description("remove the machines and all that is on them")
    .action(() => down(localCluster()));
  await program.parseAsync();
  return undefined;
});

/** Where a node's port is on this machine. */
interface Address {
  node: string;
  /** Such as `http://localhost:8081`. */
  origin: string;
}

async function up(cluster: Stack, stack: SwarmStack, signal: AbortSignal): Promise<void> {
  let engine: Engine | undefined;
  let isNew = false;
  let addresses: Address[] = [];
  let tasks: Task[] = [];
  try {
    await runSteps([
      engineStep(signal, (ready) => {
        engine = ready;
      }),
      {
        title: "three nodes",
        run: async (report) => {
          const before = await listContainers(cluster);
          isNew = before.length === 0;
          addresses = await claimPorts(cluster, stack.port, isNew);
          await startNodes(cluster, report, signal);
          return "three nodes, one swarm";
        },
      },
      {
        title: stack.name,
        run: async (report) => {
          tasks = await deploy(cluster, stack, report, signal);
          const servers = serversOf(stack, tasks).length;
          for (const { origin } of addresses) await isSharing(origin, stack, servers, signal);
          return `${stack.name} answers on every node`;
        },
      },
    ]);
    process.stdout.write(await introduction(cluster, stack, addresses, tasks));
  } catch (error) {
    if (isNew) await removeCluster(cluster);
    if (engine?.started) await stopEngineIfIdle();
    throw error;
  }
}

async function down(cluster: Stack): Promise<void> {
  const isThere =
    (await engineVersion()) !== undefined && (await listContainers(cluster)).length > 0;
  if (isThere) await removeCluster(cluster);
  process.stdout.write(isThere ? "The cluster is removed\n" : "There is no cluster to remove\n");
  if (await stopEngineIfIdle()) process.stdout.write("The Docker engine is stopped\n");
}

/**
 * Finds the nodes' ports on this machine.
 * @param port The one inside the nodes that is of interest.
 * @param isNew Whether they are still to be had.
 * @throws {UserError} when one is taken.
 */
async function claimPorts(cluster: Stack, port: number, isNew: boolean): Promise<Address[]> {
  const wanted = await wantedPorts(cluster);
  for (const { service, published, target } of isNew ? wanted : []) {
    const variable = `${service.toUpperCase().replace("-", "_")}${target === 80 ? "" : "_WEB"}_PORT`;
    await requireFreePort(published, variable);
  }
  return wanted
    .filter(({ target }) => target === port)
    .map(({ service, published }) => ({ node: service, origin: `http://localhost:${published}` }));
}

/** @returns The tasks that take turns. */
function serversOf({ name, sample }: SwarmStack, tasks: readonly Task[]): Task[] {
  return tasks.filter(({ service }) => service === `${name}_${sample.servedBy}`);
}

/** Waits until a node has heard of every server; where they give no names, until it answers. */
async function isSharing(
  origin: string,
  { sample }: SwarmStack,
  servers: number,
  signal: AbortSignal,
): Promise<void> {
  const url = `${origin}${sample.path}`;
  const everyone = async (): Promise<boolean> => {
    const names = new Set<string | undefined>();
    for (let sent = 0; sent < servers; sent += 1) {
      const { status, headers } = await fetchAnswer(url);
      if (status !== 200) return false;
      names.add(headers["x-served-by"]?.toString());
    }
    return names.size === servers || names.has(undefined);
  };
  await waitUntil(everyone, { for: `every server at ${url}`, timeoutMs: 60_000, signal });
}

/** Requests to each node: enough to see turns. */
const sampleSize = 6;

async function introduction(
  cluster: Stack,
  stack: SwarmStack,
  addresses: readonly Address[],
  tasks: readonly Task[],
): Promise<string> {
  const { name, sample } = stack;
  const served = new Map<string, number>();
  for (const { origin } of addresses) {
    for (let sent = 0; sent < sampleSize; sent += 1) {
      const { headers } = await fetchAnswer(`${origin}${sample.path}`);
      const server = headers["x-served-by"]?.toString() ?? "";
      served.set(server, (served.get(server) ?? 0) + 1);
    }
  }
  const shareOf = ({ container }: Task): string => {
    const count = served.get(container.slice(0, 12));
    return count === undefined ? "" : `  served ${count} of ${sampleSize * addresses.length}`;
  };
  return [
    `${name} is up, on every node:`,
    ...addresses.map(({ node, origin }) => `  ${node}  ${origin}`),
    "",
    `Requests for ${sample.path} to all nodes are shared by`,
    ...serversOf(stack, tasks).map((task) => `  ${task.name} on ${task.node}${shareOf(task)}`),
    "",
    `Ask the swarm: docker exec ${containerOf(cluster, manager)} docker service ls`,
    "Remove it all: npm run cluster -- down",
    "",
  ].join("\n");
}
