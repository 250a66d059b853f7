import path from "node:path";
import { argv } from "../lib/argv";
import { type Part, portVariable, portVariableOf, root } from "../lib/course";
import { requireImage } from "../lib/docker";
import { UserError } from "../lib/errors";
import { waitUntilServed } from "../lib/http";
import { portFrom, requirePorts } from "../lib/ports";
import type { Report } from "../lib/progress";
import { attempt, run } from "../lib/run";

/** The label of containers that `npm start` started; the value is the step's folder. */
const label = (task: string): string => `softy-pinko.started-from=${path.join(root, task)}`;

/**
 * Builds a step's only image and runs it once.
 * @returns What it printed.
 */
export async function runOnce(
  task: string,
  image: string,
  report: Report,
  signal: AbortSignal,
): Promise<string[]> {
  await build(task, { context: ".", image }, report, signal);
  return [await run("docker", argv`run --rm --pull=never ${image}`, { signal })];
}

/**
 * Builds the images of a step, runs each in the background and waits until they respond. On failure
 * or Ctrl-C all containers are removed.
 * @returns The addresses, as lines for the user.
 * @throws {UserError} if a port is in use or a container of that name exists.
 */
export async function startByHand(
  task: string,
  parts: readonly Part[],
  report: Report,
  signal: AbortSignal,
): Promise<string[]> {
  await stopByHand(task);
  const hostPort = ({ service, port }: Part): number => portFrom(portVariable[service]) ?? port;
  await requirePorts(
    parts.map((part) => ({ port: hostPort(part), variable: portVariableOf(task, part.service) })),
  );
  for (const part of parts) {
    const { ok } = await attempt("docker", ["container", "inspect", part.container]);
    if (!ok) continue;
    throw new UserError(
      `a container ${part.container} exists: remove it with docker rm -f ${part.container}.`,
    );
  }
  try {
    const lines = [`${task} is up`];
    for (const part of parts) {
      const { service, image, container, port } = part;
      await build(task, part, report, signal);
      report(`starting ${container}`);
      const published = `${hostPort(part)}:${port}`;
      const options = argv`--detach --rm --pull=never --label=${label(task)} -p ${published}`;
      await run("docker", argv`run ${options} --name ${container} ${image}`, { signal });
      const route = service === "back-end" ? "/api/hello" : "";
      const url = `http://localhost:${hostPort(part)}${route}`;
      await waitUntilServed(url, { timeoutMs: 30_000, signal });
      lines.push(`  ${service.padEnd(9)}  ${url}`);
    }
    return lines;
  } catch (error) {
    await stopByHand(task);
    throw error;
  }
}

/**
 * Removes the containers that {@link startByHand} started.
 * @returns Whether there were any.
 */
export async function stopByHand(task: string): Promise<boolean> {
  const list = argv`ps --all --quiet --filter=label=${label(task)}`;
  const containers = await run("docker", list, { detached: true });
  if (containers === "") return false;
  await run("docker", argv`rm --force ${containers.split("\n")}`, { detached: true });
  return true;
}

async function build(
  task: string,
  { context, image }: Pick<Part, "context" | "image">,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  report(`building ${image}`);
  const file = path.join(context, "Dockerfile");
  const cwd = path.join(root, task);
  const options = { cwd, signal, onLine: report.detail };
  // A builder in a container keeps the image to itself otherwise
  await run("docker", argv`build --load -f ${file} -t ${image} ${context}`, options);
  await requireImage(image, { signal });
}
