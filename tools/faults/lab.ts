import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { globalAgent } from "node:https";
import path from "node:path";
import { argv } from "../lib/argv";
import { compose, listContainers, readConfig, type Stack } from "../lib/compose";
import { portVariable, root } from "../lib/course";
import { UserError } from "../lib/errors";
import { fetchAnswer } from "../lib/http";
import type { Report } from "../lib/progress";
import { openTemporaryProject, type TemporaryProject } from "../lib/temporary-project";
import { waitUntil } from "../lib/wait";
import type { FaultCase } from "./cases";
import { Experiment, faultyService, servedBy, versionVariable } from "./experiment";
import { Load } from "./load";
import { balancedFrom } from "./measure";
import type { CaseReport, LabReport } from "./report";
import { api, probes, type StackName } from "./stacks";
import { summarize } from "./summarize";

/** Servers that share the load, the faulty one among them. */
const serverCount = 3;
/** Seconds of load before the fault, and after the recovery. */
const baselineS = 1;
/** If the load is not served, or not balanced, after this time, it is not expected to be. */
const maxRecoveryS = 20;
/** How long the load goes on instead if responses do not name the server. */
const blindRecoveryS = 3;

/** The variable that sets the host port of HTTPS. */
const httpsPort = "HTTPS_PORT";

/** Names a stack of the lab, and gives it a free port. Nothing is built or started. */
export function openLab(stack: StackName): Promise<TemporaryProject> {
  const isSecure = stack === "production-https";
  const composeFiles = ["docker-compose.yml", ...(isSecure ? ["docker-compose.https.yml"] : [])];
  const built = [api.service, "front-end", "proxy", ...(isSecure ? ["https"] : [])];
  return openTemporaryProject({
    folder: path.join(root, isSecure ? "production" : stack),
    project: `softy-pinko-faults-${randomBytes(3).toString("hex")}`,
    built,
    composeFiles,
    portVariables: isSecure ? [portVariable.proxy, httpsPort] : [portVariable.proxy],
    // A label from the environment, so that a build can make a new version
    labels: { version: `\${${versionVariable}:-1}` },
  });
}

/** Builds the stack, and the faulty server if one of the cases needs it. */
export async function buildLab(
  project: TemporaryProject,
  cases: readonly FaultCase[],
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  const options = { signal, onLine: report.detail };
  report(`building ${project.project}`);
  await compose(project, ["build"], options);
  const example = cases.find(({ faulty }) => faulty !== undefined);
  if (example === undefined) return;
  await writeFile(faultyFileOf(project), await faultyServerFile(project));
  await compose(stackFor(project, example), ["build", faultyService], options);
}

/** Injects one fault into a stack that is built. All servers run afterwards, unless this throws. */
export async function runCase(
  project: TemporaryProject,
  fault: FaultCase,
  { round, rate }: Pick<LabReport, "rate"> & Pick<CaseReport, "round">,
  signal: AbortSignal,
  report: Report,
): Promise<CaseReport> {
  const stack = stackFor(project, fault);
  const { [httpsPort]: secure, [portVariable.proxy]: plain } = project.ports;
  const origin = secure ? `https://127.0.0.1:${secure}` : `http://127.0.0.1:${plain}`;
  const replicas = fault.faulty === undefined ? serverCount : serverCount - 1;
  report(`${serverCount} servers`);
  await arrange(stack, origin, replicas, { signal, onLine: report.detail });
  const load = new Load(origin, probes, rate);
  const experiment = new Experiment(stack, load, report, signal);
  try {
    await experiment.hold(baselineS);
    await waitUntilBalanced(experiment);
    // A cold start may need a moment to catch up
    const isLate = (): boolean => load.now() > maxRecoveryS * 1_000;
    await experiment.waitFor("the warm-up", () => !load.isFull || isLate());
    requireHeadroom(load);
    load.startMeasuring();
    await fault.run(experiment);
    // Its first event; before that, it looks for its servers
    const fromMs = (experiment.events[0]?.atS ?? 0) * 1_000;
    const toMs = load.now();
    report("recovering");
    const balancedMs = await waitUntilBalanced(experiment);
    await experiment.hold(baselineS);
    await load.stop();
    return summarize(experiment, { fault, round, fromMs, toMs, balancedMs });
  } finally {
    await load.stop();
  }
}

