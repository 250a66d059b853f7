import { afterEach, beforeAll, expect, it } from "vitest";
import { cases } from "../../tools/faults/cases";
import type { CaseReport, LabReport } from "../../tools/faults/report";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { run } from "../../tools/lib/run";
import { projectLabel } from "../../tools/lib/temporary-project";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { describeOnEngine, leftovers, ownName } from "../lib/stacks";

const minutes = 60_000;
/** Requests per second. Less than the default, so that a busy machine can serve them. */
const rate = 200;

/** Starts `npm run faults`. */
const startLab = (...args: string[]): Child =>
  startScript(["tools/faults/cli.ts", `--rate=${rate}`, ...args], { cwd: root });

/** @returns The name of a lab's project, from its progress report. */
const projectOf = ({ output }: Child): string =>
  /softy-pinko-faults-[0-9a-f]+/.exec(output.stderr)?.[0] ?? "no project";

/** @returns What is left of a lab on the engine: containers, networks, volumes and images. */
async function remains(child: Child): Promise<string[]> {
  const project = projectOf(child);
  const labeled = argv`image ls --format={{.Repository}} --filter=label=${projectLabel}=${project}`;
  const images = (await run("docker", labeled)).split("\n");
  const ours = images.filter((image) => image !== "" && !image.includes("kept"));
  return [...(await leftovers(project)), ...ours];
}

describeOnEngine("production in the fault lab", () => {
  const reports = new Map<string, CaseReport>();
  let child: Child;
  let code: number | NodeJS.Signals;

  beforeAll(async () => {
    child = startLab("--json");
    code = await child.ended;
    const { cases: results = [] } = JSON.parse(child.output.stdout || "{}") as Partial<LabReport>;
    for (const report of results) reports.set(report.name, report);
  }, 15 * minutes);

  it("meets every fault, and nothing is left behind", async () => {
    expect(child.output.stderr).not.toContain("error:");
    expect([...reports.keys()]).toEqual(cases.map(({ name }) => name));
    expect(await remains(child)).toEqual([]);
    expect(code).toBe([...reports.values()].some(({ lost }) => lost > 0) ? 1 : 0);
  });

  it.each(cases.map(({ name, about }) => ({ name, about })))("$name: $about", ({ name }) => {
    const report = reports.get(name) as CaseReport;
    const { sent, lost, lostExamples, evenAfterS, turnedAway, fault } = report;
    // However long the responses took
    expect(sent).toBeGreaterThanOrEqual(rate * fault.toS);
    expect(evenAfterS).not.toBeNull();
    expect(turnedAway > 0).toBe(["kill-front-end", "stop-all"].includes(name));
    if (name === "kill-front-end") {
      // The killed server can have sent half of each page in flight, of which there are few
      expect(lost).toBeLessThanOrEqual(8);
      expect(lostExamples.filter(({ path }) => path !== "/")).toEqual([]);
    } else {
      expect({ lost, lostExamples }).toEqual({ lost: 0, lostExamples: [] });
    }
  });
});

describeOnEngine("the fault lab", { timeout: 5 * minutes }, () => {
  afterEach(endScripts);

  it("exits with 1 if requests are lost: task5 passes a server's 500 on", async () => {
    const child = startLab("task5", "--fault=http-500", "--rate=50");
    expect(await child.ended).toBe(1);
    expect(child.output.stdout).toMatch(/^ {2}http-500 +[\d,]+ +[1-9].*✘$/m);
    expect(await remains(child)).toEqual([]);
  });

  it("removes its stack on Ctrl-C, even if a container is paused", async () => {
    const child = startLab("--fault=pause", "--rate=50");
    const list = (): string[] =>
      argv`ps -q --filter=status=paused --filter=name=${projectOf(child)}`;
    const isPaused = async (): Promise<boolean> => (await run("docker", list())) !== "";
    await waitUntil(isPaused, { for: "a paused container", timeoutMs: 3 * minutes });
    // An image under another name is not the lab's to remove
    const kept = ownName("kept");
    await run("docker", argv`tag ${projectOf(child)}-proxy ${kept}`);
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(await remains(child)).toEqual([]);
    expect(await run("docker", argv`image rm ${kept}`)).toContain(kept);
  });
});
