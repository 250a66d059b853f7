import type { Report } from "../lib/progress";
import { sum } from "../lib/stats";
import { type ContenderName, proxyNames } from "./contenders";
import { Deployment } from "./deployment";
import { comparedConnections, loadService, rateOf } from "./figures";
import { clockWarmUp, loadByTheClock, loadFor } from "./load";
import type { Plan } from "./plan";
import type { BenchReport, ContenderReport, LoadPoint, Sample, SoakReport, Usage } from "./report";
import { readUsage, usageBetween } from "./usage";

/** Replicas of the back-end, except while the rotation is counted. */
const replicas = 2;
const maxRotationRounds = 5;
/** Seconds between two readings of the memory in a soak. */
const soakStep = 10;

/** Builds the contenders, measures them, and keeps the results. */
export class Bench {
  readonly results: Omit<BenchReport, "machine" | "date" | "cores" | "settings"> = {
    contenders: [],
    withoutLogs: [],
    byTheClock: [],
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

  /**
   * Takes one sample of each contender.
   * @param round From 0; the first rounds also sample further numbers of connections, if there are logs.
   */
  async measureRound(logs: boolean, round: number, report: Report): Promise<void> {
    const { seconds, further } = this.plan;
    const names = [...this.#deployments.keys()];
    // Each round begins with another one, so that no contender always follows the same load
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      await this.#whileRunning(name, logs, report, async (deployment) => {
        const { load } = await this.#resultOf(deployment, logs);
        await this.#sample(deployment, load, comparedConnections, seconds, report);
        if (!logs || round >= further.rounds) return;
        for (const connections of further.connections) {
          await this.#sample(deployment, load, connections, further.seconds, report);
        }
      });
    }
  }

  /** Loads the proxies by the clock, at shares of what the slowest of them can serve. */
  async measureByTheClock(logs: boolean, report: Report): Promise<void> {
    const { seconds, clock } = this.plan;
    const table = logs ? this.results.contenders : this.results.withoutLogs;
    const proxies = table.filter(({ name }) => proxyNames.includes(name));
    const [slowest] = proxies.toSorted((a, b) => (rateOf(a) ?? 0) - (rateOf(b) ?? 0));
    if (slowest === undefined) return;
    for (const { name, title } of proxies) {
      await this.#whileRunning(name, logs, report, async (deployment) => {
        for (const share of clock.shares) {
          const rate = Math.round((rateOf(slowest) ?? 0) * share);
          report(`${title}: ${rate} requests/s by the clock`);
          const point = { name, title, logs, slowest: slowest.title, share, rate };
          const endpoint = await deployment.endpoint(comparedConnections);
          const load = () => loadByTheClock(endpoint, rate, seconds, this.signal);
          const sample = await this.#withUsage(deployment, load, seconds / (seconds + clockWarmUp));
          const known = this.results.byTheClock.find(
            (each) => each.name === name && each.logs === logs && each.share === share,
          );
          if (known === undefined) this.results.byTheClock.push({ ...point, samples: [sample] });
          else known.samples.push(sample);
        }
      });
    }
  }

  /** Counts how evenly production shares requests among different numbers of servers. */
  async measureRotation(report: Report): Promise<void> {
    const { connections, requests } = this.plan.rotation;
    await this.#whileRunning("production", true, report, async (production) => {
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
    const connections = comparedConnections;
    const soak: SoakReport = { seconds, connections, requests: 0, failed: 0, services: [] };
    await this.#whileRunning("production", true, report, async (production) => {
      const containers = (await production.containers()).filter(
        ({ service }) => service !== loadService,
      );
      const endpoint = await production.endpoint(connections);
      const start = await readUsage(containers, this.signal);
      for (let second = 0; second < seconds; second += soakStep) {
        report(`${second} of ${seconds} s`);
        const { requests, failed } = await loadFor(endpoint, soakStep, this.signal);
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

  /** Starts a contender and measures it once its programs are warm. */
  async #whileRunning(
    name: ContenderName,
    logs: boolean,
    report: Report,
    measure: (deployment: Deployment) => Promise<void>,
  ): Promise<void> {
    const deployment = this.#deployments.get(name);
    if (deployment === undefined) throw new Error(`${name} is not built`);
    try {
      report(`${deployment.contender.title}: starting`);
      deployment.useLogs(logs);
      await deployment.scale(replicas, report);
      const endpoint = await deployment.endpoint(comparedConnections);
      await loadFor(endpoint, this.plan.warmUp, this.signal);
      await measure(deployment);
    } finally {
      await deployment.stop();
    }
  }

  async #resultOf(deployment: Deployment, logs: boolean): Promise<ContenderReport> {
    const results = logs ? this.results.contenders : this.results.withoutLogs;
    const { name, contender } = deployment;
    const known = results.find((result) => result.name === name);
    if (known !== undefined) return known;
    const { title, about } = contender;
    const versions = await deployment.versions();
    const result: ContenderReport = { name, title, about, versions, load: [] };
    results.push(result);
    return result;
  }

  async #sample(
    deployment: Deployment,
    load: LoadPoint[],
    connections: number,
    seconds: number,
    report: Report,
  ): Promise<void> {
    report(`${deployment.contender.title}: connections ${connections}`);
    const endpoint = await deployment.endpoint(connections);
    const sample = await this.#withUsage(deployment, () => loadFor(endpoint, seconds, this.signal));
    const known = load.find((point) => point.connections === connections);
    if (known === undefined) load.push({ servers: replicas, connections, samples: [sample] });
    else known.samples.push(sample);
  }

  /**
   * Reads the kernel's counters before and after a load, so that reading them does not disturb it.
   * @param share The part of the load that the sample is about.
   */
  async #withUsage(
    deployment: Deployment,
    load: () => Promise<Omit<Sample, "usage">>,
    share = 1,
  ): Promise<Sample> {
    const containers = await deployment.containers();
    const before = await readUsage(containers, this.signal);
    const timings = await load();
    const usage = usageBetween(before, await readUsage(containers, this.signal), share);
    return { ...timings, usage };
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
