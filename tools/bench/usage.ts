import type { Container } from "../lib/compose";
import { run } from "../lib/run";
import type { Usage } from "./report";

/** What a container has taken so far. */
export interface Reading {
  service: string;
  /** Of all its processes, since it started. */
  cpuSeconds: number;
  megabytes: number;
  /** Seconds, by a clock that only counts on. */
  at: number;
}

/**
 * Prints microseconds of CPU, bytes of memory, and how many of those are pages of files. The kernel
 * tells each container of itself, in one of two ways: cgroup v2, or v1.
 */
const tell = `cd /sys/fs/cgroup
if [ -e cgroup.controllers ]; then
  grep usage_usec cpu.stat; echo memory $(cat memory.current); grep '_file ' memory.stat
else
  echo usage_usec $(($(cat cpuacct/cpuacct.usage) / 1000))
  echo memory $(cat memory/memory.usage_in_bytes); grep '^total.*_file ' memory/memory.stat
fi`;

/**
 * Reads what each container has taken.
 * @throws {CommandError} when one is not running.
 */
export async function readUsage(
  containers: readonly Container[],
  signal: AbortSignal,
): Promise<Reading[]> {
  return Promise.all(
    containers.map(async ({ id, service }) => {
      const told = await run("docker", ["exec", id, "sh", "-c", tell], { signal });
      return { service, at: performance.now() / 1_000, ...parseUsage(told) };
    }),
  );
}

/**
 * Pages of files do not count: containers share them, whoever reads one first has it on his bill, and
 * the kernel takes them back when it needs them.
 * @param told Lines such as `usage_usec 1200000`, `memory 20000000`, `active_file 4000000` and
 *   `inactive_file 5000000`.
 * @throws {Error} when one is missing.
 */
export function parseUsage(told: string): Pick<Reading, "cpuSeconds" | "megabytes"> {
  const numberOf = (name: string): number => {
    const found = new RegExp(`^(?:total_)?${name} (\\d+)$`, "m").exec(told)?.[1];
    if (found === undefined) throw new Error(`the kernel does not tell ${name}:\n${told}`);
    return Number(found);
  };
  return {
    cpuSeconds: numberOf("usage_usec") / 1e6,
    megabytes: (numberOf("memory") - numberOf("active_file") - numberOf("inactive_file")) / 1e6,
  };
}

/**
 * Adds up what the containers of each service took between two readings of the same containers.
 * @returns In the order of the readings; memory is that of the second.
 */
export function usageBetween(before: readonly Reading[], after: readonly Reading[]): Usage[] {
  const usage = new Map<string, Usage>();
  for (const [index, { service, cpuSeconds, megabytes, at }] of after.entries()) {
    const then = before[index];
    if (then?.service !== service) throw new Error("the readings are of other containers");
    const sum = usage.get(service) ?? { service, containers: 0, megabytes: 0, cores: 0 };
    sum.containers += 1;
    sum.megabytes += megabytes;
    sum.cores += (cpuSeconds - then.cpuSeconds) / (at - then.at);
    usage.set(service, sum);
  }
  return [...usage.values()];
}
