import path from "node:path";
import { type Part, portVariable, root } from "../lib/course";
import { UserError } from "../lib/errors";
import { fetchAnswer } from "../lib/http";
import { requireFreePort } from "../lib/ports";
import type { Report } from "../lib/progress";
import { attempt, type RunOptions, run } from "../lib/run";
import { waitUntil } from "../lib/wait";

/** Tells containers that we started from those that someone started by typing the course's lines. */
const label = "softy-pinko.started-from";

/**
 * Builds a task's only image and runs it once.
 * @returns What it printed.
 */
export async function runOnce(
  task: string,
  image: string,
  report: Report,
  signal: AbortSignal,
): Promise<string[]> {
  await build(task, ".", image, report, signal);
  return [await run("docker", ["run", "--rm", image], { signal })];
}

/**
 * Builds the images of a task and runs each in a container in the background, as the course does in
 * one terminal each, and waits until they answer. When that fails or is interrupted, all are
 * removed again.
 * @returns What to tell the person: the addresses.
 * @throws {UserError} when a port or a container's name is taken.
 */
export async function startByHand(
  task: string,
  parts: readonly Part[],
  report: Report,
  signal: AbortSignal,
): Promise<string[]> {
  await stopByHand(task);
  for (const { service, port, container } of parts) {
    await requireFreePort(hostPort(service, port), portVariable[service]);
    if ((await attempt("docker", ["container", "inspect", container])).ok) {
      throw new UserError(
        `a container ${container} exists: remove it with docker rm -f ${container}.`,
      );
    }
  }
  try {
    const lines = [`${task} is up`];
    for (const { service, context, image, container, port } of parts) {
      await build(task, context, image, report, signal);
      const published = hostPort(service, port);
      report(`starting ${container}`);
      await run(
        "docker",
        [
          ...["run", "--detach", "--rm", `--label=${label}=${path.join(root, task)}`],
          ...["-p", `${published}:${port}`, "--name", container, image],
        ],
        { signal },
      );
      const url = `http://localhost:${published}${service === "back-end" ? "/api/hello" : ""}`;
      await waitUntil(async () => (await fetchAnswer(url)).status === 200, {
        for: `${url} to answer`,
        timeoutMs: 30_000,
        signal,
      });
      lines.push(`  ${service.padEnd(9)}  ${url}`);
    }
    return lines;
  } catch (error) {
    await stopByHand(task);
    throw error;
  }
}

/**
 * Ends the containers that {@link startByHand} started.
 * @returns Whether there were any.
 */
export async function stopByHand(task: string): Promise<boolean> {
  const options: RunOptions = { detached: true };
  const filter = `--filter=label=${label}=${path.join(root, task)}`;
  const containers = await run("docker", ["ps", "--all", "--quiet", filter], options);
  if (containers === "") return false;
  await run("docker", ["rm", "--force", ...containers.split("\n")], options);
  return true;
}

function hostPort(service: Part["service"], port: number): number {
  return Number(process.env[portVariable[service]] ?? port);
}

async function build(
  task: string,
  context: string,
  image: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  report(`building ${image}`);
  const dockerfile = path.join(context, "Dockerfile");
  await run("docker", ["build", "-f", dockerfile, "-t", image, context], {
    cwd: path.join(root, task),
    signal,
    onLine: report.detail,
  });
}
