import {
  bytes,
  comparedSamples,
  contender,
  type Figure,
  megabytes,
  middle,
  none,
  p99Of,
  plural,
  rateOf,
  ratio,
  seconds,
  shortNames,
  whole,
} from "./figures";
import type { BenchReport, ContenderReport, SoakReport } from "./report";

/** Something that is to hold, and whether it did. */
export interface Target {
  what: string;
  wanted: string;
  found: string;
  /** Undefined where it was not measured in this run. */
  met: boolean | undefined;
}

/** Seconds from an edit to its image. */
const mostEditSeconds = 5;
/** Of the front page, on the wire. */
const mostPageBytes = 60_000;

/**
 * Judges a run by what it was to reach. Every comparison is of medians over the rounds of this run, at
 * two servers and 32 connections, so that machine and day are the same on both sides.
 * @returns All targets, in the order of their importance. None of them decides the exit code: see
 *   {@link failures}.
 */
export function judgeTargets(report: BenchReport): Target[] {
  return [
    ...judgeSpeed(report),
    judgeRotation(report),
    judgeStart(report),
    judgeEdit(report),
    judgeMemory(report),
    judgePage(report),
    judgeSoak(report.soak),
  ];
}

function judgeSpeed(report: BenchReport): Target[] {
  const samples = (name: ContenderReport["name"]) => comparedSamples(contender(report, name));
  const ours = rateOf(samples("production"));
  const against = (name: ContenderReport["name"]): Figure => ratio(ours, rateOf(samples(name)));
  return [
    atLeast("requests/s against the original", 7, against("original"), 1),
    atMost(
      "p99 against the original",
      0.2,
      ratio(p99Of(samples("production")), p99Of(samples("original"))),
    ),
    atLeast("requests/s against the limit", 0.7, against("limit")),
    atLeast("requests/s against HAProxy", 1, against("haproxy")),
    atLeast("requests/s against Caddy", 1, against("caddy")),
  ];
}

/** Two decimals; what missed its target by less than they show never reads as if it had met it. */
function inTimes(found: number, met: boolean, isMet: (shown: number) => boolean): string {
  const candidates = [Math.round, Math.floor, Math.ceil].map((to) => to(found * 100) / 100);
  const shown = candidates.find((one) => isMet(one) === met) ?? found;
  return `${shown.toFixed(2)} ×`;
}

function atLeast(what: string, least: number, found: Figure, digits = 2): Target {
  const wanted = `at least ${least.toFixed(digits)} ×`;
  if (found === undefined) return { what, wanted, found: none, met: undefined };
  const met = found >= least;
  return { what, wanted, found: inTimes(found, met, (shown) => shown >= least), met };
}

function atMost(what: string, most: number, found: Figure): Target {
  const wanted = `at most ${most.toFixed(2)} ×`;
  if (found === undefined) return { what, wanted, found: none, met: undefined };
  const met = found <= most;
  return { what, wanted, found: inTimes(found, met, (shown) => shown <= most), met };
}

/** Round robin is exact when no server has more than one request more than another one. */
function judgeRotation({ rotation }: BenchReport): Target {
  const target = { what: "rotation, largest difference", wanted: "at most 1" };
  if (rotation.length === 0) return { ...target, found: none, met: undefined };
  const most = Math.max(...rotation.map(({ difference }) => difference));
  return { ...target, found: whole(most), met: most <= 1 };
}

function judgeStart(report: BenchReport): Target {
  const [ours, theirs] = (["production", "original"] as const).map((name) =>
    middle(contender(report, name)?.startSeconds ?? []),
  );
  return againstOriginal("first answer after up", ours, theirs, seconds);
}

/** Memory of one container of the back-end, at rest, in megabytes. */
function judgeMemory(report: BenchReport): Target {
  const [ours, theirs] = (["production", "original"] as const).map((name) => {
    const usage = contender(report, name)?.rest.find(({ service }) => service === "back-end");
    return ratio(usage?.megabytes, usage?.containers);
  });
  return againstOriginal("memory of a back-end at rest", ours, theirs, megabytes);
}

