import path from "node:path";
import {
  compose,
  countServed,
  listContainers,
  newMarker,
  projectOf,
  type Stack,
  takeDown,
  type WantedPort,
  wantedPorts,
} from "../lib/compose";
import { type ComposeStep, portVariable, root, type Service, upCommand } from "../lib/course";
import { UserError } from "../lib/errors";
import { fetchAnswer } from "../lib/http";
import { requireFreePort } from "../lib/ports";
import type { Report } from "../lib/progress";
import { run } from "../lib/run";
import { waitUntil } from "../lib/wait";

const stackOf = (task: string): Stack => ({ folder: path.join(root, task) });

/** A sample of round robin: enough requests to see turns, few enough to read the log. */
const sampleSize = 6;

/**
 * Builds a step's stack and brings it up in the background, and waits until it answers. When that
 * fails or is interrupted, all of it is removed again, unless it was already up before.
 * @returns What to tell the person: the addresses, and who served a few requests.
 * @throws {UserError} when a port is taken or another folder's stack has the name.
 */
export async function startWithCompose(
  step: ComposeStep,
  report: Report,
  signal: AbortSignal,
): Promise<string[]> {
  const stack = stackOf(step.name);
  const [before, ports] = await Promise.all([
    listContainers(stack),
    wantedPorts(stack),
    refuseNamesake(stack),
  ]);
  const mine = new Set(before.flatMap(({ published }) => published));
  for (const { service, published } of ports) {
    if (!mine.has(published)) await requireFreePort(published, portVariable[service as Service]);
  }

  try {
    report("building and starting");
    await compose(stack, [...(await upCommand(step)), "--detach", "--build", "--wait"], {
      signal,
      onLine: report.detail,
    });
    return await introduce(step, stack, ports, signal);
  } catch (error) {
    if (before.length === 0) await takeDown(stack);
    throw error;
  }
}

/**
 * Ends a step's stack, if it is up; its volumes stay.
 * @returns Whether there was anything to end.
 */
export async function stopWithCompose(task: string): Promise<boolean> {
  const stack = stackOf(task);
  const containers = await run("docker", [
    ...["ps", "--all", "--quiet"],
    `--filter=label=com.docker.compose.project=${projectOf(stack)}`,
    `--filter=label=com.docker.compose.project.working_dir=${stack.folder}`,
  ]);
  if (containers === "") return false;
  await takeDown(stack);
  return true;
}

/** A project is known by its name alone: `up` would take another folder's containers for ours. */
async function refuseNamesake(stack: Stack): Promise<void> {
  const project = projectOf(stack);
  const folders = await run("docker", [
    ...["ps", "--all", `--filter=label=com.docker.compose.project=${project}`],
    '--format={{.Label "com.docker.compose.project.working_dir"}}',
  ]);
  const other = folders.split("\n").find((folder) => folder !== "" && folder !== stack.folder);
  if (other !== undefined) {
    throw new UserError(
      `a stack named ${project} from ${other} exists: end it there with docker-compose down, or set COMPOSE_PROJECT_NAME.`,
    );
  }
}

async function introduce(
  { name, site, sample }: ComposeStep,
  stack: Stack,
  ports: readonly WantedPort[],
  signal: AbortSignal,
): Promise<string[]> {
  const addressOf = (service: Service): string => {
    const port = ports.find((wanted) => wanted.service === service)?.published;
    return port === 80 ? "http://localhost" : `http://localhost:${port}`;
  };
  await waitUntil(async () => (await fetchAnswer(`${addressOf(site)}/`)).status === 200, {
    for: `${addressOf(site)} to answer`,
    timeoutMs: 10_000,
    signal,
  });

  const marker = newMarker();
  const url = `${addressOf(sample.to)}${sample.path}`;
  const bodies = new Set<string>();
  for (let sent = 0; sent < sampleSize; sent += 1) {
    bodies.add((await fetchAnswer(`${url}?${marker}`)).body);
  }
  const served = await countServed(stack, sample.servedBy, marker, sampleSize);
  // A page is for the browser
  const said = [...bodies].filter((body) => !body.startsWith("<")).join(", ");
  return [
    `${name} is up: ${addressOf(site)}`,
    "",
    `${sampleSize} requests to ${url}${said === "" ? "" : `, answered ${said}`}`,
    ...Array.from(served, ([server, count]) => `  ${server} served ${count}`),
  ];
}
