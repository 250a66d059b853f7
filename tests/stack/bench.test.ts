import path from "node:path";
import { afterEach, beforeAll, expect, it } from "vitest";
import { type ContenderName, contenderNames } from "../../tools/bench/contenders";
import type { BenchReport, ContenderReport } from "../../tools/bench/report";
import { root } from "../../tools/lib/course";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { describeOnEngine } from "../lib/stacks";

const minutes = 60_000;

/** Starts `npm run bench`. */
const bench = (...args: string[]): Child =>
  startScript([path.join(root, "tools/bench/cli.ts"), ...args], {
    cwd: root,
    env: { NO_COLOR: "1" },
  });

/** @returns What a benchmark has left in the engine: containers, networks, volumes and images. */
async function remains({ output }: Child): Promise<string[]> {
  const project = /softy-pinko-bench-[0-9a-f]+/.exec(output.stderr)?.[0];
  if (project === undefined) throw new Error(`no name in ${output.stderr}`);
  const lists = await Promise.all([
    run("docker", ["ps", "--all", "--format={{.Names}}", `--filter=name=^${project}`]),
    run("docker", ["network", "ls", "--format={{.Name}}", `--filter=name=^${project}`]),
    run("docker", ["volume", "ls", "--format={{.Name}}", `--filter=name=^${project}`]),
    run("docker", ["image", "ls", "--format={{.Repository}}", `--filter=reference=${project}*`]),
  ]);
  return lists.join("\n").split("\n").filter(Boolean);
}

describeOnEngine("a quick benchmark", () => {
  let child: Child;
  let code: number | NodeJS.Signals;
  let report: BenchReport;

  beforeAll(async () => {
    child = bench("--quick", "--json");
    code = await child.ended;
    expect(child.output.stderr).not.toContain("error:");
    report = JSON.parse(child.output.stdout) as BenchReport;
  }, 10 * minutes);

  const reportOf = (name: ContenderName): ContenderReport => {
    const found = report.contenders.find((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} was not measured`);
    return found;
  };

  it("found nothing wrong, whatever the times were", () => {
    expect(code).toBe(0);
  });

  it("leaves nothing behind", async () => {
    expect(await remains(child)).toEqual([]);
  });

  it.each(contenderNames)("has measured %s in every way", (name) => {
    const { load, startSeconds, rest, busy, images, versions } = reportOf(name);
    expect(load).not.toEqual([]);
    for (const { samples } of load) {
      expect(samples.length).toBeGreaterThan(0);
      for (const { requests, perSecond, medianMs, p99Ms, worstMs } of samples) {
        expect(requests).toBeGreaterThan(100);
        expect(perSecond).toBeGreaterThan(0);
        expect(medianMs).toBeGreaterThan(0);
        expect(p99Ms).toBeGreaterThanOrEqual(medianMs);
        expect(worstMs).toBeGreaterThanOrEqual(p99Ms);
      }
    }
    expect(startSeconds.every((seconds) => seconds > 0)).toBe(true);
    for (const usage of [rest, busy]) {
      expect(usage.map(({ service }) => service)).toContain("back-end");
      for (const { megabytes } of usage) expect(megabytes).toBeGreaterThan(1);
    }
    for (const { cores } of busy.filter(({ service }) => service === "back-end")) {
      expect(cores).toBeGreaterThan(0.05);
    }
    expect(images.map(({ megabytes }) => megabytes)).not.toContain(0);
    expect(versions).toMatch(/\d+\.\d+/);
  });

  it("has seen no request of production fail", () => {
    for (const { samples } of [...reportOf("production").load, ...reportOf("limit").load]) {
      expect(samples.map(({ failed }) => failed)).toEqual(samples.map(() => 0));
    }
  });

  it("has seen every server of production take exactly its share of 10,000 requests", () => {
    expect(report.rotation.length).toBeGreaterThan(2);
    for (const { servers, shares, difference } of report.rotation) {
      expect(shares).toHaveLength(servers);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThanOrEqual(10_000);
      expect(difference).toBeLessThanOrEqual(1);
    }
  });

  it("has opened a front page of at most 60 kB, and one of the original's weight", () => {
    const { ours, original } = report.page ?? {};
    expect(ours?.requests).toBeLessThanOrEqual(10);
    expect(ours?.bytes).toBeLessThanOrEqual(60_000);
    expect(original?.requests).toBe(26);
    expect(Math.abs((original?.bytes ?? 0) - 2_100_000)).toBeLessThan(42_000);
  });
});

describeOnEngine("a benchmark", () => {
  afterEach(endScripts);

  it("takes everything down on Ctrl-C, in the middle of a load", {
    timeout: 5 * minutes,
  }, async () => {
    const child = bench("--only", "limit", "--rounds", "100");
    await waitUntil(() => /connections 32/.test(child.output.stderr), {
      ...{ for: "the load", timeoutMs: 3 * minutes },
    });
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(await remains(child)).toEqual([]);
    expect(child.output.stdout).toBe("");
  });
});
