import { realpath } from "node:fs/promises";
import path from "node:path";
import { argv } from "../lib/argv";
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
import { type ComposeStep, portVariableOf, root, type Service, upCommand } from "../lib/course";
import { UserError } from "../lib/errors";
import { fetchAnswer, waitUntilServed } from "../lib/http";
import { requirePorts } from "../lib/ports";
import type { Report } from "../lib/progress";
import { run } from "../lib/run";
import { projectLabel } from "../lib/temporary-project";

const stackOf = (task: string): Stack => ({ folder: path.join(root, task) });

/** The port of docker-compose.https.yml, in the proxy's container. */
const httpsPort = 443;

/** Requests of the sample: enough to show round robin. */
const sampleSize = 6;

/**
 * Builds a step's stack, starts it in the background and waits until it responds. On failure or
 * Ctrl-C it is removed, unless it was up before.
 * @returns The address and the result of a few requests, as lines for the user.
 * @throws {UserError} if a port is in use or another folder's stack has the project name.
 */
export async function startWithCompose(
  step: ComposeStep,
  report: Report,
  signal: AbortSignal,
): Promise<string[]> {
  const stack = stackOf(step.name);
  const [before, ports] = await Promise.all([
    listContainers(stack),
    wantedPorts(stack),
    requireProjectName(stack),
  ]);
  const taken = new Set(before.flatMap(({ published }) => published));
  const wanted = ports.map(({ service, published, target }) => ({
    port: published,
    variable: target === httpsPort ? "HTTPS_PORT" : portVariableOf(step.name, service as Service),
  }));
  await requirePorts(wanted.filter(({ port }) => !taken.has(port)));

  try {
    report("building and starting");
    await compose(stack, argv`${upCommand(step)} --detach --build --wait`, {
      signal,
      onLine: report.detail,
    });
    return await introduce(step, stack, ports, signal);
  } catch (error) {
    if (before.length === 0) await takeDown(stack);
    throw error;
  }
}

/**
 * Takes down every stack that was started from a step's folder, under whatever project name; volumes
 * are kept. Those of the fault lab, the benchmark and the tests are theirs to remove.
 * @returns Whether there was one.
 */
export async function stopWithCompose(task: string): Promise<boolean> {
  const stack = stackOf(task);
  const containers = (await listProjects()).filter(({ folder }) => folder === stack.folder);
  const names = new Set(containers.map(({ name }) => name));
  for (const { name, isTemporary } of containers) {
    if (isTemporary && name !== projectOf(stack)) names.delete(name);
  }
  for (const project of names) {
    // By its labels alone: the shell's variables may have changed since
    const env = { COMPOSE_FILE: undefined, COMPOSE_PROFILES: undefined };
    await takeDown({ folder: path.parse(root).root, project, env });
  }
  return names.size > 0;
}

/** Compose identifies a project by its name alone: `up` would replace another folder's containers. */
async function requireProjectName(stack: Stack): Promise<void> {
  const other = (await listProjects()).find(
    ({ name, folder }) => name === projectOf(stack) && folder !== stack.folder,
  );
  if (other === undefined) return;
  throw new UserError(
    `a stack named ${other.name} from ${other.folder} exists: stop it there with docker-compose down, or set COMPOSE_PROJECT_NAME.`,
  );
}

/** @returns For each container, its project and the real path of the folder that it was started from. */
async function listProjects() {
  const label = "com.docker.compose.project";
  const labels = [label, `${label}.working_dir`, projectLabel];
  const format = labels.map((name) => `{{.Label "${name}"}}`).join("\t");
  const listed = await run("docker", argv`ps --all --filter=label=${label} --format=${format}`);
  return Promise.all(
    listed
      .split("\n")
      .filter(Boolean)
      .map(async (line) => {
        const [name = "", folder = "", temporary = ""] = line.split("\t");
        const realFolder = await realpath(folder).catch(() => folder);
        return { name, folder: realFolder, isTemporary: temporary !== "" };
      }),
  );
}

/** @returns Where a service is reached: by HTTPS if it has that port, because the other one redirects. */
function originOf(service: Service, ports: readonly WantedPort[]): string {
  const published = ports.filter((port) => port.service === service);
  const secure = published.find(({ target }) => target === httpsPort);
  const address = `localhost:${(secure ?? published[0])?.published}`;
  // An origin leaves out a usual port
  return new URL(`${secure ? "https" : "http"}://${address}`).origin;
}

async function introduce(
  { name, site, sample }: ComposeStep,
  stack: Stack,
  ports: readonly WantedPort[],
  signal: AbortSignal,
): Promise<string[]> {
  const [siteOrigin, sampleOrigin] = [originOf(site, ports), originOf(sample.to, ports)];
  await waitUntilServed(siteOrigin, { timeoutMs: 10_000, signal });

  const marker = newMarker();
  const url = `${sampleOrigin}${sample.path}`;
  const bodies = new Set<string>();
  for (let sent = 0; sent < sampleSize; sent += 1) {
    bodies.add((await fetchAnswer(`${url}?${marker}`, { anyCertificate: true })).body);
  }
  const served = await countServed(stack, sample.servedBy, marker, sampleSize);
  // Not HTML
  const text = [...bodies].filter((body) => !body.startsWith("<")).join(", ");
  return [
    `${name} is up: ${siteOrigin}`,
    "",
    `${sampleSize} requests to ${url}${text === "" ? "" : ` returned ${text}`}`,
    ...Array.from(served, ([server, count]) => `  ${server} served ${count}`),
  ];
}
