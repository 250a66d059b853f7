import { UserError } from "./errors";
import { attempt, type RunOptions, run } from "./run";

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

/** @returns An image's name in full, such as `nginx:latest` for `docker.io/library/nginx`. */
function fullName(image: string): string {
  const name = image.replace(/^docker\.io\//, "").replace(/^library\//, "");
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
}

/**
 * Finds Docker's official images among some that this machine's engine may have: whatever else bears
 * such a name was built here and is its owner's. The stand-ins that `tools/engine` makes count too.
 * @returns Their full names, each once.
 */
export async function officialImages(
  names: readonly string[],
  options: RunOptions,
): Promise<string[]> {
  const wanted = new Set(names.map(fullName).filter((name) => !name.includes("/")));
  const format = '{{join .RepoDigests " "}}\t{{index .Config.Labels "softy-pinko.stand-in"}}';
  const official: string[] = [];
  for (const name of wanted) {
    const inspect = ["image", "inspect", `--format=${format}`, "--", name];
    const { ok, stdout } = await attempt("docker", inspect, options);
    const [digests = "", standIn = ""] = stdout.split("\t");
    const repository = name.replace(/[:@].*$/, "");
    const isPulled = digests
      .split(" ")
      .some((digest) => digest.replace(/^docker\.io\/library\//, "").startsWith(`${repository}@`));
    if (ok && (isPulled || standIn !== "")) official.push(name);
  }
  return official;
}

/**
 * Gives the engine in a container those images of this machine's engine that it does not have, as a
 * registry would.
 * @param images By name.
 * @throws {CommandError} when an image is missing here.
 */
export async function copyImages(
  container: string,
  images: readonly string[],
  options: RunOptions,
): Promise<void> {
  if (images.length === 0) return;
  const ids = ["image", "inspect", "--format={{.Id}}", ...images];
  const [here, there] = await Promise.all([
    run("docker", ids, options),
    attempt("docker", ["exec", container, "docker", ...ids], options),
  ]);
  if (there.stdout === here) return;
  const pipe = 'docker save "$@" | docker exec --interactive "$0" docker load --quiet';
  await run("sh", ["-c", pipe, container, ...images], options);
}
