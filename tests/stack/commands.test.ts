import { once } from "node:events";
import { rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { listContainers } from "../../tools/lib/compose";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { waitUntil } from "../../tools/lib/wait";
import { type Child, endScripts, startScript } from "../lib/child";
import { useCopy } from "../lib/copy";
import { describeOnEngine, leftovers, type TestStack, useStack } from "../lib/stacks";

/** Starts `npm start` or `npm stop`. */
function start(
  script: "start" | "stop",
  args: string[],
  env: NodeJS.ProcessEnv,
  through?: string[],
) {
  const file = path.join(root, `tools/stack/${script}.ts`);
  return startScript([file, ...args], { cwd: root, env, through });
}

async function outcomeOf(child: Child) {
  const code = await child.ended;
  const { stdout, stderr } = child.output;
  const errors = stderr.split("\n").filter((line) => line.startsWith("error:"));
  return { code, stdout, errors };
}

const envOf = ({ env, project }: TestStack) => ({ ...env, COMPOSE_PROJECT_NAME: project });

describeOnEngine.each([
  {
    task: "task6",
    built: ["back-end", "front-end", "proxy"],
    variable: "PROXY_PORT",
    sample: "/api/hello returned Hello, World!",
    served: ["back-end-1 served 3", "back-end-2 served 3"],
  },
  {
    task: "visitor-counter",
    built: ["webapp"],
    variable: "WEB_PORT",
    sample: "/",
    served: ["webapp-1 served 2", "webapp-2 served 2", "webapp-3 served 2"],
  },
])("npm start -- $task", ({ task, built, variable, sample, served }) => {
  const stack = useStack(task, built);
  const run = (script: "start" | "stop", env: NodeJS.ProcessEnv = {}) =>
    outcomeOf(start(script, [task], { ...envOf(stack), ...env }));
  afterEach(async () => {
    await endScripts();
    await run("stop");
  });

  it("starts it and shows its address and who served, and npm stop keeps its data", async () => {
    const url = `http://localhost:${stack.env[variable]}`;
    const stdout = [
      `${task} is up: ${url}`,
      "",
      `6 requests to ${url}${sample}`,
      ...served.map((line) => `  ${stack.project}-${line}`),
      "",
      "Stop it with: npm stop",
      "",
    ].join("\n");
    expect(await run("start")).toEqual({ code: 0, stdout, errors: [] });
    expect((await fetchAnswer(`${url}/`)).status).toBe(200);
    const visit = async () => (await fetchAnswer(`${url}/count`)).body;
    if (task === "visitor-counter") expect(await visit()).toBe("You are visitor number 1.\n");

    // While it is up already
    expect((await run("start")).code).toBe(0);
    const stopped = { code: 0, stdout: `${task} is stopped\n`, errors: [] };
    expect(await run("stop")).toEqual(stopped);
    // The visitor counter's volume
    expect(await leftovers(stack.project)).toHaveLength(task === "visitor-counter" ? 1 : 0);
    if (task === "visitor-counter") {
      expect((await run("start")).code).toBe(0);
      expect(await visit()).toBe("You are visitor number 2.\n");
    }
  });

  it("names a port in use and its variable, and starts nothing", async () => {
    const holder = createServer().listen(0);
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const outcome = await run("start", { [variable]: String(port) });
    holder.close();
    const error = `error: port ${port} is in use: stop the program that listens there, or set ${variable}=8080.`;
    expect(outcome).toEqual({ code: 2, stdout: "", errors: [error] });
    expect(await listContainers(stack)).toEqual([]);
  });
});

describeOnEngine("npm start", () => {
  const stack = useStack("task6", ["back-end", "front-end", "proxy"]);
  afterEach(endScripts);

  it("leaves nothing behind after Ctrl-C", async () => {
    const child = start("start", [], envOf(stack));
    await waitUntil(async () => (await listContainers(stack)).length > 0, {
      for: "the first container",
      timeoutMs: 60_000,
      intervalMs: 20,
    });
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(await leftovers(stack.project)).toEqual([]);
  });
});

describeOnEngine("a plain npm stop", () => {
  const stack = useStack("task6", ["back-end", "front-end", "proxy"]);
  const copy = useCopy();
  let link = "";
  beforeAll(async () => {
    link = `${copy.folder}-link`;
    await symlink(copy.folder, link);
  });
  afterEach(endScripts);
  afterAll(() => rm(link));

  it("leaves nothing of a stack with a name, a file and a profile of its own, started through a link", async () => {
    const image = (name: string) => ({ image: `${stack.project}-${name}` });
    const extra = { image: "ubuntu", command: "sleep infinity", init: true, profiles: ["more"] };
    const services = { "back-end": image("back-end"), "front-end": image("front-end"), extra };
    const override = JSON.stringify({ services: { ...services, proxy: image("proxy") } });
    await writeFile(path.join(copy.folder, "task6/more.yml"), override);
    const env = {
      ...envOf(stack),
      COMPOSE_FILE: "docker-compose.yml:more.yml",
      COMPOSE_PROFILES: "more",
    };
    const run = (script: string, env: NodeJS.ProcessEnv) =>
      outcomeOf(startScript([`tools/stack/${script}.ts`], { cwd: link, env }));

    expect(await run("start", env)).toMatchObject({ code: 0, errors: [] });
    expect(await listContainers(stack)).toHaveLength(5);
    expect(await run("stop", {})).toEqual({ code: 0, stdout: "task6 is stopped\n", errors: [] });
    expect(await leftovers(stack.project)).toEqual([]);
  });
});

describe("npm start exits with 2 and one line", () => {
  /** Another user, who can read this checkout but is not root: root may install an engine. */
  const asNobody = [
    "/usr/bin/setpriv",
    "--reuid=65534",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
  ];

  it.each<[string, string[], NodeJS.ProcessEnv, RegExp, string[]?]>([
    [
      "for an unknown step",
      ["task9"],
      {},
      /^error: no step "task9": choose task0, .*, visitor-c.*\.$/,
    ],
    [
      "if DOCKER_HOST does not respond",
      [],
      { DOCKER_HOST: "tcp://127.0.0.1:1" },
      /^error: no Docker engine responds at tcp:\/\/127.0.0.1:1: start it, or choose another /,
    ],
    [
      "for what is not a port",
      ["visitor-counter"],
      { WEB_PORT: "abc" },
      /^error: WEB_PORT is "abc": set it to a whole number from 1 to 65535\.$/,
    ],
    ...["task3", "task4"].map((task): [string, string[], NodeJS.ProcessEnv, RegExp] => [
      `for another port of ${task}'s API, which the page would not find`,
      [task],
      { BACK_END_PORT: "18091" },
      RegExp(`^error: ${task}'s page requests the API at port 5252: unset BACK_END_PORT\\.$`),
    ]),
    [
      "for one port of two services",
      ["task2"],
      { FRONT_END_PORT: "18092", BACK_END_PORT: "18092" },
      /^error: port 18092 is wanted twice: set FRONT_END_PORT to another one\.$/,
    ],
    [
      "without an engine, for a user who may not install one",
      [],
      { PATH: "/nonexistent", DOCKER_HOST: undefined, DOCKER_CONTEXT: undefined },
      /^error: no Docker engine runs: start Docker, or install it from /,
      process.getuid?.() === 0 ? asNobody : [],
    ],
  ])("%s", async (_, args, env, error, through) => {
    const errors = [expect.stringMatching(error)];
    const child = start("start", args, env, through);
    expect(await outcomeOf(child)).toEqual({ code: 2, stdout: "", errors });
  });
});
