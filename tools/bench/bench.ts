import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "../lib/progress";
import { type ContenderName, contenderNames, findContender } from "./contenders";
import { loadFor } from "./load";
import type { ContenderReport, ImageSize, LoadPoint, RotationPoint, SoakReport } from "./report";
import { openStand, type Stand } from "./stand";
import { sum } from "./table";
import { readUsage, usageBetween } from "./usage";

/** How much is measured. */
export interface Plan {
  rounds: number;
  /** Of load for each sample, and before it. */
  seconds: number;
  warmUp: number;
  /** Numbers of connections; the first is where everybody is compared. */
  connections: readonly number[];
  /** Whether each contender is also measured with other numbers of servers than its first. */
  allScales: boolean;
  /** Seconds in which nothing happens, for what a stack takes at rest. */
  rest: number;
  rotation: { servers: readonly number[]; connections: readonly number[]; requests: number };
  /** Builds after an edit; with none, no build is timed. */
  edits: number;
  visits: number;
  /** Seconds of load that goes on; none for no soak. */
  soak: number;
}

/**
 * After two seconds Node.js has compiled what is worth it. Ten seconds of rest see each container's
 * health check once.
 */
export const full: Plan = {
  rounds: 3,
  seconds: 3,
  warmUp: 2,
  connections: [32, 1, 256],
  allScales: true,
  rest: 10,
  rotation: { servers: [1, 2, 4, 8], connections: [1, 32, 256], requests: 10_000 },
  edits: 3,
  visits: 5,
  soak: 300,
};

export const quick: Plan = {
  rounds: 1,
  seconds: 1,
  warmUp: 0.5,
  connections: [32],
  allScales: false,
  rest: 1,
  rotation: { servers: [2, 4], connections: [32, 256], requests: 10_000 },
  edits: 0,
  visits: 1,
  soak: 0,
};

/** Seconds of load in which a stack's usage is read. */
const busyFor = 4;
/** A turn of requests is counted anew at most so often. */
const maxRotationRounds = 5;
/** Seconds between two readings of the memory in a soak. */
const soakStep = 10;

/** The stacks, each under its own name, and what can be measured of them. */
export interface Bench {
  build(name: ContenderName, report: Report): Promise<void>;
  /** Starts a contender, loads it in every way of the plan, and ends it. */
  turn(name: ContenderName, report: Report): Promise<void>;
  /** How evenly production shares requests. */
  rotation(report: Report): Promise<RotationPoint[]>;
  /** Load on production that goes on. */
  soak(report: Report): Promise<SoakReport>;
  /** @returns What `measure` made of production, up with its first number of servers. */
  whileUp<T>(report: Report, measure: (url: string) => Promise<T>): Promise<T>;
  /** What was measured so far, in the order of the tables. */
  reports(): ContenderReport[];
  /** Removes everything: containers, networks, images. */
  close(): Promise<void>;
}

/**
 * Prepares a benchmark; nothing is built or started yet.
 * @param project Begins the names of all Compose projects.
 */
