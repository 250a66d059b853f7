import { type Container, compose, listContainers, type Stack } from "./compose";
import { UserError } from "./errors";
import { fetchAnswer } from "./http";
import type { Report } from "./progress";
import { run } from "./run";
import { waitUntil } from "./wait";

export interface Redeployment {
  /** The service whose replicas are replaced. */
  service: string;
  /** Answered by every replica in turn, each with its container's id in `X-Served-By`. */
  url: string;
  signal?: AbortSignal | undefined;
  report?: Report | undefined;
}

/**
 * Replaces all replicas of a service by as many of a newly built image, without a gap: the old ones
 * end only when the proxy has an answer from every new one. When that fails or is interrupted, the
 * new ones are removed and the old ones have never been touched.
 *
 * The order is that of Compose's own test for it: scale up without recreating, then take the old ones
 * away (https://github.com/docker/compose/blob/main/pkg/e2e/scale_test.go).
 * @returns The new containers.
 * @throws {UserError} when the service does not run.
 * @throws {CommandError} when the image cannot be built or a new container does not become healthy.
 */
export async function redeploy(stack: Stack, options: Redeployment): Promise<Container[]> {
  const { service, url, signal, report } = options;
  const old = await listContainers(stack, service);
  if (old.length === 0) {
    throw new UserError(`${service} does not run, so there is nothing to replace: npm start.`);
  }
  const isNew = ({ id }: Container): boolean => !old.some((one) => one.id === id);
  const added = async (): Promise<Container[]> =>
    (await listContainers(stack, service)).filter(isNew);
  const inStack = (...args: string[]): Promise<string> =>
    compose(stack, args, { signal, onLine: report?.detail });

  try {
    report?.(`building ${service}`);
    await inStack("build", service);
    report?.(`starting ${old.length} more`);
    await inStack(
      ...["up", "--detach", "--wait", "--no-deps", "--no-recreate"],
      ...["--scale", `${service}=${old.length * 2}`, service],
    );
    const fresh = await added();
    report?.("waiting until the proxy has asked each of them");
    await untilAllServe(fresh, url, signal);
  } catch (error) {
    await remove(await added());
    throw error;
  }
  // From here on there is no way back, and stopping half-way would leave both versions running
  report?.(`ending the old ${old.length}`);
  await remove(old);
  return added();
}

async function untilAllServe(
  containers: readonly Container[],
  url: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const silent = new Set(containers.map(({ id }) => id));
  await waitUntil(
    async () => {
      const { headers } = await fetchAnswer(url);
      const server = String(headers["x-served-by"]);
      for (const id of silent) if (id.startsWith(server)) silent.delete(id);
      return silent.size === 0;
    },
    { for: "an answer from each new server", timeoutMs: 30_000, intervalMs: 20, signal },
  );
}

/** Stops containers in their own way first, and comes to its end even after Ctrl-C. */
async function remove(containers: readonly Container[]): Promise<void> {
  if (containers.length === 0) return;
  const ids = containers.map(({ id }) => id);
  await run("docker", ["stop", ...ids], { detached: true });
  await run("docker", ["rm", ...ids], { detached: true });
}
