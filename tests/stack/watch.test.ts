import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, listContainers } from "../../tools/lib/compose";
import { fetchAnswer } from "../../tools/lib/http";
import { attempt } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { useCopy } from "../lib/copy";
import { describeOnEngine, leftovers, useStack } from "../lib/stacks";

/** From saving a file to the first response that shows it: about 6 s on two cores. */
const timeoutMs = 60_000;

describeOnEngine("production while docker-compose up --watch runs", () => {
  let watch: ChildProcess | undefined;
  let output = "";

  // The test edits a copy. It comes first here, because clean-ups run in reverse order
  const copy = useCopy();
  const stack = useStack("production", ["back-end", "front-end", "proxy"]);
  const get = async (address: string): Promise<string> =>
    (await fetchAnswer(`http://localhost:${stack.ports.proxy}${address}`)).body;
  const idsOf = async (service: string): Promise<string[]> =>
    (await listContainers(stack, service)).map(({ id }) => id);

  beforeAll(async () => {
    stack.folder = path.join(copy.folder, "production");
    const hasCommand = (await attempt("docker-compose", ["version"])).ok;
    const [program = "", ...args] = hasCommand ? ["docker-compose"] : ["docker", "compose"];
    await compose(stack, ["build"]);
    watch = spawn(program, argv`${args} up --watch --scale back-end=2`, {
      cwd: stack.folder,
      env: { ...process.env, ...stack.env, COMPOSE_PROJECT_NAME: stack.project },
      // A process group of its own, so that Ctrl-C reaches all of it, as in a terminal
      detached: true,
    });
    for (const stream of [watch.stdout, watch.stderr]) {
      stream?.on("data", (text: Buffer) => {
        output += text;
      });
    }
    await waitUntil(() => output.includes("Watch enabled"), { for: "the watch", timeoutMs });
    await waitUntil(async () => (await get("/api/hello")) === "Hello, World!", {
      for: "the stack",
      timeoutMs,
    });
  });
  afterAll(() => {
    if (watch?.exitCode === null && watch.signalCode === null) signalGroup(watch, "SIGKILL");
  });

  /** Edits a file of the copy, and waits until a response shows it. */
  async function edit(file: string, from: string, to: string, address: string): Promise<void> {
    const edited = path.join(stack.folder, file);
    const text = await readFile(edited, "utf8");
    expect(text).toContain(from);
    await writeFile(edited, text.replace(from, to));
    await waitUntil(async () => (await get(address)).includes(to), {
      for: `"${to}" in ${address}`,
      timeoutMs,
    });
  }

  it("replaces both API servers after an edit of api.ts", async () => {
    const before = await idsOf("back-end");
    await edit("back-end/api.ts", "Hello, World!", "Hello, Watch!", "/api/hello");
    await waitUntil(
      async () => {
        const current = await listContainers(stack, "back-end");
        const isNew = current.map(({ id, state }) => state === "running" && !before.includes(id));
        return current.length === 2 && !isNew.includes(false);
      },
      { for: "two new servers", timeoutMs },
    );
  });

  it.each([
    ["front-end/softy-pinko-front-end/index.html", "Discover More", "Discover Less", "/"],
    ["front-end/scripts/traffic.ts", "unnamed", "anonymous", "/scripts/traffic.js"],
    ["proxy/proxy.conf", "OK", "Edited", "/health"],
  ])("shows an edit of %s, and keeps the API servers", async (file, from, to, address) => {
    const before = await idsOf("back-end");
    await edit(file, from, to, address);
    expect(await idsOf("back-end")).toEqual(before);
  });

  it("ends on Ctrl-C, and leaves nothing after down", async () => {
    if (watch === undefined) throw new Error("the watch has not been started");
    const closed = once(watch, "close");
    signalGroup(watch, "SIGINT");
    await closed;
    expect((await listContainers(stack)).filter(({ state }) => state === "running")).toEqual([]);
    await compose(stack, ["down"]);
    expect(await leftovers(stack.project)).toEqual([]);
  });
});

/** Signals a process and its children by the ID of their group. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, signal);
}