function againstOriginal(
  what: string,
  ours: Figure,
  theirs: Figure,
  format: (value: Figure) => string,
): Target {
  const wanted = `at most the original's ${format(theirs)}`;
  if (ours === undefined || theirs === undefined) {
    return { what, wanted: `at most the original's`, found: format(ours), met: undefined };
  }
  // Two that differ by less than is shown would read as a contradiction
  const isShownAlike = format(ours) === format(theirs) && ours > theirs;
  const found = isShownAlike ? `a little over ${format(theirs)}` : format(ours);
  return { what, wanted, found, met: ours <= theirs };
}

function judgeEdit({ builds }: BenchReport): Target {
  const found = middle(builds?.editSeconds ?? []);
  return {
    what: "image after an edit to api.ts",
    wanted: `at most ${mostEditSeconds} s`,
    found: seconds(found),
    met: found === undefined ? undefined : found <= mostEditSeconds,
  };
}

function judgePage({ page }: BenchReport): Target {
  const found = page?.ours.bytes;
  return {
    what: "front page on the wire",
    wanted: `at most ${bytes(mostPageBytes)}`,
    found: bytes(found),
    met: found === undefined ? undefined : found <= mostPageBytes,
  };
}

/** How the memory of a service changed over a soak, in megabytes. */
export interface Growth {
  service: string;
  early: number;
  late: number;
  grows: boolean;
}

/**
 * Compares the end of a soak with its beginning, for each service: the median of the last fifth of
 * the readings with the median of the second fifth. The first fifth is left out, because caches and
 * heaps fill then; a median, because one reading just before the garbage is collected says nothing. A
 * service grows when it is more than 5 % and 2 MB above: less than that is how a heap breathes.
 * @returns One for each service with ten readings or more; with fewer, two fifths say too little.
 */
export function growthOf({ services }: SoakReport): Growth[] {
  return services.flatMap(({ service, megabytes: readings }) => {
    const fifth = readings.length / 5;
    const early = middle(readings.slice(Math.floor(fifth), Math.floor(2 * fifth)));
    const late = middle(readings.slice(Math.ceil(4 * fifth)));
    if (readings.length < 10 || early === undefined || late === undefined) return [];
    return [{ service, early, late, grows: late > early * 1.05 + 2 }];
  });
}

function judgeSoak(soak: SoakReport | undefined): Target {
  const target = { what: "memory over the soak", wanted: "nothing grows" };
  const growth = soak === undefined ? [] : growthOf(soak);
  const growing = growth.filter(({ grows }) => grows);
  const told = (growing.length > 0 ? growing : growth).toSorted(
    (one, other) => other.late - other.early - (one.late - one.early),
  );
  const most = told[0];
  if (most === undefined) return { ...target, found: none, met: undefined };
  const found = `${most.service} ${megabytes(most.early)} → ${megabytes(most.late)}`;
  const others = growing.length > 1 ? `, ${growing.length - 1} more` : "";
  return { ...target, found: found + others, met: growing.length === 0 };
}

/** Those whose proxy is ours; what the others fail is theirs, and red in the tables. */
const ours: readonly ContenderReport["name"][] = ["production", "limit"];

/**
 * Says what went wrong with this project's own stack, whatever the times were: requests that failed,
 * and a rotation that is not exact. These decide the exit code; a time never does.
 * @returns A sentence for each; none where all behaved.
 */
export function failures({ contenders, rotation, soak }: BenchReport): string[] {
  const own = contenders.filter(({ name }) => ours.includes(name));
  const loads = own.flatMap(({ name, load }) =>
    load.flatMap(({ servers, connections, samples }) => {
      const failed = samples.reduce((sum, sample) => sum + sample.failed, 0);
      const requests = samples.reduce((sum, sample) => sum + sample.requests, 0);
      const where = `${shortNames[name]}, ${plural(servers, "server")}, ${plural(connections, "connection")}`;
      return failed === 0 ? [] : [`${where}: ${lost(failed, requests)}`];
    }),
  );
  const uneven = rotation
    .filter(({ difference }) => difference > 1)
    .map(
      ({ servers, connections, shares, difference }) =>
        `rotation, ${plural(servers, "server")}, ${plural(connections, "connection")}: ` +
        `shares differ by ${whole(difference)}: ${shares.map(whole).join(", ")}`,
    );
  const soaked =
    soak === undefined || soak.failed === 0 ? [] : [`soak: ${lost(soak.failed, soak.requests)}`];
  return [...loads, ...uneven, ...soaked];
}

const lost = (failed: number, requests: number): string =>
  `${whole(failed)} of ${plural(requests, "request")} failed`;