/** @throws {UserError} if the stack cannot serve the load, although there is no fault. */
export function requireHeadroom({ isFull, rate }: Pick<Load, "isFull" | "rate">): void {
  if (!isFull) return;
  const problem = `this machine cannot serve ${rate} requests per second, even without a fault`;
  throw new UserError(`${problem}: stop other programs, or set a lower --rate.`);
}

/** Brings up what each fault starts from: healthy servers and a proxy that remembers no failure. */
async function arrange(
  stack: Stack,
  origin: string,
  replicas: number,
  options: { signal: AbortSignal; onLine: (line: string) => void },
): Promise<void> {
  const waiting = { timeoutMs: 30_000, signal: options.signal };
  // Compose fails if a container that was paused is still unhealthy
  const areHealthy = async (): Promise<boolean> =>
    (await listContainers(stack)).every(({ health }) => health !== "unhealthy");
  await waitUntil(areHealthy, { for: "every container to be healthy", ...waiting });
  const scale = `${api.service}=${replicas}`;
  const up = argv`up --detach --no-build --wait --remove-orphans --scale=${scale}`;
  await compose(stack, up, options);
  await compose(stack, ["restart", "proxy"], options);
  if (origin.startsWith("https:")) {
    const read = argv`exec -T proxy cat /etc/nginx/https/fullchain.pem`;
    // The lab has no other HTTPS connections
    globalAgent.options.ca = await compose(stack, read, options);
  }
  for (const { path, isExpected } of probes) {
    const isServed = async (): Promise<boolean> =>
      isExpected((await fetchAnswer(`${origin}${path}`)).body);
    await waitUntil(isServed, { for: `${path} to be served`, ...waiting });
  }
}

/**
 * Waits until the load is balanced, for at most 20 s.
 * @returns When it was, in milliseconds from the start of the load. Undefined if a server is missing,
 *   or if responses do not name the server.
 */
async function waitUntilBalanced(experiment: Experiment): Promise<number | undefined> {
  const { load } = experiment;
  const fromMs = load.now();
  const { length } = load.samples;
  const servers = (await experiment.servers()).map(servedBy);
  if (!load.samples.some(({ server }) => server !== undefined)) {
    await experiment.hold(blindRecoveryS);
    return undefined;
  }
  if (servers.length < serverCount) return undefined;
  let balancedMs: number | undefined;
  await experiment.waitFor("a balanced load", () => {
    balancedMs = balancedFrom(load.samples.slice(length), fromMs, servers);
    return balancedMs !== undefined || load.now() > fromMs + maxRecoveryS * 1_000;
  });
  return balancedMs;
}

/** The Compose file that adds the faulty server. */
const faultyFileOf = ({ scratch }: TemporaryProject): string =>
  path.join(scratch, "faulty-server.yml");

function stackFor(project: TemporaryProject, { faulty }: FaultCase): Stack {
  if (faulty === undefined) return project;
  const files = `${project.env.COMPOSE_FILE}:${faultyFileOf(project)}`;
  return { ...project, env: { ...project.env, COMPOSE_FILE: files, FAULT: faulty } };
}

/** A server with the API's settings, limits and DNS name whose program can be made to misbehave. */
async function faultyServerFile(stack: TemporaryProject): Promise<string> {
  const { folder, project } = stack;
  const { services } = await readConfig(stack);
  const networks = Object.keys(services[api.service]?.networks ?? {});
  const service = {
    extends: { file: path.join(folder, "docker-compose.yml"), service: api.service },
    image: `${project}-${faultyService}`,
    build: {
      context: path.join(__dirname, faultyService),
      args: { SERVER: `${project}-${api.service}` },
    },
    command: ["node", "--import=/misbehave.mts", ...api.command],
    // The value is from the environment
    environment: ["FAULT"],
    networks: Object.fromEntries(networks.map((name) => [name, { aliases: [api.service] }])),
  };
  return JSON.stringify({ services: { [faultyService]: service } });
}