export async function openBench(plan: Plan, project: string, signal: AbortSignal): Promise<Bench> {
  const stands = new Map<ContenderName, Stand>();
  const images = new Map<ContenderName, ImageSize[]>();
  const reports = new Map<ContenderName, ContenderReport>();

  async function build(name: ContenderName, report: Report): Promise<void> {
    const stand = await openStand(findContender(name), `${project}-${name}`, signal);
    stands.set(name, stand);
    images.set(name, await stand.build(report));
  }

  function standOf(name: ContenderName): Stand {
    const stand = stands.get(name);
    if (stand === undefined) throw new Error(`${name} is not built`);
    return stand;
  }

  async function whileStarted<T>(
    name: ContenderName,
    report: Report,
    measure: (stand: Stand, startSeconds: number) => Promise<T>,
  ): Promise<T> {
    const stand = standOf(name);
    try {
      report(`${stand.contender.title}: starting`);
      return await measure(stand, await stand.start(firstScale(stand), report));
    } finally {
      await stand.stop();
    }
  }

  async function turn(name: ContenderName, report: Report): Promise<void> {
    await whileStarted(name, report, async (stand, startSeconds) => {
      const own = reports.get(name) ?? (await firstLook(name, stand, report));
      own.startSeconds.push(startSeconds);
      const [usual = 1] = plan.connections;
      const scales = plan.allScales ? stand.contender.scales : [firstScale(stand)];
      for (const servers of scales) {
        if (servers !== firstScale(stand)) await stand.scale(servers, report);
        const connections = servers === firstScale(stand) ? plan.connections : [usual];
        for (const count of connections) {
          report(`${stand.contender.title}: servers ${servers}, connections ${count}`);
          const target = await stand.target(count);
          const sample = await loadFor(target, plan.seconds, plan.warmUp, signal);
          pointOf(own, servers, count).samples.push(sample);
        }
        if (servers === firstScale(stand) && own.busy.length === 0) {
          report(`${stand.contender.title}: what it takes under load`);
          own.busy = await usageUnderLoad(stand, usual);
        }
      }
    });
  }

  /** What does not change from round to round. */
  async function firstLook(
    name: ContenderName,
    stand: Stand,
    report: Report,
  ): Promise<ContenderReport> {
    report(`${stand.contender.title}: what it takes at rest`);
    const { title, about } = stand.contender;
    const own: ContenderReport = {
      ...{ name, title, about, versions: await stand.versions() },
      ...{ load: [], startSeconds: [], rest: [], busy: [], images: images.get(name) ?? [] },
    };
    const containers = await stand.containers();
    const before = await readUsage(containers, signal);
    await sleep(plan.rest * 1_000, undefined, { signal });
    own.rest = usageBetween(before, await readUsage(containers, signal));
    reports.set(name, own);
    return own;
  }

  async function usageUnderLoad(
    stand: Stand,
    connections: number,
  ): Promise<ContenderReport["busy"]> {
    const containers = await stand.containers();
    const target = await stand.target(connections);
    const load = loadFor(target, busyFor, plan.warmUp, signal);
    // In the middle of the load, well clear of its ends
    const middle = async (): Promise<ContenderReport["busy"]> => {
      await sleep((plan.warmUp + busyFor / 8) * 1_000, undefined, { signal });
      const before = await readUsage(containers, signal);
      await sleep((busyFor / 2) * 1_000, undefined, { signal });
      return usageBetween(before, await readUsage(containers, signal));
    };
    const [usage] = await Promise.all([middle(), load]);
    return usage;
  }

  async function rotation(report: Report): Promise<RotationPoint[]> {
    const { servers: scales, connections, requests } = plan.rotation;
    return whileStarted("production", report, async (stand) => {
      const points: RotationPoint[] = [];
      for (const servers of scales) {
        await stand.scale(servers, report);
        for (const count of connections) {
          report(`${requests} requests: servers ${servers}, connections ${count}`);
          // One that has just got its connections is slow at first
          await stand.shares(1_000 * servers, count);
          let shares = await stand.shares(requests, count);
          // One that was too slow is passed over for a while, as it should be, and some requests are
          // sent twice: that says nothing of the turns
          for (let round = 1; round < maxRotationRounds && sum(shares) > requests; round += 1) {
            shares = await stand.shares(requests, count);
          }
          const difference = Math.max(...shares) - Math.min(...shares);
          points.push({ servers, connections: count, requests, shares, difference });
        }
      }
      return points;
    });
  }

  async function soak(report: Report): Promise<SoakReport> {
    const [connections = 1] = plan.connections;
    return whileStarted("production", report, async (stand) => {
      const soaked: SoakReport = {
        ...{ seconds: plan.soak, connections, requests: 0, failed: 0, services: [] },
      };
      const containers = await stand.containers();
      const target = await stand.target(connections);
      const start = await readUsage(containers, signal);
      for (let second = 0; second < plan.soak; second += soakStep) {
        report(`${second} of ${plan.soak} s`);
        const { requests, failed } = await loadFor(target, soakStep, 0, signal);
        soaked.requests += requests;
        soaked.failed += failed;
        for (const { service, megabytes } of usageBetween(
          start,
          await readUsage(containers, signal),
        )) {
          const known = soaked.services.find((one) => one.service === service);
          if (known === undefined) soaked.services.push({ service, megabytes: [megabytes] });
          else known.megabytes.push(megabytes);
        }
      }
      return soaked;
    });
  }

  const whileUp: Bench["whileUp"] = (report, measure) =>
    whileStarted("production", report, (stand) => measure(stand.url));

  async function close(): Promise<void> {
    const closed = await Promise.allSettled(Array.from(stands.values(), (stand) => stand.close()));
    const failed = closed.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  return {
    ...{ build, turn, rotation, soak, whileUp, close },
    reports: () => contenderNames.flatMap((name) => reports.get(name) ?? []),
  };
}

function firstScale({ contender }: Stand): number {
  return contender.scales[0] ?? 1;
}

function pointOf(report: ContenderReport, servers: number, connections: number): LoadPoint {
  const known = report.load.find(
    (point) => point.servers === servers && point.connections === connections,
  );
  if (known !== undefined) return known;
  const point: LoadPoint = { servers, connections, samples: [] };
  report.load.push(point);
  return point;
}
