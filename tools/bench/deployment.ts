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
import { loadService } from "./figures";
import { type Endpoint, sendExactly } from "./load";
import { readUsage } from "./usage";

/** The response of every contender's API. */
const greeting = "Hello, World!";
const backEnd = "back-end";
/** The services that log requests. */
const logging = [backEnd, "proxy"];
/** Requests to each server that show that all of them serve, if there is no log. */
const requestsToEach = 1_000;

/** A contender's stack as a temporary project, with a load generator next to it. */
export class Deployment {
  #logs = true;

  private constructor(
    readonly name: ContenderName,
    readonly contender: Contender,
    readonly project: TemporaryProject,
    private readonly composeFiles: { logs: string; withoutLogs: string },
    private readonly signal: AbortSignal,
  ) {}

  /** Prepares a deployment as a Compose project of its own; nothing is built or started. */
  static async open(
    name: ContenderName,
    projectName: string,
    signal: AbortSignal,
  ): Promise<Deployment> {
    const contender: Contender = contenders[name];
    const { isSecure, overlay } = contender;
    const project = await openTemporaryProject({
      folder: path.join(root, contender.folder),
      project: projectName,
      composeFiles: ["docker-compose.yml", ...(isSecure ? ["docker-compose.https.yml"] : [])],
      built: [backEnd, "front-end", "proxy", loadService, ...(isSecure ? ["https"] : [])],
      portVariables: ["PROXY_PORT", "HTTPS_PORT"],
    });
    const loadFile = path.join(project.scratch, "load.yml");
    await writeFile(loadFile, loadFileOf(contender));
    const withoutLogsFile = path.join(project.scratch, "without-logs.yml");
    await writeFile(withoutLogsFile, withoutLogsFileOf(projectName));
    const overlays = overlay === undefined ? [] : [path.join(stacksFolder, overlay)];
    const withLogs = [project.env.COMPOSE_FILE, ...overlays, loadFile].join(":");
    const composeFiles = { logs: withLogs, withoutLogs: `${withLogs}:${withoutLogsFile}` };
    // Overlays name their folders by it: Compose resolves relative paths against the first file
    project.env.STACKS = stacksFolder;
    project.env.COMPOSE_FILE = composeFiles.logs;
    return new Deployment(name, contender, project, composeFiles, signal);
  }

  /** Builds its images, and from them those without access logs. */
  async build(report: Report): Promise<void> {
    await this.#compose(argv`build`, report);
    this.useLogs(false);
    await this.#compose(argv`build ${logging}`, report);
  }

  /** Chooses between the images with and without access logs, before the containers are started. */
  useLogs(logs: boolean): void {
    this.#logs = logs;
    this.project.env.COMPOSE_FILE = this.composeFiles[logs ? "logs" : "withoutLogs"];
  }

  /** Starts it, or changes its number of servers, and waits until each of them serves. */
  async scale(servers: number, report: Report): Promise<void> {
    const options = argv`--detach --no-build --no-recreate --wait --scale ${backEnd}=${servers}`;
    await this.#compose(argv`up ${options} proxy ${loadService}`, report);
    const isServing = async (): Promise<boolean> => {
      if (!this.#logs) return this.#allWork(servers);
      const shares = await this.share(20 * servers, servers).catch(() => []);
      return shares.length === servers && shares.every((share) => share > 0);
    };
    const wait = { for: `${servers} servers of ${this.contender.title}`, timeoutMs: 60_000 };
    await waitUntil(isServing, { ...wait, signal: this.signal });
  }

  async endpoint(connections: number): Promise<Endpoint> {
    const [loader] = await listContainers(this.project, loadService);
    if (loader === undefined) throw new Error(`${this.name} has no load generator`);
    const scheme = this.contender.isSecure ? "https" : "http";
    return { loader: loader.id, url: `${scheme}://proxy/api/hello`, connections };
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

  /** @returns All containers that run, the load generator included. */
  async containers(): Promise<Container[]> {
    const containers = await listContainers(this.project);
    return containers.filter(({ state }) => state === "running");
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

  /**
   * @returns Whether each server spends about as much CPU time as the others when requests are sent.
   * @throws {Error} if there is an access log.
   */
  async #allWork(servers: number): Promise<boolean> {
    const containers = await this.containers();
    const backEnds = containers.filter(({ service }) => service === backEnd);
    const marker = newMarker();
    const endpoint = await this.endpoint(servers);
    const url = `${endpoint.url}?${marker}`;
    const before = await readUsage(backEnds, this.signal);
    await sendExactly({ ...endpoint, url }, requestsToEach * servers, this.signal);
    const after = await readUsage(backEnds, this.signal);
    for (const { id, name } of containers) {
      const { stdout, stderr } = await attempt("docker", argv`logs ${id}`);
      if (`${stdout}${stderr}`.includes(marker)) throw new Error(`${name} has an access log`);
    }
    const spent = after.map(({ cpuSeconds }, at) => cpuSeconds - (before[at]?.cpuSeconds ?? 0));
    return spent.length === servers && Math.min(...spent) > Math.max(...spent) / 4;
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

/** @returns A Compose file with the images of a project, but without access logs. */
export function withoutLogsFileOf(project: string): string {
  const context = path.join(stacksFolder, "without-logs");
  const services = logging.map((name) => {
    const image = `${project}-${name}`;
    return [name, { image: `${image}-without-logs`, build: { context, args: { BASE: image } } }];
  });
  return JSON.stringify({ services: Object.fromEntries(services) });
}
