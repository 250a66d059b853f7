import { argv } from "./argv";
import { type Container, compose, listContainers, type Stack } from "./compose";
import { UserError } from "./errors";
import { fetchAnswer } from "./http";
import type { Report } from "./progress";
import { run } from "./run";
import { waitUntil } from "./wait";

export interface Redeployment {
  /** The service whose replicas are replaced. */
  service: string;
  /** Served by the replicas in turn, each with its container ID in `X-Served-By`. */
  url: string;
  signal?: AbortSignal | undefined;
  report?: Report | undefined;
}

/**
 * Replaces all replicas of a service by as many of a newly built image, without downtime: the old
 * ones stop only after the proxy has had a response from each new one. If that fails or is
 * interrupted, the new ones are removed, and the old ones keep running.
 *
 * The order is that of Compose's own test for it: scale up without recreating, then remove the old ones
 * (https://github.com/docker/compose/blob/main/pkg/e2e/scale_test.go).
 * @returns The new containers.
 * @throws {UserError} if the service does not run.
 * @throws {CommandError} if the image cannot be built or a new container does not become healthy.
 */
export async function redeploy(stack: Stack, options: Redeployment): Promise<Container[]> {
  const { service, url, signal, report } = options;
  const old = await listContainers(stack, service);
  if (old.length === 0) {
    throw new UserError(`${service} does not run: start the stack with npm start first.`);
  }
  const listNew = async (): Promise<Container[]> =>
    (await listContainers(stack, service)).filter(({ id }) => !old.some((one) => one.id === id));
  const runCompose = (args: string[]): Promise<string> =>
    compose(stack, args, { signal, onLine: report?.detail });

  try {
    report?.(`building ${service}`);
    await runCompose(["build", service]);
    report?.(`starting ${old.length} more`);
    const scale = `${service}=${old.length * 2}`;
    await runCompose(argv`up --detach --wait --no-deps --no-recreate --scale=${scale} ${service}`);
    report?.("waiting for a response from each of them");
    await waitUntilAllServe(await listNew(), url, signal);
  } catch (error) {
    await remove(await listNew());
    throw error;
  }
  // Not interruptible: stopping halfway would leave both versions running
  report?.(`stopping the old ${old.length}`);
  await remove(old);
  return listNew();
}

async function waitUntilAllServe(
  containers: readonly Container[],
  url: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const waiting = new Set(containers.map(({ id }) => id));
  await waitUntil(
    async () => {
      const { headers } = await fetchAnswer(url);
      const server = String(headers["x-served-by"]);
      for (const id of waiting) if (id.startsWith(server)) waiting.delete(id);
      return waiting.size === 0;
    },
    { for: "a response from each new server", timeoutMs: 30_000, intervalMs: 20, signal },
  );
}

/** Stops containers with their grace period and removes them, even after Ctrl-C. */
async function remove(containers: readonly Container[]): Promise<void> {
  if (containers.length === 0) return;
  const ids = containers.map(({ id }) => id);
  await run("docker", argv`stop ${ids}`, { detached: true });
  await run("docker", argv`rm ${ids}`, { detached: true });
}
