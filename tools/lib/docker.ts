import { argv } from "./argv";
import { UserError } from "./errors";
import { attempt, type RunOptions, run } from "./run";

/**
 * Makes sure that the engine has an image that was built: a builder in a container may keep it.
 * @throws {UserError} if it has not.
 */
export async function requireImage(image: string, options: RunOptions): Promise<void> {
  const { ok } = await attempt("docker", argv`image inspect ${image}`, options);
  options.signal?.throwIfAborted();
  if (!ok) throw new UserError(`the build left no image ${image}: docker buildx use default.`);
}

/** @param version For example `26.1.5+dfsg1`. */
export function isAtLeast(version: string, minimum: string): boolean {
  // "25" is at least "25.0": a missing number counts as 0
  return `${version}.0`.localeCompare(minimum, "en", { numeric: true }) >= 0;
}

/** @returns An image's full name, such as `nginx:latest` for `docker.io/library/nginx`. */
export function fullName(image: string): string {
  const name = image.replace(/^docker\.io\//, "").replace(/^library\//, "");
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
}

/** The label of a stand-in that `tools/engine` has built: the image for which it stands. */
export const standInLabel = "softy-pinko.stand-in";

/**
 * Finds Docker's official images among some names: pulled from Docker Hub or built by `tools/engine`
 * as a stand-in. Any other image with such a name was built here and belongs to the user.
 * @returns Whether each is a stand-in, by its full name.
 */
export async function officialImages(
  names: readonly string[],
  options: RunOptions,
): Promise<Map<string, boolean>> {
  const candidates = new Set(names.map(fullName).filter((name) => !name.includes("/")));
  const format = `{{join .RepoDigests " "}}\t{{index .Config.Labels "${standInLabel}"}}`;
  const official = new Map<string, boolean>();
  for (const name of candidates) {
    const inspect = argv`image inspect --format=${format} -- ${name}`;
    const { ok, stdout } = await attempt("docker", inspect, options);
    const [digests = "", standIn = ""] = stdout.split("\t");
    const repository = name.replace(/[:@].*$/, "");
    const isPulled = digests
      .split(" ")
      .some((digest) => digest.replace(/^docker\.io\/library\//, "").startsWith(`${repository}@`));
    if (ok && (isPulled || standIn !== "")) official.set(name, standIn !== "");
  }
  return official;
}

/**
 * Copies images from this machine's engine to the engine in a container, unless it has them.
 * @param images By name.
 * @throws {CommandError} if this machine's engine does not have an image.
 */
export async function copyImages(
  container: string,
  images: readonly string[],
  options: RunOptions,
): Promise<void> {
  if (images.length === 0) return;
  const inspect = argv`image inspect --format={{.Id}} ${images}`;
  const [source, target] = await Promise.all([
    run("docker", inspect, options),
    attempt("docker", argv`exec ${container} docker ${inspect}`, options),
  ]);
  if (target.stdout === source) return;
  const pipe = 'docker save "$@" | docker exec --interactive "$0" docker load --quiet';
  await run("sh", ["-c", pipe, container, ...images], options);
}

/**
 * Pauses a container. While its processes start others, runc may give up, and leaves it to its caller
 * to try again: https://github.com/opencontainers/runc/pull/4388
 * @param container Its ID or name.
 * @throws {CommandError} if it cannot be paused within 10 attempts.
 */
export async function pause(container: string, options: RunOptions = {}): Promise<void> {
  for (let attempts = 1; attempts < 10; attempts += 1) {
    const { ok, stderr } = await attempt("docker", ["pause", container], options);
    if (ok) return;
    if (!stderr.includes("unable to freeze")) break;
  }
  await run("docker", ["pause", container], options);
}
