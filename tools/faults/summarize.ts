import type { Container } from "../lib/compose";
import type { FaultCase } from "./cases";
import type { Load, Sample } from "./load";
import { percentile, timeline } from "./measure";
import type { CaseReport, Target } from "./report";
import { type Leave, type Scene, shortName } from "./scene";

/** Lost requests that a report shows. */
const mostExamples = 5;

/** Times are milliseconds from the start of the load. */
interface Tried {
  fault: FaultCase;
  target: Target;
  round: number;
  fromMs: number;
  toMs: number;
  evenMs: number | undefined;
}

/** What a case leaves behind to be summed up. */
export interface Witness extends Pick<Scene, "leaves" | "seen" | "events" | "servedAgainS"> {
  load: Pick<Load, "samples">;
}

/** Sums a case up, once its load has ended. */
export function summarize(
  { load, leaves, seen, events, servedAgainS }: Witness,
  { fault, target, round, fromMs, toMs, evenMs }: Tried,
): CaseReport {
  const samples = load.samples.map((sample) => withLeave(sample, leaves));
  const lost = samples.filter(({ outcome }) => outcome === "lost");
  const turnedAway = samples.filter(({ outcome }) => outcome === "turned away");
  const latencies = samples.map(({ latencyMs }) => latencyMs);
  const servers = [...seen.values()];
  const ids = servers.map(({ id }) => id.slice(0, 12));
  const isKnown = samples.some(({ server }) => server !== undefined);
  const { bucketS, buckets } = timeline(samples, ids);
  const answers = ids.map((id) =>
    samples.reduce((sum, one) => sum + (one.server === id && one.ask.kind === "api" ? 1 : 0), 0),
  );
  const turnedAwayMs = percentile(
    turnedAway.map(({ latencyMs }) => latencyMs),
    1,
  );
  const reached: Record<keyof Target, number> = {
    worstMs: percentile(latencies, 1),
    evenS: evenMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, evenMs - toMs) / 1_000,
    turnedAwayMs,
    servedAgainS: servedAgainS ?? Number.POSITIVE_INFINITY,
  };
  const goals = Object.entries(target) as [keyof Target, number][];
  const missed = goals.filter(
    ([what, most]) => reached[what] > most && (what !== "evenS" || isKnown),
  );
  return {
    ...{ name: fault.name, about: fault.about, round },
    ...{ sent: samples.length, lost: lost.length, turnedAway: turnedAway.length },
    p99Ms: Math.round(percentile(latencies, 0.99)),
    worstMs: Math.round(reached.worstMs),
    ...(turnedAway.length > 0 && { slowestTurnedAwayMs: Math.round(turnedAwayMs) }),
    ...(servedAgainS !== undefined && { servedAgainS }),
    evenAfterS: evenMs === undefined ? null : reached.evenS,
    shares: isKnown
      ? labelsOf(servers).map((server, index) => ({ server, answers: answers[index] ?? 0 }))
      : [],
    ...{ target, missed: missed.map(([what]) => what) },
    fault: { fromS: fromMs / 1_000, toS: toMs / 1_000 },
    ...{ events, bucketS, buckets },
    lostExamples: lost.slice(0, mostExamples).map(({ startMs, ask, status, reason }) => ({
      atS: startMs / 1_000,
      path: ask.path,
      status: status ?? null,
      reason: reason ?? "",
    })),
  };
}

/** Who is turned away while no fault allows it is lost. */
function withLeave(sample: Sample, leaves: readonly Leave[]): Sample {
  if (sample.outcome !== "turned away") return sample;
  const { ask, startMs, latencyMs } = sample;
  const isAllowed = leaves.some(
    ({ kind, fromMs, untilMs }) =>
      kind === ask.kind && startMs + latencyMs >= fromMs && startMs <= untilMs,
  );
  return isAllowed
    ? sample
    : { ...sample, outcome: "lost", reason: "503 where nobody may be turned away" };
}

/** @returns A label for each; a server that has taken the name of one before it gets a number. */
function labelsOf(servers: readonly Container[]): string[] {
  const names = servers.map(shortName);
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}
