import { type Container, compose, listContainers, type Stack } from "../lib/compose";
import type { Report } from "../lib/progress";
import { run } from "../lib/run";
import { waitUntil } from "../lib/wait";
import type { Ask } from "./judge";
import type { Load } from "./load";
import type { Profile } from "./profiles";

/** Until when visitors of one kind may be turned away. */
export interface Leave {
  kind: Ask["kind"];
  fromMs: number;
  untilMs: number;
}

/** What a fault works with while the load goes on: the running stack, and a record of events. */
export class Scene {
  readonly events: { atS: number; label: string }[] = [];
  readonly leaves: Leave[] = [];
  /** Servers that ever took part, by container id. */
  readonly seen = new Map<string, Container>();
  /** Seconds from the return of the first server until it served, where none was left. */
  servedAgainS?: number;

  constructor(
    readonly stack: Stack,
    readonly profile: Profile,
    readonly load: Load,
    /** The stack's address on the host. */
    readonly url: string,
    readonly report: Report,
    readonly signal: AbortSignal,
  ) {}

  /** Notes on the timeline what is about to be done. */
  say(label: string): void {
    this.events.push({ atS: this.load.now() / 1_000, label });
    this.report(label);
  }

  /** @returns The containers among which the load is shared, the faulty one last. */
  async servers(): Promise<Container[]> {
    const { service } = this.profile.servers;
    const all = await listContainers(this.stack);
    const own = all.filter((one) => one.service === service);
    const servers = [...own, ...all.filter((one) => one.service === faultyService)];
    for (const server of servers) this.seen.set(server.id, server);
    return servers;
  }

  /** @throws {Error} where a service has no container. */
  async container(service: string): Promise<Container> {
    const [container] = await listContainers(this.stack, service);
    if (container === undefined) throw new Error(`there is no container of ${service}`);
    return container;
  }

  docker(...args: string[]): Promise<string> {
    return run("docker", args, { signal: this.signal });
  }

  /** Runs `docker compose` on the stack, and looks who is there afterwards. */
  async compose(...args: string[]): Promise<void> {
    await compose(this.stack, args, { signal: this.signal, onLine: this.report.detail });
    await this.servers();
  }

  /** Leaves the fault in place for some seconds of the load. */
  async hold(seconds: number): Promise<void> {
    const end = this.load.now() + seconds * 1_000;
    await this.until(`${seconds} s of load`, () => this.load.now() >= end, 50);
  }

  async until(
    what: string,
    condition: () => Promise<boolean> | boolean,
    intervalMs = 100,
  ): Promise<void> {
    const { signal } = this;
    await waitUntil(condition, { for: what, timeoutMs: 60_000, intervalMs, signal });
  }

  async untilHealthy(id: string): Promise<void> {
    const health = "{{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}";
    await this.until("a container to be healthy", async () => {
      const state = await this.docker("inspect", `--format={{.State.Running}} ${health}`, id);
      return state === "true healthy";
    });
  }

  /**
   * From now on visitors of one kind may be turned away.
   * @returns Ends that, after some more seconds.
   */
  mayTurnAway(kind: Ask["kind"]): (graceS: number) => void {
    const leave = { kind, fromMs: this.load.now(), untilMs: Number.POSITIVE_INFINITY };
    this.leaves.push(leave);
    return (graceS) => {
      leave.untilMs = this.load.now() + graceS * 1_000;
    };
  }
}

/** The environment variable that goes into the label of the servers' image. */
export const versionVariable = "SOFTY_PINKO_VERSION";

/** The service that the lab adds to a stack for faults of a server's own making. */
export const faultyService = "faulty-server";

/** `production-back-end-1` is `back-end-1` within its stack. */
export const shortName = ({ name, service }: Container): string =>
  name.slice(Math.max(0, name.lastIndexOf(service)));
