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
  /** Served by every replica in turn, with its container id in `X-Served-By`. */
  url: string;
  signal?: AbortSignal | undefined;
  report?: Report | undefined;
}

/**
 * Builds a service's image and replaces all its replicas without downtime: the old ones stop only
 * after the proxy has served a request from every new one. On failure or Ctrl-C before that, the new
 * ones are removed and the old ones stay as they are.
 *
 * As in Compose's own test, it scales up without recreating and then removes the old replicas
 * (https://github.com/docker/compose/blob/main/pkg/e2e/scale_test.go).
 * @returns The new containers.
 * @throws {UserError} if the service does not run.
 * @throws {CommandError} if the build fails or a new container does not become healthy.
 */
export async function redeploy(stack: Stack, options: Redeployment): Promise<Container[]> {
  const { service, signal, report } = options;
  const old = await listContainers(stack, service);
  if (old.length === 0) {
    throw new UserError(`${service} does not run, so there is nothing to replace: npm start.`);
  }
  const oldIds = new Set(old.map(({ id }) => id));
  const listNew = async (): Promise<Container[]> =>
    (await listContainers(stack, service)).filter(({ id }) => !oldIds.has(id));
  const running = { signal, onLine: report?.detail };

  try {
    report?.(`building ${service}`);
    await compose(stack, ["build", service], running);
    report?.(`starting ${old.length} more`);
    const scale = `${service}=${old.length * 2}`;
    const up = argv`up --detach --wait --no-deps --no-recreate --scale ${scale} ${service}`;
    await compose(stack, up, running);
    report?.("waiting until each new server has served a request");
    await untilAllServe(await listNew(), options);
  } catch (error) {
    await remove(await listNew());
    throw error;
  }
  // Not interruptible: stopping half-way would leave both versions running
  report?.(`stopping the ${old.length} old ones`);
  await remove(old);
  return listNew();
}

async function untilAllServe(
  containers: readonly Container[],
  { url, signal }: Redeployment,
): Promise<void> {
  const waiting = new Set(containers.map(({ id }) => id));
  await waitUntil(
    async () => {
      const { headers } = await fetchAnswer(url, { anyCertificate: true });
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
  await run("docker", ["stop", ...ids], { detached: true });
  await run("docker", ["rm", ...ids], { detached: true });
}
