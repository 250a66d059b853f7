import type { Report } from "../lib/progress";
import { type ContenderName, proxyNames } from "./contenders";
import { Deployment } from "./deployment";
import { comparedConnections, rateOf } from "./figures";
import { clockWarmUp, loadByTheClock, loadFor } from "./load";
import type { Plan } from "./plan";
import type { BenchReport, ContenderReport, LoadPoint, Sample } from "./report";
import { readUsage, usageBetween } from "./usage";

/** Replicas of the back-end. */
const replicas = 2;

/** Builds the contenders, measures them, and keeps the results. */
export class Bench {
  readonly results: Omit<BenchReport, "machine" | "date" | "cores" | "settings"> = {
    contenders: [],
    withoutLogs: [],
    byTheClock: [],
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
    if (known === undefined) load.push({ connections, samples: [sample] });
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
}
