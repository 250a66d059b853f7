import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "../lib/progress";
import { sum } from "../lib/stats";
import type { ContenderName } from "./contenders";
import { Deployment } from "./deployment";
import { loadFor } from "./load";
import type { Plan } from "./plan";
import type { BenchReport, ContenderReport, SoakReport, Usage } from "./report";
import { readUsage, usageBetween } from "./usage";

/** Seconds of load while the usage is read. */
const busySeconds = 4;
/** Replicas of the back-end, except while the rotation is counted. */
const replicas = 2;
const maxRotationRounds = 5;
/** Seconds between two readings of the memory in a soak. */
const soakStep = 10;

/** Builds the contenders, measures them, and keeps the results. */
export class Bench {
  readonly results: Pick<BenchReport, "contenders" | "rotation" | "soak"> = {
    contenders: [],
    rotation: [],
    soak: undefined,
  };
  readonly #deployments = new Map<ContenderName, Deployment>();

  /** @param project The prefix of all names of Compose projects. */
  constructor(
    private readonly plan: Plan,
    private readonly project: string,
    private readonly signal: AbortSignal,
  ) {}

  async build(names: readonly ContenderName[], report: Report): Promise<void> {
    for (const name of names) {
      const project = `${this.project}-${name}`;
      report(`building ${project}`);
      const deployment = await Deployment.open(name, project, this.signal);
      this.#deployments.set(name, deployment);
      await deployment.build(report);
    }
  }

  /** Takes one sample of each contender at each number of connections. */
  async measureRound(report: Report): Promise<void> {
    for (const name of this.#deployments.keys()) {
      await this.#whileRunning(name, report, (deployment) => this.#sample(deployment, report));
    }
  }

  /** Counts how evenly production shares requests among different numbers of servers. */
  async measureRotation(report: Report): Promise<void> {
    const { connections, requests } = this.plan.rotation;
    await this.#whileRunning("production", report, async (production) => {
      for (const count of this.plan.rotation.servers) {
        await production.scale(count, report);
        for (const clients of connections) {
          report(`${requests} requests: servers ${count}, connections ${clients}`);
          const shares = await this.#shares(production, count, clients);
          const difference = Math.max(...shares) - Math.min(...shares);
          const point = { servers: count, connections: clients, requests };
          this.results.rotation.push({ ...point, shares, difference });
        }
      }
    });
  }

  /** Keeps production under load and reads its memory. */
  async measureSoak(report: Report): Promise<void> {
    const { soak: seconds } = this.plan;
    const [connections] = this.plan.connections;
    const soak: SoakReport = { seconds, connections, requests: 0, failed: 0, services: [] };
    await this.#whileRunning("production", report, async (production) => {
      const containers = await production.containers();
      const endpoint = await production.endpoint(connections);
      const start = await readUsage(containers, this.signal);
      for (let second = 0; second < seconds; second += soakStep) {
        report(`${second} of ${seconds} s`);
        const { requests, failed } = await loadFor(endpoint, soakStep, 0, this.signal);
        soak.requests += requests;
        soak.failed += failed;
        addReadings(soak, usageBetween(start, await readUsage(containers, this.signal)));
      }
    });
    this.results.soak = soak;
  }

  /** Removes containers, networks and images of all contenders. */
  async close(): Promise<void> {
    const deployments = [...this.#deployments.values()];
    const removals = await Promise.allSettled(deployments.map(({ project }) => project.remove()));
    const failure = removals.find((removal) => removal.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }

  async #whileRunning(
    name: ContenderName,
    report: Report,
    measure: (deployment: Deployment) => Promise<void>,
  ): Promise<void> {
    const deployment = this.#deployments.get(name);
    if (deployment === undefined) throw new Error(`${name} is not built`);
    try {
      report(`${deployment.contender.title}: starting`);
      await deployment.scale(replicas, report);
      await measure(deployment);
    } finally {
      await deployment.stop();
    }
  }

  async #sample(deployment: Deployment, report: Report): Promise<void> {
    const { title } = deployment.contender;
    const known = this.results.contenders.find(({ name }) => name === deployment.name);
    const result = known ?? (await this.#begin(deployment));
    for (const { connections, samples } of result.load) {
      report(`${title}: connections ${connections}`);
      const endpoint = await deployment.endpoint(connections);
      const { seconds, warmUp } = this.plan;
      samples.push(await loadFor(endpoint, seconds, warmUp, this.signal));
    }
    if (result.busy.length > 0) return;
    report(`${title}: usage under load`);
    result.busy = await this.#usageUnderLoad(deployment);
  }

  async #begin(deployment: Deployment): Promise<ContenderReport> {
    const { name, contender } = deployment;
    const { title, about } = contender;
    const load = this.plan.connections.map((connections) => {
      return { servers: replicas, connections, samples: [] };
    });
    const versions = await deployment.versions();
    const result: ContenderReport = { name, title, about, versions, load, busy: [] };
    this.results.contenders.push(result);
    return result;
  }

  async #usageUnderLoad(deployment: Deployment): Promise<Usage[]> {
    const { warmUp, connections } = this.plan;
    const signal = this.signal;
    const containers = await deployment.containers();
    const endpoint = await deployment.endpoint(connections[0]);
    // In the middle of the load: both ends of it are left out
    const readInTheMiddle = async (): Promise<Usage[]> => {
      await sleep((warmUp + busySeconds / 8) * 1_000, undefined, { signal });
      const before = await readUsage(containers, signal);
      await sleep((busySeconds / 2) * 1_000, undefined, { signal });
      return usageBetween(before, await readUsage(containers, signal));
    };
    const load = loadFor(endpoint, busySeconds, warmUp, signal);
    const [usages] = await Promise.all([readInTheMiddle(), load]);
    return usages;
  }

  async #shares(deployment: Deployment, servers: number, connections: number): Promise<number[]> {
    const { requests } = this.plan.rotation;
    // A server that gets new connections is slow at first
    await deployment.share(1_000 * servers, connections);
    for (let round = 1; ; round += 1) {
      const shares = await deployment.share(requests, connections);
      // If a server is too slow, the proxy skips it and retries the request on another, as it should:
      // such a count says nothing about the rotation
      if (sum(shares) === requests || round === maxRotationRounds) return shares;
    }
  }
}

function addReadings({ services }: SoakReport, usages: readonly Usage[]): void {
  for (const { service, megabytes } of usages) {
    const known = services.find((candidate) => candidate.service === service);
    if (known === undefined) services.push({ service, megabytes: [megabytes] });
    else known.megabytes.push(megabytes);
  }
}
