import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { endScripts, startScript } from "../lib/child";
import { Port } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

/** Everything of a kind that there is, whatever made it. */
const lists: Record<string, () => Promise<string>> = {
  containers: () => run("docker", argv`ps --all --no-trunc --format={{.ID}}/{{.Names}}`),
  images: () =>
    run("docker", argv`images --all --no-trunc --format={{.ID}}/{{.Repository}}:{{.Tag}}`),
  networks: () => run("docker", argv`network ls --no-trunc --format={{.ID}}/{{.Name}}`),
  volumes: () => run("docker", argv`volume ls --format={{.Name}}`),
  "build cache": async () => {
    const cache = await run("docker", argv`buildx du --verbose`);
    return cache.match(/^ID:.*$/gm)?.join("\n") ?? "";
  },
  processes: async () => {
    const all = await run("ps", argv`-A -o args=`);
    // Without the kernel's threads and those that have ended; without process IDs, as a script on this
    // machine may start the same program again
    return all.replace(/^.*(\]|<defunct>|ps -A -o args=)$/gm, "");
  },
  "temporary files": async () => (await readdir(tmpdir())).join("\n"),
};

/** One after the other: `docker` would be among the processes. */
async function readLists(): Promise<Record<string, string[]>> {
  const entries: Record<string, string[]> = {};
  for (const [kind, list] of Object.entries(lists)) {
    entries[kind] = (await list()).split("\n").filter(Boolean).sort();
  }
  return entries;
}

describeOnEngine("a grading", () => {
  const machine = ownName("leftovers");
  let port: Port;

  const grade = () =>
    startScript([path.join(root, "tools/grader/cli.ts"), port.folder, "--task=0"], {
      cwd: root,
      env: { GRADER_MACHINE: machine },
    });

  beforeAll(async () => {
    port = await Port.of("task0");
    // Makes the machine's image and disk, which stay
    expect(await grade().ended).toBe(0);
  });
  afterEach(endScripts);
  afterAll(async () => {
    await port.remove(".");
    await attempt("docker", argv`volume rm --force ${machine}`);
  });

  it("leaves the engine and the machine as they were", { timeout: 480_000 }, async () => {
    await port.append(
      "task0/Dockerfile",
      `VOLUME /data
LABEL com.docker.compose.project=other traefik.enable=true
RUN --mount=type=cache,target=/cache touch /cache/x
RUN (sleep 4000 &) && true
`,
    );
    const before = await readLists();
    const child = grade();
    expect([await child.ended, child.output.stderr]).toEqual([0, expect.anything()]);
    let after = await readLists();
    const isSame = async (): Promise<boolean> => {
      after = await readLists();
      return JSON.stringify(after) === JSON.stringify(before);
    };
    await waitUntil(isSame, { for: "the same lists", timeoutMs: 10_000 }).catch(() => undefined);
    expect(after).toEqual(before);
    for (const kind of ["images", "volumes", "build cache", "processes", "temporary files"]) {
      expect(before[kind]).not.toEqual([]);
    }
  });
});
