import { writeFile } from "node:fs/promises";
import path from "node:path";
import { argv } from "../lib/argv";
import {
  type Container,
  compose,
  countServed,
  listContainers,
  newMarker,
  takeDown,
} from "../lib/compose";
import { root } from "../lib/course";
import type { Report } from "../lib/progress";
import { attempt } from "../lib/run";
import { openTemporaryProject, type TemporaryProject } from "../lib/temporary-project";
import { waitUntil } from "../lib/wait";
import {
  type Contender,
  type ContenderName,
  contenders,
  stacksFolder,
  versionIn,
} from "./contenders";
import { type Endpoint, sendExactly } from "./load";

/** The response of every contender's API. */
const greeting = "Hello, World!";
const backEnd = "back-end";
/** The service that sends the load; its image is built from `stacks/load`. */
const loadService = "load";

/** A contender's stack as a temporary project, with a load generator next to it. */
export class Deployment {
  private constructor(
    readonly name: ContenderName,
    readonly contender: Contender,
    readonly project: TemporaryProject,
    private readonly signal: AbortSignal,
  ) {}

  /** Prepares a deployment as a Compose project of its own; nothing is built or started. */
  static async open(
    name: ContenderName,
    projectName: string,
    signal: AbortSignal,
  ): Promise<Deployment> {
    const contender: Contender = contenders[name];
    const project = await openTemporaryProject({
      folder: path.join(root, contender.folder),
      project: projectName,
      built: [backEnd, "front-end", "proxy", loadService],
      portVariables: ["PROXY_PORT"],
    });
    const loadFile = path.join(project.scratch, "load.yml");
    await writeFile(loadFile, loadFileOf(contender));
    const { overlay } = contender;
    const overlays = overlay === undefined ? [] : [path.join(stacksFolder, overlay)];
    project.env.COMPOSE_FILE = [project.env.COMPOSE_FILE, ...overlays, loadFile].join(":");
    // Overlays name their folders by it: Compose resolves relative paths against the first file
    project.env.STACKS = stacksFolder;
    return new Deployment(name, contender, project, signal);
  }

  async build(report: Report): Promise<void> {
    await this.#compose(argv`build`, report);
  }

  /** Starts it, or changes its number of servers, and waits until each of them serves. */
  async scale(servers: number, report: Report): Promise<void> {
    const options = argv`--detach --no-build --no-recreate --wait --scale ${backEnd}=${servers}`;
    await this.#compose(argv`up ${options} proxy ${loadService}`, report);
    const isServing = async (): Promise<boolean> => {
      const shares = await this.share(20 * servers, servers).catch(() => []);
      return shares.length === servers && shares.every((share) => share > 0);
    };
    const wait = { for: `${servers} servers of ${this.contender.title}`, timeoutMs: 60_000 };
    await waitUntil(isServing, { ...wait, signal: this.signal });
  }

  async endpoint(connections: number): Promise<Endpoint> {
    const [loader] = await listContainers(this.project, loadService);
    if (loader === undefined) throw new Error(`${this.name} has no load generator`);
    return { loader: loader.id, url: "http://proxy/api/hello", connections };
  }

  /**
   * Sends requests and counts them in the logs of the servers.
   * @returns The requests of each server. A proxy that sends a request twice makes them more.
   * @throws {Error} for a wrong response.
   */
  async share(requests: number, connections: number): Promise<number[]> {
    const { title } = this.contender;
    const marker = newMarker();
    // The clock of an engine in a virtual machine can be off a little
    const since = new Date(Date.now() - 10_000).toISOString();
    const endpoint = await this.endpoint(connections);
    const marked = { ...endpoint, url: `${endpoint.url}?${marker}` };
    const { failed, bodyBytes } = await sendExactly(marked, requests, this.signal);
    if (failed > 0) throw new Error(`${title} failed ${failed} requests`);
    if (bodyBytes !== requests * greeting.length) {
      throw new Error(`${title} returns something else than "${greeting}"`);
    }
    const options = { logArgs: ["--since", since], signal: this.signal };
    const served = await countServed(this.project, backEnd, marker, requests, options);
    return [...served.values()];
  }

  /** @returns The containers of the contender, without the load generator. */
  async containers(): Promise<Container[]> {
    const containers = await listContainers(this.project);
    return containers.filter(({ service }) => service !== loadService);
  }

  /** @returns The versions of its programs, such as `nginx 1.30.0, Node.js 24.11.1`. */
  async versions(): Promise<string> {
    const containers = await this.containers();
    const versions = this.contender.programs.map(async ({ name, service, versionCommand }) => {
      const container = containers.find((candidate) => candidate.service === service);
      const exec = argv`exec ${container?.id ?? service} ${versionCommand}`;
      const { stdout, stderr } = await attempt("docker", exec);
      return `${name} ${versionIn(stdout + stderr) ?? "of unknown version"}`;
    });
    return (await Promise.all(versions)).join(", ");
  }

  /** Removes the containers; the images stay. */
  async stop(): Promise<void> {
    await takeDown(this.project, argv`--volumes --timeout=2`);
  }

  async #compose(command: readonly string[], report: Report): Promise<void> {
    await compose(this.project, command, { signal: this.signal, onLine: report.detail });
  }
}

/** @returns A Compose file with the load generator on the network of a contender's proxy. */
export function loadFileOf({ network }: Contender): string {
  const build = { context: path.join(stacksFolder, loadService) };
  const load = { build, init: true, networks: [network] };
  return JSON.stringify({ services: { [loadService]: load } });
}
