import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Task } from "../../tools/grader/repository";
import { root } from "../../tools/lib/course";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { endScripts, startScript } from "../lib/child";
import { Port } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

const minutes = 60_000;
const cli = path.join(root, "tools/grader/cli.ts");

/** Everything of a kind, whosever it is, in a stable order. */
const lists: Record<string, () => Promise<string>> = {
  containers: () => run("docker", ["ps", "--all", "--no-trunc", "--format={{.ID}} {{.Names}}"]),
  images: () =>
    run("docker", ["images", "--all", "--no-trunc", "--format={{.ID}} {{.Repository}}:{{.Tag}}"]),
  networks: () => run("docker", ["network", "ls", "--no-trunc", "--format={{.ID}} {{.Name}}"]),
  volumes: () => run("docker", ["volume", "ls", "--format={{.Name}}"]),
  "build cache": () => run("docker", ["buildx", "du", "--verbose"]).then(idsIn),
  processes: async () => {
    const all = await run("ps", ["-A", "-o", "pid=,args="]);
    // Without the kernel's threads, and those that have ended
    return all.replace(/^.*(\]|<defunct>|ps -A -o pid=,args=)$/gm, "");
  },
  "temporary files": async () => (await readdir(tmpdir())).join("\n"),
};

const idsIn = (text: string): string => text.match(/^ID:.*$/gm)?.join("\n") ?? "";

/** One after the other: what lists would be among the processes. */
async function readLists(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const [kind, list] of Object.entries(lists)) {
    found[kind] = (await list()).split("\n").filter(Boolean).sort();
  }
  return found;
}

describeOnEngine("a grading", () => {
  const machine = ownName("leftovers");
  const ports: Port[] = [];
  let warmUp: Port;

  const grade = (port: Port, ...tasks: readonly number[]) =>
    startScript([cli, port.folder, ...tasks.map((task) => `--task=${task}`)], {
      cwd: root,
      env: { GRADER_MACHINE: machine },
    });

  async function portOf(...tasks: readonly Task[]): Promise<Port> {
    const port = await Port.of(...tasks);
    ports.push(port);
    return port;
  }

  beforeAll(async () => {
    warmUp = await portOf("task0");
    expect(await grade(warmUp, 0).ended).toBe(0);
  });
  afterEach(endScripts);
  afterAll(async () => {
    for (const port of ports) await port.end();
    await attempt("docker", ["volume", "rm", "--force", machine]);
  });

  it("leaves the engine and the machine as they were, to the last process", {
    timeout: 8 * minutes,
  }, async () => {
    const port = await portOf("task0", "task4");
    await port.append("task0/Dockerfile", "VOLUME /data\nLABEL com.docker.compose.project=other\n");
    await port.append(
      "task4/back-end/Dockerfile",
      "VOLUME /data\nRUN --mount=type=cache,target=/c touch /c/x\nRUN (sleep 4000 &) && true\n",
    );
    const before = await readLists();
    const child = grade(port, 0, 4);
    expect([await child.ended, child.output.stderr]).toEqual([0, expect.anything()]);
    let after = await readLists();
    await waitUntil(
      async () => {
        after = await readLists();
        return JSON.stringify(after) === JSON.stringify(before);
      },
      { for: "the same lists", timeoutMs: 10_000 },
    ).catch(() => undefined);
    expect(after).toEqual(before);
    for (const kind of ["images", "volumes", "build cache", "processes", "temporary files"]) {
      expect(before[kind]).not.toEqual([]);
    }
  });
});
