import path from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { cases } from "../../tools/faults/cases";
import type { CaseReport, LabReport } from "../../tools/faults/report";
import { root } from "../../tools/lib/course";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { describeOnEngine, leftovers, ownName } from "../lib/stacks";

const minutes = 60_000;

/** The lab's own, where it is told nothing else. */
const connections = 8;

/** Starts `npm run faults`. */
const lab = (...args: string[]): Child =>
  startScript([path.join(root, "tools/faults/cli.ts"), ...args], {
    cwd: root,
    // In CI the table is coloured even in a pipe
    env: { NO_COLOR: "1" },
  });

/** @returns The name under which a lab's stack runs, once it says so. */
const projectOf = ({ output }: Child): string | undefined =>
  /softy-pinko-faults-[0-9a-f]+/.exec(output.stderr)?.[0];

/** @returns What a lab has left in the engine: containers, networks, volumes and images. */
async function remains(child: Child): Promise<string[]> {
  const project = projectOf(child);
  if (project === undefined) throw new Error(`no name in ${child.output.stderr}`);
  const images = (filter: string): Promise<string> =>
    run("docker", ["image", "ls", "--format={{.ID}} {{.Repository}}", `--filter=${filter}`]);
  const named = await images(`reference=${project}*`);
  const unnamed = await images(`label=softy-pinko.lab=${project}`);
  const left = `${named}\n${unnamed}`.split("\n").filter(Boolean);
  return [...(await leftovers(project)), ...left.filter((one) => !one.includes("kept"))];
}

describeOnEngine("production in the fault lab", () => {
  const reports = new Map<string, CaseReport>();
  let child: Child;
  let code: number | NodeJS.Signals;

  beforeAll(async () => {
    child = lab("--json");
    code = await child.ended;
    const { cases: tried = [] } = JSON.parse(child.output.stdout || "{}") as Partial<LabReport>;
    for (const one of tried) reports.set(one.name, one);
  }, 15 * minutes);

  it("was put through every fault, and none of it is left", async () => {
    expect(child.output.stderr).not.toContain("error:");
    expect([...reports.keys()]).toEqual(cases.map(({ name }) => name));
    expect(await remains(child)).toEqual([]);
    expect(code).toBe([...reports.values()].some(({ lost }) => lost > 0) ? 1 : 0);
  });

  describe.each(cases.map(({ name, about }) => ({ name, about })))("$name: $about", ({ name }) => {
    const report = (): CaseReport => {
      const found = reports.get(name);
      if (found === undefined) throw new Error(`${name} was not tried`);
      return found;
    };

    it("loses no request of at least 5,000", () => {
      const { sent, lost, lostExamples } = report();
      expect(sent).toBeGreaterThanOrEqual(5_000);
      if (name === "front-end") {
        // Half a page had been sent, over some connection, when its only server was killed
        expect(lost).toBeLessThanOrEqual(connections);
        expect(lostExamples.filter(({ path }) => path !== "/")).toEqual([]);
      } else {
        expect({ lost, lostExamples }).toEqual({ lost: 0, lostExamples: [] });
      }
    });

    it("is over once all servers share the load again", () => {
      expect(report().evenAfterS).not.toBeNull();
    });

    it("turns away only whom nobody can serve", () => {
      const turnsAway = ["front-end", "all-down"].includes(name);
      expect(report().turnedAway > 0).toBe(turnsAway);
    });
  });
});

describeOnEngine("the fault lab", () => {
  afterEach(endScripts);

  const timeout = 5 * minutes;

  it("sees what is lost, and fails: task5 hands on what a server gone mad says", {
    timeout,
  }, async () => {
    const child = lab("task5", "--fault", "crash:500");
    expect(await child.ended).toBe(1);
    expect(child.output.stdout).toMatch(/^ {2}crash:500 +[\d,]+ +[1-9].*✘ lost/m);
    expect(child.output.stdout).toMatch(/^ +lost at \d/m);
    expect(await remains(child)).toEqual([]);
  });

  it("takes its stack down on Ctrl-C, a hanging server too", { timeout }, async () => {
    const child = lab("--fault", "hang");
    await waitUntil(() => /^› pause/m.test(child.output.stderr), {
      for: "the fault",
      timeoutMs: 3 * minutes,
    });
    const paused = async (): Promise<string> =>
      run("docker", [
        "ps",
        "--quiet",
        "--filter=status=paused",
        `--filter=name=${projectOf(child)}`,
      ]);
    await waitUntil(async () => (await paused()) !== "", { for: "a pause", timeoutMs: 10_000 });
    // The same image under a name that is not the lab's, as another lab at the same time has it
    const kept = ownName("kept");
    await run("docker", ["tag", `${projectOf(child)}-proxy`, kept]);
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(await remains(child)).toEqual([]);
    expect(await run("docker", ["image", "rm", kept])).toContain(kept);
  });
});
