import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { listContainers } from "../../tools/lib/compose";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { describeOnEngine, leftovers, useStack } from "../lib/stacks";

interface Ended {
  code: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
}

/** Starts the program of an npm script. */
function command(
  script: "start" | "stop",
  args: readonly string[],
  { env, through = [] }: { env: NodeJS.ProcessEnv; through?: readonly string[] },
): { child: Child; ended: Promise<Ended> } {
  const file = path.join(root, `tools/stack/${script}.ts`);
  const child = startScript([file, ...args], { cwd: root, env, through });
  const ended = child.ended.then((code) => ({ code, ...child.output }));
  return { child, ended };
}

/** Another user, who can read this checkout wherever it is, but is not root. */
const nobody = [
  ...["/usr/bin/setpriv", "--reuid=65534", "--clear-groups"],
  ...["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"],
];

const errorLines = (stderr: string): string[] =>
  stderr.split("\n").filter((line) => line.startsWith("error:"));

describeOnEngine("npm start and npm stop", () => {
  const stack = useStack("task6", ["back-end", "front-end", "proxy"]);
  const ownEnv = (more: NodeJS.ProcessEnv = {}): { env: NodeJS.ProcessEnv } => ({
    env: { ...stack.env, COMPOSE_PROJECT_NAME: stack.project, ...more },
  });
  afterEach(async () => {
    await endScripts();
    await command("stop", ["task6"], ownEnv()).ended;
  });

  it("bring task6 up with two servers, say where it is and who served, and end it", async () => {
    const started = await command("start", [], ownEnv()).ended;
    expect(started.code).toBe(0);
    expect(started.stdout).toBe(
      [
        `task6 is up: http://localhost:${stack.ports.proxy}`,
        "",
        `6 requests to http://localhost:${stack.ports.proxy}/api/hello, answered Hello, World!`,
        `  ${stack.project}-back-end-1 served 3`,
        `  ${stack.project}-back-end-2 served 3`,
        "",
        "Stop it with: npm stop",
        "",
      ].join("\n"),
    );
    expect((await fetchAnswer(`http://localhost:${stack.ports.proxy}/`)).status).toBe(200);

    const again = await command("start", [], ownEnv()).ended;
    expect(again.code).toBe(0);

    const stopped = await command("stop", ["task6"], ownEnv()).ended;
    expect({ code: stopped.code, stdout: stopped.stdout }).toEqual({
      code: 0,
      stdout: "task6 is stopped\n",
    });
    expect(await leftovers(stack.project)).toEqual([]);
  });

  it("leave nothing behind when Ctrl-C comes in the middle", async () => {
    const { child, ended } = command("start", [], ownEnv());
    await waitUntil(async () => (await listContainers(stack)).length > 0, {
      for: "the first container",
      timeoutMs: 60_000,
      intervalMs: 20,
    });
    child.process.kill("SIGINT");
    expect((await ended).code).toBe(130);
    expect(await leftovers(stack.project)).toEqual([]);
  });

  it("name the step that does not exist, in one line", async () => {
    const { code, stdout, stderr } = await command("start", ["task9"], ownEnv()).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: no step "task9": choose task0, .*, visitor-counter\.\n$/);
  });

  it("name the port that is in use and the variable that moves it, and start nothing", async () => {
    const holder = createServer().listen(0);
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const { code, stderr } = await command("start", [], ownEnv({ PROXY_PORT: String(port) })).ended;
    holder.close();
    expect(code).toBe(2);
    expect(errorLines(stderr)).toEqual([
      `error: port ${port} is in use: stop what listens there, or choose another with PROXY_PORT=8080.`,
    ]);
    expect(await leftovers(stack.project)).toEqual([]);
  });

  it("say where there is no engine what to install, and change nothing", async () => {
    // Root on Debian may install one, so root has nobody run it
    const through = process.getuid?.() === 0 ? nobody : [];
    const env = { PATH: "/nonexistent", DOCKER_HOST: undefined, DOCKER_CONTEXT: undefined };
    const { code, stderr } = await command("start", [], { env, through }).ended;
    expect(code).toBe(2);
    expect(errorLines(stderr)).toEqual([
      expect.stringMatching(/^error: no Docker engine answers: start Docker, or install it from /),
    ]);
  });

  it("say where DOCKER_HOST leads nowhere, rather than start another engine", async () => {
    const nowhere = "tcp://127.0.0.1:1";
    const { code, stderr } = await command("start", [], ownEnv({ DOCKER_HOST: nowhere })).ended;
    expect(code).toBe(2);
    expect(errorLines(stderr)).toEqual([
      `error: no Docker engine answers at ${nowhere}: start it, or unset DOCKER_HOST.`,
    ]);
  });
});

describeOnEngine("npm start -- visitor-counter", () => {
  const stack = useStack("visitor-counter", ["webapp"]);
  const env = (): { env: NodeJS.ProcessEnv } => ({
    env: { ...stack.env, COMPOSE_PROJECT_NAME: stack.project },
  });
  const url = (): string => `http://localhost:${stack.ports.web}`;
  afterEach(async () => {
    await endScripts();
    await command("stop", ["visitor-counter"], env()).ended;
  });

  it("brings it up with three webapps, counts nothing, and keeps the count after npm stop", async () => {
    const started = await command("start", ["visitor-counter"], env()).ended;
    expect({ code: started.code, stdout: started.stdout }).toEqual({
      code: 0,
      stdout: [
        `visitor-counter is up: ${url()}`,
        "",
        `6 requests to ${url()}/`,
        `  ${stack.project}-webapp-1 served 2`,
        `  ${stack.project}-webapp-2 served 2`,
        `  ${stack.project}-webapp-3 served 2`,
        "",
        "Stop it with: npm stop",
        "",
      ].join("\n"),
    });
    const first = await fetchAnswer(`${url()}/count`);
    expect(first.body).toBe("You are visitor number 1.\n");

    expect((await command("stop", ["visitor-counter"], env()).ended).code).toBe(0);
    expect((await command("start", ["visitor-counter"], env()).ended).code).toBe(0);
    const second = await fetchAnswer(`${url()}/count`);
    expect(second.body).toBe("You are visitor number 2.\n");
  });

  it("names the variable that moves its port", async () => {
    const holder = createServer().listen(0);
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const more = { env: { ...env().env, WEB_PORT: String(port) } };
    const { code, stderr } = await command("start", ["visitor-counter"], more).ended;
    holder.close();
    expect(code).toBe(2);
    expect(errorLines(stderr)).toEqual([
      `error: port ${port} is in use: stop what listens there, or choose another with WEB_PORT=8080.`,
    ]);
  });
});
