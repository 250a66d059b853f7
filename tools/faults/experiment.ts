import { setTimeout as sleep } from "node:timers/promises";
import { argv } from "../lib/argv";
import { type Container, listContainers, type Stack } from "../lib/compose";
import { pause } from "../lib/docker";
import type { Report } from "../lib/progress";
import { run } from "../lib/run";
import { waitUntil } from "../lib/wait";
import type { Probe } from "./judge";
import type { Load } from "./load";
import { api } from "./stacks";

/** The service that the lab adds to a stack for faults in a server's own program. */
export const faultyService = "faulty-server";

/** The environment variable that sets the version label of the API's image. */
export const versionVariable = "SOFTY_PINKO_VERSION";

const rejectionGraceMs = 3_000;

/** While requests of one kind may be rejected. In milliseconds from the start of the load. */
export interface RejectionWindow {
  kind: Probe["kind"];
  fromMs: number;
  untilMs: number;
}

/** A running stack under load, as a fault sees it, with a record of what happened. */
export class Experiment {
  readonly events: { atS: number; label: string }[] = [];
  rejectionWindow?: RejectionWindow;
  /** The short name of every server that has taken part, by the ID that `X-Served-By` has. */
  readonly serverNames = new Map<string, string>();
  /** Seconds from the start of the first server until it served, if all servers were down. */
  servedAgainS?: number;

  constructor(
    readonly stack: Stack,
    readonly load: Load,
    readonly report: Report,
    readonly signal: AbortSignal,
  ) {}

  /** Records an event for the timeline. */
  mark(label: string): void {
    this.events.push({ atS: this.load.now() / 1_000, label });
    this.report(label);
  }

  /** @returns The containers that share the load, the faulty one last. */
  async servers(): Promise<Container[]> {
    const servers = (await listContainers(this.stack)).filter(({ service }) =>
      [api.service, faultyService].includes(service),
    );
    for (const server of servers) this.serverNames.set(servedBy(server), shortName(server));
    return servers;
  }

  async lastServer(): Promise<Container> {
    return (await this.servers()).at(-1) as Container;
  }

  /** @param label Recorded as an event before the command runs. */
  async docker(args: readonly string[], label?: string): Promise<string> {
    if (label !== undefined) this.mark(label);
    const [command, container = ""] = args;
    const options = { signal: this.signal };
    if (command !== "pause") return run("docker", args, options);
    await pause(container, options);
    return "";
  }

  async hold(seconds: number): Promise<void> {
    await sleep(seconds * 1_000, undefined, { signal: this.signal });
  }

  /** @returns The condition's result, once it is neither false nor undefined. */
  waitFor<T>(
    what: string,
    condition: () => Promise<T | false> | T | false | undefined,
  ): Promise<T> {
    // Not more often: most conditions run a program, which takes CPU from the stack
    const options = { timeoutMs: 60_000, intervalMs: 200, signal: this.signal };
    return waitUntil(condition, { for: what, ...options });
  }

  /** @param container Its ID or name. */
  async waitForHealthy(container: string): Promise<void> {
    const inspect = argv`inspect --format={{.State.Running}},{{.State.Health.Status}} ${container}`;
    const isHealthy = async (): Promise<boolean> => (await this.docker(inspect)) === "true,healthy";
    await this.waitFor("a healthy container", isHealthy);
  }

  /** Allows rejections for one kind of request from now on. */
  allowRejections(kind: Probe["kind"]): void {
    this.rejectionWindow = { kind, fromMs: this.load.now(), untilMs: Number.POSITIVE_INFINITY };
  }

  /** Call it when the first server is back: nginx has a few seconds to notice that. */
  endRejections(): void {
    if (this.rejectionWindow) this.rejectionWindow.untilMs = this.load.now() + rejectionGraceMs;
  }
}

/** @returns The value of `X-Served-By` in a server's responses. */
export const servedBy = ({ id }: Container): string => id.slice(0, 12);

/** @returns Such as `back-end-1` for the container `production-back-end-1`. */
export const shortName = ({ name, service }: Container): string =>
  name.slice(Math.max(0, name.lastIndexOf(service)));
