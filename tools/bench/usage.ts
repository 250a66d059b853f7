import { argv } from "../lib/argv";
import type { Container } from "../lib/compose";
import { run } from "../lib/run";
import type { Usage } from "./report";

/** What a container has used so far. */
export interface Reading {
  service: string;
  /** CPU time of all its processes since it started. */
  cpuSeconds: number;
  megabytes: number;
}

/**
 * Prints microseconds of CPU time, bytes of memory, and how many of those are page cache. Each
 * container finds its figures in the files of cgroup v2 or v1.
 */
const printUsage = `cd /sys/fs/cgroup
if [ -e cgroup.controllers ]; then
  grep usage_usec cpu.stat; echo memory $(cat memory.current); grep '_file ' memory.stat
else
  echo usage_usec $(($(cat cpuacct/cpuacct.usage) / 1000))
  echo memory $(cat memory/memory.usage_in_bytes); grep '^total.*_file ' memory/memory.stat
fi`;

/**
 * Reads what each container has used.
 * @throws {CommandError} if one is not running.
 */
export async function readUsage(
  containers: readonly Container[],
  signal: AbortSignal,
): Promise<Reading[]> {
  return Promise.all(
    containers.map(async ({ id, service }) => {
      const output = await run("docker", argv`exec ${id} sh -c ${printUsage}`, { signal });
      return { service, ...parseUsage(output) };
    }),
  );
}

/**
 * The page cache does not count: containers share it, and the kernel reclaims it on demand.
 * @param output Lines such as `usage_usec 1200000`, `memory 20000000`, `active_file 4000000` and
 *   `inactive_file 5000000`.
 * @throws {Error} if one is missing.
 */
export function parseUsage(output: string): Pick<Reading, "cpuSeconds" | "megabytes"> {
  const numberOf = (name: string): number => {
    const digits = new RegExp(`^(?:total_)?${name} (\\d+)$`, "m").exec(output)?.[1];
    if (digits === undefined) throw new Error(`the kernel does not report ${name}:\n${output}`);
    return Number(digits);
  };
  return {
    cpuSeconds: numberOf("usage_usec") / 1e6,
    megabytes: (numberOf("memory") - numberOf("active_file") - numberOf("inactive_file")) / 1e6,
  };
}

/**
 * Adds up what the containers of each service used between two readings of the same containers.
 * @param share The part of the CPU time that counts.
 * @returns In the order of the readings; the memory is that of the second.
 */
export function usageBetween(
  before: readonly Reading[],
  after: readonly Reading[],
  share: number,
): Usage[] {
  const usages = new Map<string, Usage>();
  for (const [index, { service, cpuSeconds, megabytes }] of after.entries()) {
    const earlier = before[index];
    if (earlier?.service !== service) throw new Error("the readings are of other containers");
    const usage = usages.get(service) ?? { service, containers: 0, megabytes: 0, cpuSeconds: 0 };
    usage.containers += 1;
    usage.megabytes += megabytes;
    usage.cpuSeconds += (cpuSeconds - earlier.cpuSeconds) * share;
    usages.set(service, usage);
  }
  return [...usages.values()];
}
