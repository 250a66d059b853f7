import { writeFile } from "node:fs/promises";
import path from "node:path";
import { argv } from "../lib/argv";
import {
  type Container,
  compose,
  listContainers,
  newMarker,
  type Stack,
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
import { type Endpoint, sendExactly, type Timings } from "./load";
import type { Sample } from "./report";
import { readUsage, usageBetween } from "./usage";

/** The response of every contender's API. */
const greeting = "Hello, World!";
const backEnd = "back-end";
/** Replicas of the back-end. */
const replicas = 2;
/** The services that log requests. */
const logging = [backEnd, "proxy"];
/** Requests that show that each server serves. */
const trialRequests = 1_000 * replicas;

/** A contender's stack as a temporary project, with a load generator next to it. */
export class Deployment {
  /** Those that run, the load generator included. */
  #containers: readonly Container[] = [];

  private constructor(
    readonly name: ContenderName,
    readonly contender: Contender,
    readonly project: TemporaryProject,
    /** The same project with the images without access logs. */
    private readonly withoutLogs: Stack,
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
    const { env, scratch } = project;
    const loadFile = path.join(scratch, "load.yml");
    await writeFile(loadFile, loadFileOf(contender));
    const withoutLogsFile = path.join(scratch, "without-logs.yml");
    await writeFile(withoutLogsFile, withoutLogsFileOf(projectName));
    const overlays = overlay === undefined ? [] : [path.join(stacksFolder, overlay)];
    env.COMPOSE_FILE = [env.COMPOSE_FILE, ...overlays, loadFile].join(":");
    // Overlays name their folders by it: Compose resolves relative paths against the first file
    env.STACKS = stacksFolder;
    const silentEnv = { ...env, COMPOSE_FILE: `${env.COMPOSE_FILE}:${withoutLogsFile}` };
    return new Deployment(name, contender, project, { ...project, env: silentEnv }, signal);
  }

  /** Builds its images, and from them those without access logs. */
  async build(report: Report): Promise<void> {
    const options = { signal: this.signal, onLine: report.detail };
    await compose(this.project, argv`build`, options);
    await compose(this.withoutLogs, argv`build ${logging}`, options);
  }

  /**
   * Starts it, with or without access logs, and waits until each server serves.
   * @throws {Error} if there is an access log that should not be.
   */
  async start(logs: boolean, report: Report): Promise<void> {
    const up = argv`up --detach --no-build --wait --scale ${backEnd}=${replicas}`;
    await compose(logs ? this.project : this.withoutLogs, argv`${up} proxy ${loadService}`, {
      signal: this.signal,
      onLine: report.detail,
    });
    const containers = await listContainers(this.project);
    this.#containers = containers.filter(({ state }) => state === "running");
    const marker = newMarker();
    await waitUntil(() => this.#allServe(marker), {
      for: `every server of ${this.contender.title}`,
      timeoutMs: 60_000,
      signal: this.signal,
    });
    if (!logs) await this.#requireNoLog(marker);
  }

  get endpoint(): Endpoint {
    const loader = this.#containers.find(({ service }) => service === loadService);
    if (loader === undefined) throw new Error(`${this.name} has no load generator`);
    const scheme = this.contender.isSecure ? "https" : "http";
    return { loader: loader.id, url: `${scheme}://proxy/api/hello` };
  }

  /**
   * Reads the kernel's counters before and after a load, so that reading them does not disturb it.
   * @param share The part of the load that the sample is about.
   */
  async sample(load: () => Promise<Timings>, share = 1): Promise<Sample> {
    const before = await readUsage(this.#containers, this.signal);
    const timings = await load();
    const after = await readUsage(this.#containers, this.signal);
    return { ...timings, usage: usageBetween(before, after, share) };
  }

  /** @returns The versions of its programs, such as `nginx 1.30.0, Node.js 24.11.1`. */
  async versions(): Promise<string> {
    const versions = this.contender.programs.map(async ({ name, service, versionCommand }) => {
      const container = this.#containers.find((candidate) => candidate.service === service);
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
   * Sends requests with a marker.
   * @returns Whether all are served, and each server spends about as much CPU time on them.
   */
  async #allServe(marker: string): Promise<boolean> {
    const servers = this.#containers.filter(({ service }) => service === backEnd);
    const { loader, url } = this.endpoint;
    const before = await readUsage(servers, this.signal);
    const trial = { loader, url: `${url}?${marker}` };
    const { failed, bodyBytes } = await sendExactly(trial, replicas, trialRequests, this.signal);
    const after = await readUsage(servers, this.signal);
    const spent = after.map(({ cpuSeconds }, at) => cpuSeconds - (before[at]?.cpuSeconds ?? 0));
    const isRight = failed === 0 && bodyBytes === trialRequests * greeting.length;
    return isRight && Math.min(...spent) > Math.max(...spent) / 4;
  }

  async #requireNoLog(marker: string): Promise<void> {
    for (const { id, name } of this.#containers) {
      const { stdout, stderr } = await attempt("docker", argv`logs ${id}`);
      const lines = `${stdout}${stderr}`.split(marker).length - 1;
      // On a busy machine, an error log has the few requests that the proxy retried
      if (lines > trialRequests / 10) throw new Error(`${name} has an access log`);
    }
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
