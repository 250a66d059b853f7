import { UserError } from "./errors";
import { attempt } from "./run";

/** Engine 25 has `start_interval` for health checks; Compose 2.24 is the oldest we support. */
const oldest = { engine: "25.0", compose: "2.24" };

export interface DockerVersions {
  engine: string;
  compose: string;
}

/**
 * Asks the engine that the `docker` client is set up for.
 * @returns Its version, or undefined where no engine answers.
 */
export async function engineVersion(): Promise<string | undefined> {
  const asked = await attempt("docker", ["version", "--format", "{{.Server.Version}}"], {
    timeoutMs: 10_000,
  });
  return asked.ok ? asked.stdout.trim() : undefined;
}

/** @returns The version of `docker compose`, or undefined where the plugin is missing. */
export async function composeVersion(): Promise<string | undefined> {
  const asked = await attempt("docker", ["compose", "version", "--short"]);
  return asked.ok ? asked.stdout.trim().replace(/^v/, "") : undefined;
}

/**
 * Says whether a dotted version is new enough.
 * @param version For instance `26.1.5+dfsg1`; only its leading numbers count.
 */
export function isAtLeast(version: string, minimum: string): boolean {
  const numbers = (text: string): number[] => text.split(/[^\d]+/).map(Number);
  const [have, want] = [numbers(version), numbers(minimum)];
  for (const [index, wanted] of want.entries()) {
    const had = have[index] ?? 0;
    if (had !== wanted) return had > wanted;
  }
  return true;
}

/**
 * Makes sure that an engine and a Compose can run our stacks.
 * @param engine Its version.
 * @param compose Its version, or undefined where it is missing.
 * @throws {UserError} when one of them is missing or too old.
 */
export function requireVersions(engine: string, compose: string | undefined): DockerVersions {
  if (!isAtLeast(engine, oldest.engine)) {
    throw new UserError(`Docker Engine ${engine} is too old: update to ${oldest.engine} or later.`);
  }
  if (compose === undefined || !isAtLeast(compose, oldest.compose)) {
    const found = compose === undefined ? "is missing" : `${compose} is too old`;
    throw new UserError(`Docker Compose ${found}: install ${oldest.compose} or later.`);
  }
  return { engine, compose };
}
