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
import { portVariable, root, type Service, scaleCommand } from "../lib/course";
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
 * Builds a task's stack and brings it up in the background, and waits until it answers. When that
 * fails or is interrupted, all of it is removed again, unless it was already up before.
 * @returns What to tell the person: the addresses, and who served a few requests.
 * @throws {UserError} when a port is taken or another folder's stack has the name.
 */
export async function startWithCompose(
  task: string,
  report: Report,
  signal: AbortSignal,
): Promise<string[]> {
  const stack = stackOf(task);
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
    const up = task === "task6" ? await scaleCommand() : ["up"];
    await compose(stack, [...up, "--detach", "--build", "--wait"], {
      signal,
      onLine: report.detail,
    });
    return await introduce(task, stack, ports, signal);
  } catch (error) {
    if (before.length === 0) await takeDown(stack);
    throw error;
  }
}

/**
 * Ends a task's stack, if it is up.
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
  task: string,
  stack: Stack,
  ports: readonly WantedPort[],
  signal: AbortSignal,
): Promise<string[]> {
  const addressOf = (service: Service): string | undefined => {
    const port = ports.find((wanted) => wanted.service === service)?.published;
    if (port === undefined) return undefined;
    return port === 80 ? "http://localhost" : `http://localhost:${port}`;
  };
  const site = addressOf("proxy") ?? addressOf("front-end");
  const api = `${addressOf("proxy") ?? addressOf("back-end")}/api/hello`;
  await waitUntil(async () => (await fetchAnswer(`${site}/`)).status === 200, {
    for: `${site} to answer`,
    timeoutMs: 10_000,
    signal,
  });

  const marker = newMarker();
  const bodies = new Set<string>();
  for (let sent = 0; sent < sampleSize; sent += 1) {
    bodies.add((await fetchAnswer(`${api}?${marker}`)).body);
  }
  const served = await countServed(stack, "back-end", marker, sampleSize);
  return [
    `${task} is up: ${site}`,
    "",
    `${sampleSize} requests to ${api}, answered ${[...bodies].join(", ")}`,
    ...Array.from(served, ([name, count]) => `  ${name} served ${count}`),
  ];
}
