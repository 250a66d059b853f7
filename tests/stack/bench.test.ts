import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { contenderNames, proxyNames } from "../../tools/bench/contenders";
import type { BenchReport, Sample } from "../../tools/bench/report";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { describeOnEngine } from "../lib/stacks";

const minutes = 60_000;

/** Starts `npm run bench`. */
const bench = (args: readonly string[]): Child =>
  startScript([path.join(root, "tools/bench/cli.ts"), ...args], {
    cwd: root,
  });

/** @returns The containers, networks, volumes and images that a benchmark left behind. */
async function leftovers({ output }: Child): Promise<string[]> {
  const project = /softy-pinko-bench-[0-9a-f]+/.exec(output.stderr)?.[0];
  if (project === undefined) throw new Error(`no project name in ${output.stderr}`);
  const lists = await Promise.all([
    run("docker", argv`ps --all --format={{.Names}} --filter=name=^${project}`),
    run("docker", argv`network ls --format={{.Name}} --filter=name=^${project}`),
    run("docker", argv`volume ls --format={{.Name}} --filter=name=^${project}`),
    run("docker", argv`image ls --format={{.Repository}} --filter=reference=${project}*`),
  ]);
  return lists.join("\n").split("\n").filter(Boolean);
}

describeOnEngine("a quick benchmark", () => {
  let folder: string;
  let child: Child;
  let report: BenchReport & { failures: string[] };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bench-"));
    child = bench(argv`--quick --json --svg=${folder}/chart.svg`);
    const code = await child.ended;
    expect(child.output.stderr).not.toContain("error:");
    report = JSON.parse(child.output.stdout) as typeof report;
    expect({ code, failures: report.failures }).toEqual({ code: 0, failures: [] });
  }, 10 * minutes);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const expectMeasured = (sample: Sample | undefined): void => {
    expect(sample?.requests).toBeGreaterThan(100);
    expect(sample?.medianMs).toBeGreaterThan(0);
    expect(sample?.p99Ms).toBeGreaterThanOrEqual(sample?.medianMs ?? 0);
    for (const name of ["back-end", "load", "proxy"]) {
      const usage = sample?.usage.find(({ service }) => service === name);
      expect(usage?.megabytes).toBeGreaterThan(0.1);
      expect(usage?.cpuSeconds).toBeGreaterThan(0.01);
    }
  };

  it.each([
    ["with logs", "contenders"],
    ["without logs", "withoutLogs"],
  ] as const)("measures every contender %s", (_, table) => {
    expect(report[table].map(({ name }) => name)).toEqual(contenderNames);
    for (const { load, versions } of report[table]) {
      expectMeasured(load[0]?.samples[0]);
      expect(versions).toMatch(/^(?!.*unknown).*\d\.\d/);
    }
  });

  it("measures the proxies by the clock, each with the same requests", () => {
    for (const logs of [true, false]) {
      const points = report.byTheClock.filter((point) => point.logs === logs);
      expect(points.map(({ name }) => name)).toEqual(proxyNames);
      for (const { rate, samples } of points) {
        expectMeasured(samples[0]);
        expect(rate).toBe(points[0]?.rate);
        expect(Math.abs((samples[0]?.requests ?? 0) - rate)).toBeLessThanOrEqual(1);
        // 0 if each request waited for a connection: that is not the load's delay
        expect(samples[0]?.lateMs).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("draws a light and a dark chart", async () => {
    for (const file of ["chart.svg", "chart-dark.svg"]) {
      expect(await readFile(path.join(folder, file), "utf8")).toContain("</svg>");
    }
  });

  it("leaves nothing behind", async () => {
    expect(await leftovers(child)).toEqual([]);
  });
});

describeOnEngine("a benchmark", () => {
  afterEach(endScripts);

  it("removes everything on Ctrl-C under load", { timeout: 5 * minutes }, async () => {
    const child = bench(argv`--only limit --rounds 100`);
    const isUnderLoad = (): boolean => /connections 32/.test(child.output.stderr);
    await waitUntil(isUnderLoad, { for: "the load", timeoutMs: 3 * minutes });
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(await leftovers(child)).toEqual([]);
    expect(child.output.stdout).toBe("");
  });
});
