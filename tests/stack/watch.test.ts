import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compose, listContainers } from "../../tools/lib/compose";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { attempt } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { describeOnEngine, leftovers, ownName, useStack } from "../lib/stacks";

/** Seconds from saving a file to the first answer that shows it; two processors need six. */
const patience = 60;

describeOnEngine("production while docker-compose up --watch runs", () => {
  let copy: string;
  let watch: ChildProcess | undefined;
  let output = "";

  // The repository's own files are never edited. Hooks that clean up run backwards: the copy is the
  // last to go
  beforeAll(async () => {
    copy = await mkdtemp(path.join(tmpdir(), ownName("watch")));
    const filter = (file: string): boolean => path.basename(file) !== "node_modules";
    await cp(path.join(root, "production"), copy, { recursive: true, filter });
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  const stack = useStack("production", ["back-end", "front-end", "proxy"]);
  const get = async (address: string): Promise<string> =>
    (await fetchAnswer(`http://localhost:${stack.ports.proxy}${address}`)).body;

  beforeAll(async () => {
    stack.folder = copy;
    const standalone = (await attempt("docker-compose", ["version"])).ok;
    const [program = "", ...args] = standalone ? ["docker-compose"] : ["docker", "compose"];
    await compose(stack, ["build"]);
    const child = spawn(program, [...args, "up", "--watch", "--scale", "back-end=2"], {
      cwd: copy,
      env: { ...process.env, ...stack.env, COMPOSE_PROJECT_NAME: stack.project },
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, so that Ctrl-C reaches all of it, as at a terminal
      detached: true,
    });
    watch = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => {
        output += text;
      });
    }
    await waitUntil(() => output.includes("Watch enabled"), {
      for: "the watch to begin",
      timeoutMs: 60_000,
    });
    await waitUntil(async () => (await get("/api/hello")) === "Hello, World!", {
      for: "the stack to answer",
      timeoutMs: 60_000,
    });
  });
  afterAll(() => {
    if (watch?.exitCode === null && watch.signalCode === null) signal(watch, "SIGKILL");
  });

  /** Changes a file of the copy, and waits until an answer shows it. */
  async function edit(file: string, from: string, to: string, address: string): Promise<void> {
    const text = await readFile(path.join(copy, file), "utf8");
    expect(text).toContain(from);
    await writeFile(path.join(copy, file), text.replace(from, to));
    const saved = performance.now();
    await waitUntil(async () => (await get(address)).includes(to), {
      for: `${address} to say ${to}`,
      timeoutMs: patience * 1_000,
    });
    const seconds = ((performance.now() - saved) / 1_000).toFixed(1);
    process.stderr.write(`stack: ${file} was live ${seconds} s after it was saved\n`);
  }

  const ids = async (service: string): Promise<string[]> =>
    (await listContainers(stack, service)).map(({ id }) => id);

  it("answers with what was saved in api.ts, with two servers as before", async () => {
    const before = await ids("back-end");
    await edit("back-end/api.ts", "Hello, World!", "Hello, Watch!", "/api/hello");
    await waitUntil(
      async () => {
        const now = await listContainers(stack, "back-end");
        const fresh = now.filter(({ id, state }) => state === "running" && !before.includes(id));
        return now.length === 2 && fresh.length === 2;
      },
      { for: "two new servers", timeoutMs: 30_000 },
    );
  });

  it.each([
    ["the site", "softy-pinko-front-end/index.html", "Discover More", "Discover Less", "/"],
    ["a script", "scripts/traffic.ts", "unnamed", "anonymous", "/scripts/traffic.js"],
  ])("shows what was saved in %s, and leaves the API alone", async (_, file, from, to, address) => {
    const before = await ids("back-end");
    await edit(`front-end/${file}`, from, to, address);
    expect(await ids("back-end")).toEqual(before);
  });

  it("keeps to what was saved in a conf", async () => {
    await edit("proxy/proxy.conf", "OK", "Well", "/health");
  });

  it("ends on Ctrl-C, and leaves nothing behind after down", async () => {
    if (watch === undefined) throw new Error("the watch has not been started");
    const ended = once(watch, "close");
    signal(watch, "SIGINT");
    await ended;
    expect((await listContainers(stack)).filter(({ state }) => state === "running")).toEqual([]);
    await compose(stack, ["down"]);
    expect(await leftovers(stack.project)).toEqual([]);
  });
});

/** Signals a process and those that it started, by the id of their group. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, name);
}
