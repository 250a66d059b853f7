import { decimal, whole } from "../lib/format";
import { sum } from "../lib/stats";
import type { ContenderName } from "./contenders";
import { contenderIn, type Figure, median, p99Of, rateOf, ratio } from "./figures";
import type { BenchReport, SoakReport } from "./report";

/** What production is to reach, and whether it did. */
interface BenchTarget {
  what: string;
  wanted: string;
  found: string;
  /** Undefined if it was not measured in this run. */
  met: boolean | undefined;
}

/**
 * Compares medians of the same run, so that machine and day are the same on both sides. The targets
 * do not decide the exit code: see {@link failures}.
 */
export function judgeTargets(report: BenchReport): BenchTarget[] {
  const production = contenderIn(report, "production");
  const speedAgainst = (name: ContenderName): Figure =>
    ratio(rateOf(production), rateOf(contenderIn(report, name)));
  const p99AgainstOriginal = ratio(p99Of(production), p99Of(contenderIn(report, "original")));
  return [
    judge("requests/s against the original", "at least", 7, speedAgainst("original")),
    judge("requests/s against the limit", "at least", 0.7, speedAgainst("limit")),
    judge("requests/s against HAProxy", "at least", 1, speedAgainst("haproxy")),
    judge("requests/s against Caddy", "at least", 1, speedAgainst("caddy")),
    judge("p99 against the original", "at most", 0.2, p99AgainstOriginal),
    judgeSoak(report.soak),
  ];
}

function judge(
  what: string,
  kind: "at least" | "at most",
  limit: number,
  figure: Figure,
): BenchTarget {
  const wanted = `${kind} ${decimal(limit, 2)} ×`;
  if (figure === undefined) return { what, wanted, found: "-", met: undefined };
  const met = kind === "at least" ? figure >= limit : figure <= limit;
  // Rounded so that a near miss does not read as met
  const round = kind === "at least" ? Math.floor : Math.ceil;
  return { what, wanted, found: `${decimal(round(figure * 100) / 100, 2)} ×`, met };
}

/** The memory of a service in a soak, in megabytes. */
interface Growth {
  service: string;
  early: number;
  late: number;
  grows: boolean;
}

/**
 * Compares the median of the last fifth of the readings with that of the second fifth, for each
 * service with ten readings or more. In the first fifth, caches and heaps fill. A service grows if the
 * difference is more than 5 % and 2 MB: less is due to garbage collection.
 */
export function growthOf({ services }: SoakReport): Growth[] {
  return services.flatMap(({ service, megabytes }) => {
    const fifth = megabytes.length / 5;
    const early = median(megabytes.slice(Math.floor(fifth), Math.floor(2 * fifth)));
    const late = median(megabytes.slice(Math.ceil(4 * fifth)));
    if (megabytes.length < 10 || early === undefined || late === undefined) return [];
    return [{ service, early, late, grows: late > early * 1.05 + 2 }];
  });
}

function judgeSoak(soak: SoakReport | undefined): BenchTarget {
  const target = { what: "memory over the soak", wanted: "no service grows" };
  const growths = soak === undefined ? [] : growthOf(soak);
  if (growths.length === 0) return { ...target, found: "-", met: undefined };
  const growing = growths.filter(({ grows }) => grows).map(({ service }) => `${service} grows`);
  return { ...target, found: growing.join(", ") || "none", met: growing.length === 0 };
}

/**
 * What this project's own proxy did wrong, whatever the speed: these decide the exit code. Requests
 * that another contender fails are not this project's errors.
 * @returns A sentence for each: failed requests, and a rotation that is not exact.
 */
export function failures({ contenders, rotation, soak }: BenchReport): string[] {
  const loads = contenders
    .filter(({ name }) => name === "production" || name === "limit")
    .flatMap(({ name, load }) => load.map((point) => ({ name, ...point })))
    .map(({ name, servers, connections, samples }) => ({
      where: `${name}, servers ${servers}, connections ${connections}`,
      failed: sum(samples.map((sample) => sample.failed)),
      requests: sum(samples.map((sample) => sample.requests)),
    }));
  const all = soak === undefined ? loads : [...loads, { where: "soak", ...soak }];
  const lost = all
    .filter(({ failed }) => failed > 0)
    .map(({ where, failed, requests }) => {
      return `${where}: ${whole(failed)} of ${whole(requests)} requests failed`;
    });
  const uneven = rotation
    .filter(({ difference }) => difference > 1)
    .map(({ servers, connections, difference, shares }) => {
      const where = `rotation, servers ${servers}, connections ${connections}`;
      return `${where}: shares differ by ${whole(difference)}: ${shares.map(whole).join(", ")}`;
    });
  return [...lost, ...uneven];
}
