import { percentile, sum } from "../lib/stats";
import type { FaultCase } from "./cases";
import type { Experiment, RejectionWindow } from "./experiment";
import type { Load, Sample } from "./load";
import { timeline } from "./measure";
import type { CaseReport, Target } from "./report";

const maxExamples = 5;
/** What a case should reach, unless its fault says otherwise. */
const usualTarget: Target = { worstMs: 500, evenS: 3 };
/** How long production's proxy waits for a response before it tries the next server. */
const slowMs = 400;

const latencyOf = ({ latencyMs }: Sample): number => latencyMs;

/** What an experiment has recorded. */
export type Observations = Pick<
  Experiment,
  "events" | "servedAgainS" | "rejectionWindow" | "serverNames"
> & { load: Pick<Load, "samples" | "latenessMs" | "maxInFlight"> };

/** Times are in milliseconds from the start of the load. */
export interface Trial {
  fault: FaultCase;
  round: number;
  fromMs: number;
  toMs: number;
  balancedMs: number | undefined;
}

/** Summarizes an experiment after its load has ended. */
export function summarize(observations: Observations, trial: Trial): CaseReport {
  const { fault, round, fromMs, toMs, balancedMs } = trial;
  const { load, rejectionWindow, serverNames, events, servedAgainS } = observations;
  const samples = load.samples.map((sample) => ({
    ...applyWindow(sample, rejectionWindow),
    server: serverNames.get(sample.server ?? ""),
  }));
  const lost = samples.filter(({ outcome }) => outcome === "lost");
  const rejected = samples.filter(({ outcome }) => outcome === "rejected");
  // A replacement can have the name of an earlier server; the two count as one
  const servers = samples.some(({ server }) => server !== undefined)
    ? [...new Set(serverNames.values())]
    : [];
  const { bucketS, buckets } = timeline(samples, servers);
  const affected = samples.filter(({ startMs, latencyMs }) => startMs + latencyMs >= fromMs);
  const latencies = affected.map(latencyOf);
  const during = affected.filter(({ startMs }) => startMs <= toMs);
  const reached = {
    p99Ms: percentile(during.map(latencyOf), 0.99),
    worstMs: percentile(latencies, 1),
    over400Ms: latencies.filter((ms) => ms >= slowMs).length,
    evenS: balancedMs === undefined ? Infinity : Math.max(0, balancedMs - toMs) / 1_000,
    turnedAwayMs: Math.max(0, ...rejected.map(latencyOf)),
    servedAgainS: servedAgainS ?? Infinity,
  };
  const target: Target = { ...usualTarget, ...fault.target };
  const missed = (Object.keys(target) as (keyof Target)[]).filter(
    (key) => reached[key] > (target[key] ?? Infinity) && (key !== "evenS" || servers.length > 0),
  );
  return {
    name: fault.name,
    about: fault.about,
    round,
    sent: samples.length,
    lost: lost.length,
    turnedAway: rejected.length,
    p99Ms: Math.round(reached.p99Ms),
    worstMs: Math.round(reached.worstMs),
    over400Ms: reached.over400Ms,
    maxInFlight: load.maxInFlight,
    lateness: {
      p99Ms: Math.round(percentile(load.latenessMs, 0.99)),
      worstMs: Math.round(percentile(load.latenessMs, 1)),
    },
    ...(rejected.length > 0 && { slowestTurnedAwayMs: Math.round(reached.turnedAwayMs) }),
    ...(servedAgainS !== undefined && { servedAgainS }),
    evenAfterS: balancedMs === undefined ? null : reached.evenS,
    shares: servers.map((server, index) => ({
      server,
      answers: sum(buckets.map(({ shares }) => shares[index] as number)),
    })),
    target,
    missed,
    fault: { fromS: fromMs / 1_000, toS: toMs / 1_000 },
    events,
    bucketS,
    buckets,
    lostExamples: lost.slice(0, maxExamples).map(({ startMs, probe, status, reason = "" }) => ({
      atS: startMs / 1_000,
      path: probe.path,
      status: status ?? null,
      reason,
    })),
  };
}

/** A rejection outside the window is a lost request. */
function applyWindow(sample: Sample, window: RejectionWindow | undefined): Sample {
  const { probe, startMs, latencyMs, outcome } = sample;
  const isAllowed =
    window?.kind === probe.kind &&
    startMs + latencyMs >= window.fromMs &&
    startMs <= window.untilMs;
  if (outcome !== "rejected" || isAllowed) return sample;
  return { ...sample, outcome: "lost", reason: "503 although a server is up" };
}
