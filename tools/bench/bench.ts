import type { Report } from "../lib/progress";
import { type ContenderName, proxyNames } from "./contenders";
import { Deployment } from "./deployment";
import { comparedConnections, rateOf } from "./figures";
import { clockWarmUp, loadByTheClock, loadFor } from "./load";
import type { Plan } from "./plan";
import type { BenchReport, ContenderReport } from "./report";

/** Builds the contenders, measures them, and keeps the results. */
export class Bench {
  readonly results: Pick<BenchReport, "contenders" | "withoutLogs" | "byTheClock"> = {
    contenders: [],
    withoutLogs: [],
    byTheClock: [],
  };
  readonly #deployments: Deployment[] = [];

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
      this.#deployments.push(deployment);
      await deployment.build(report);
    }
  }

  /**
   * Takes one sample of each contender.
   * @param round From 0; the first rounds also sample further numbers of connections, if there are logs.
   */
  async measureRound(logs: boolean, round: number, report: Report): Promise<void> {
    const { seconds, further } = this.plan;
    // Each round begins with another one, so that no contender always follows the same load
    const first = round % this.#deployments.length;
    const others = this.#deployments.slice(0, first);
    for (const deployment of [...this.#deployments.slice(first), ...others]) {
      await this.#whileRunning(deployment, logs, report, async () => {
        const result = await this.#resultOf(deployment, logs);
        await this.#sample(deployment, result, comparedConnections, seconds, report);
        if (!logs || round >= further.rounds) return;
        for (const connections of further.connections) {
          await this.#sample(deployment, result, connections, further.seconds, report);
        }
      });
    }
  }

  /** Loads the proxies by the clock, at shares of what the slowest of them can serve. */
  async measureByTheClock(logs: boolean, report: Report): Promise<void> {
    const { seconds, clock } = this.plan;
    const table = this.results[logs ? "contenders" : "withoutLogs"];
    const proxies = table.filter(({ name }) => proxyNames.includes(name));
    const [slowest] = proxies.toSorted((a, b) => (rateOf(a) ?? 0) - (rateOf(b) ?? 0));
    for (const deployment of this.#deployments) {
      const { name, contender } = deployment;
      if (slowest === undefined || !proxyNames.includes(name)) continue;
      await this.#whileRunning(deployment, logs, report, async () => {
        for (const share of clock.shares) {
          const rate = Math.round((rateOf(slowest) ?? 0) * share);
          report(`${contender.title}: ${rate} requests/s by the clock`);
          const load = () => loadByTheClock(deployment.endpoint, rate, seconds, this.signal);
          const sample = await deployment.sample(load, seconds / (seconds + clockWarmUp));
          const known = this.results.byTheClock.find(
            (point) => point.name === name && point.logs === logs && point.share === share,
          );
          if (known !== undefined) known.samples.push(sample);
          else {
            const point = { name, title: contender.title, logs, share, rate, samples: [sample] };
            this.results.byTheClock.push({ ...point, slowest: slowest.title });
          }
        }
      });
    }
  }

  /** Removes containers, networks and images of all contenders. */
  async close(): Promise<void> {
    const removals = await Promise.allSettled(
      this.#deployments.map(({ project }) => project.remove()),
    );
    const failure = removals.find((removal) => removal.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }

  /** Starts a contender and measures it once its programs are warm. */
  async #whileRunning(
    deployment: Deployment,
    logs: boolean,
    report: Report,
    measure: () => Promise<void>,
  ): Promise<void> {
    try {
      report(`${deployment.contender.title}: starting`);
      await deployment.start(logs, report);
      await loadFor(deployment.endpoint, comparedConnections, this.plan.warmUp, this.signal);
      await measure();
    } finally {
      await deployment.stop();
    }
  }

  async #resultOf(deployment: Deployment, logs: boolean): Promise<ContenderReport> {
    const results = this.results[logs ? "contenders" : "withoutLogs"];
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
    { title, load }: ContenderReport,
    connections: number,
    seconds: number,
    report: Report,
  ): Promise<void> {
    report(`${title}: connections ${connections}`);
    const sample = await deployment.sample(() =>
      loadFor(deployment.endpoint, connections, seconds, this.signal),
    );
    const known = load.find((point) => point.connections === connections);
    if (known === undefined) load.push({ connections, samples: [sample] });
    else known.samples.push(sample);
  }
}
