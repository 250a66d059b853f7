import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { compose, type Stack } from "../lib/compose";
import { root } from "../lib/course";
import type { Report } from "../lib/progress";
import { attempt } from "../lib/run";
import type { BuildReport } from "./report";

const services = ["back-end", "front-end", "proxy"];

/** On every image that is built here: the project it was built for. */
const label = "softy-pinko.bench.build";

/**
 * Times how long the images of production/ take to build, from a copy of the folder and under names
 * of their own, so that the images that `npm start` builds stay what they are.
 *
 * Cold means that nothing of Docker's layer cache is used. The base images are there already, and
 * npm's and the distribution's packages come from where they always do. The builds after it have
 * that cache, and a change to `api.ts` that no build has seen yet.
 *
 * Leaves no image and no file behind, when it fails or is interrupted neither. What stays is the
 * builder's own cache, which the next build of anything may want and the engine bounds.
 * @param project Begins the images' names, such as `softy-pinko-bench-1f2e3d`; nobody else's.
 * @param tries How many edits are built.
 * @throws {CommandError} when a build fails or is interrupted.
 */
export async function measureBuilds(
  project: string,
  tries: number,
  signal: AbortSignal,
  report: Report,
): Promise<BuildReport> {
  const scratch = await mkdtemp(path.join(tmpdir(), `${project}-`));
  const folder = path.join(scratch, "production");
  const images = path.join(scratch, "images.yml");
  const env = { COMPOSE_FILE: ["docker-compose.yml", images].join(":") };
  const stack: Stack = { folder, project, env };

  async function build(...args: string[]): Promise<number> {
    const start = performance.now();
    await compose(stack, ["build", ...args], { signal, onLine: report.detail });
    return (performance.now() - start) / 1_000;
  }

  try {
    await cp(path.join(root, "production"), folder, { recursive: true, filter: isSource });
    await writeFile(images, imagesFile(project));
    report("building all images, nothing cached");
    const coldSeconds = await build("--no-cache");

    const api = path.join(folder, "back-end/api.ts");
    const source = await readFile(api, "utf8");
    const editSeconds: number[] = [];
    for (let count = 1; count <= tries; count += 1) {
      report(`building the back-end after edit ${count} of ${tries}`);
      await writeFile(api, source + edit());
      editSeconds.push(await build("back-end"));
    }
    return { coldSeconds, editSeconds };
  } finally {
    await removeImages(project);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @returns Whether it is in the repository, or at least not what npm and tsc write. */
function isSource(file: string): boolean {
  return !["node_modules", "dist"].includes(path.basename(file));
}

/** @returns A line that changes what the compiler writes, and that no earlier run has cached. */
export function edit(): string {
  return `\nexport const edit = "${randomBytes(8).toString("hex")}";\n`;
}

/** @returns A Compose file that gives the images names and a label of the project's. */
function imagesFile(project: string): string {
  const own = services.map((service) => [
    service,
    { image: `${project}-${service}`, build: { labels: { [label]: project } } },
  ]);
  return JSON.stringify({ services: Object.fromEntries(own) });
}

/** Those of every try: all but the last have lost their name to the next. */
async function removeImages(project: string): Promise<void> {
  const filter = `--filter=label=${label}=${project}`;
  const listed = await attempt("docker", ["image", "ls", "--quiet", "--no-trunc", filter], {
    detached: true,
  });
  const ids = [...new Set(listed.stdout.split("\n").filter((id) => id !== ""))];
  if (ids.length > 0) await attempt("docker", ["image", "rm", ...ids], { detached: true });
}
