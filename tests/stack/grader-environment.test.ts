import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import type { Point } from "../../tools/grader/point";
import type { Task } from "../../tools/grader/repository";
import { unjudged } from "../../tools/grader/score";
import { argv } from "../../tools/lib/argv";
import { run } from "../../tools/lib/run";
import { fakeDocker } from "../lib/fake-docker";
import { type Port, usePorts } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

const portOf = usePorts();
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), ownName("docker")));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

const blamed = (points: readonly Point[]): Point[] =>
  points.filter(({ verdict }) => verdict === "fail" || verdict === "deviation");

const daemon = (reason: string): string => `Error response from daemon: ${reason}`;
const noDaemon = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.";
const fullDisk = daemon("mkdir /var/lib/docker/overlay2/1a2b: no space left on device");
const portTaken = daemon("Bind for 127.0.0.1:32768 failed: port is already allocated");
const late = { "a slow engine": daemon("context deadline exceeded") };

/** For tasks and commands: what breaks, and what Docker prints. */
const trouble: [tasks: Task[], command: string, messages: Record<string, string>, code?: number][] =
  [
    [
      ["task0", "task4"],
      "build *",
      {
        "no buildx": "unknown flag: --progress\nSee 'docker build --help'.",
        "a broken buildx": "ERROR: the buildx component is missing or broken.",
        "no engine": `ERROR: ${noDaemon}`,
        "a full disk": "ERROR: failed to solve: no space left on device",
      },
    ],
    [["task0"], "build *", { "no image": "Build result will only remain in the build cache." }, 0],
    [
      ["task0", "task1"],
      "run *",
      {
        "a full disk": `docker: ${fullDisk}.`,
        "a port that is taken": `docker: ${portTaken}.`,
        "no cgroups": `docker: ${daemon("OCI runtime create failed: unable to freeze: unknown")}.`,
      },
      125,
    ],
    [["task2"], "run --rm *", { "a full disk": `docker: ${fullDisk}.` }, 125],
    [["task0"], "logs *", late],
    [["task0"], "wait *", late],
    [["task1"], "port *", late],
    [["task1"], "image inspect *", late],
    [["task1"], "kill *", late],
    [["task4"], "inspect *", late],
    [["task4"], "ps --all --no-trunc *", late],
    [
      ["task4"],
      "compose *config*",
      { "no Compose": "docker: 'compose' is not a docker command.", "no engine": noDaemon },
    ],
    [
      ["task4"],
      "compose * up *",
      {
        "no address pools": daemon(
          "could not find an available, non-overlapping IPv4 address pool",
        ),
        "a full disk": fullDisk,
        "a port that is taken": portTaken,
      },
    ],
  ];
const failures = trouble.flatMap(([tasks, command, messages, exitCode = 1]) =>
  tasks.flatMap((task) =>
    Object.entries(messages).map(
      ([what, message]) => [what, task, command, { command, message, exitCode }] as const,
    ),
  ),
);

describeOnEngine("a repository without a mistake, on a machine with trouble", () => {
  it.each(failures)("is not blamed for %s: %s, docker %s", async (_, task, __, failure) => {
    const port = await portOf(task);
    const fake = await fakeDocker(path.join(scratch, "bin"), failure);
    vi.stubEnv("PATH", fake.PATH);
    expect(blamed(await port.grade([task]))).toEqual([]);
    expect(existsSync(fake.used)).toBe(true);
  });

  it("is not blamed for a browser that cannot start", async () => {
    vi.stubEnv("CHROMIUM", "/nowhere/chromium");
    const port = await portOf("task3");
    const points = await port.grade(["task3"]);
    expect(blamed(points)).toEqual([]);
    expect(unjudged(points)).toMatchObject([{ id: "task3.browser" }]);
  });
});

describeOnEngine("a page on a machine whose networks come and go", () => {
  it("is not blamed for requests that the browser gives up", async () => {
    const port = await portOf("task3");
    // The browser has six connections to a host: the request of the script waits for one
    const images = [1, 2, 3, 4, 5, 6].map(
      (n) => `<img src="http://localhost:5252/slow${n}" crossorigin alt="">`,
    );
    const page = "task3/front-end/softy-pinko-front-end/index.html";
    await port.replace(page, "<body>", `<body>${images.join("")}`);
    const slow = 'if (request.url.includes("slow")) return setTimeout(() => response.end(), 2000);';
    await port.replace("task3/back-end/api.js", "const isKnown", `${slow}\n  const isKnown`);
    const name = ownName("network");
    let isOver = false;
    const change = async (): Promise<void> => {
      while (!isOver) {
        await run("docker", argv`network create ${name}`);
        await run("docker", argv`network rm ${name}`);
      }
    };
    const changes = change();
    const points = await port.grade(["task3"]);
    isOver = true;
    await changes;
    expect(blamed(points)).toEqual([]);
  });
});

describeOnEngine("a mistake on a machine without trouble", () => {
  const failuresOf = async (port: Port, task: Task) => blamed(await port.grade([task]));

  it.each<[string, Task, string]>([
    ["task1's image", "task1", "task1/Dockerfile"],
    ["task4's stack", "task4", "task4/back-end/Dockerfile"],
  ])("in %s fails, whatever an earlier step printed", async (_, task, dockerfile) => {
    const port = await portOf(task);
    await port.replace(dockerfile, "WORKDIR", "RUN pipp install flask\nWORKDIR");
    expect(await failuresOf(port, task)).toMatchObject([
      {
        cause: expect.stringMatching(/^`pipp install flask` fails: .*not found/),
        file: dockerfile,
        line: 4,
      },
    ]);
  });

  it("fails if it is based on an image that only another task builds", async () => {
    const port = await portOf("task4", "task5");
    await port.replace("task4/docker-compose.yml", "softy-pinko-back-end:task4", "api");
    const dockerfile = "task5/back-end/Dockerfile";
    await port.replace(dockerfile, "FROM ubuntu:latest", "FROM api");
    const cause = expect.stringMatching(/^it is based on api:latest, which only this repository/);
    expect(await failuresOf(port, "task5")).toMatchObject([{ cause, file: dockerfile, line: 1 }]);
  });

  it("fails if a build asks a service of the stack", async () => {
    const port = await portOf("task1");
    const ask =
      "RUN node -e \"fetch('http://back-end:5252').catch(({ cause }) => { throw cause })\"\n";
    await port.replace("task1/Dockerfile", "WORKDIR", `${ask}WORKDIR`);
    expect(await failuresOf(port, "task1")).toMatchObject([{ id: "task1.build", line: 4 }]);
  });

  it.each([
    ["has no such image", 404, "fail"],
    ["is unavailable", 503, "skipped"],
    ["limits downloads", 429, "skipped"],
  ])("is told from a registry that %s", async (_, status, verdict) => {
    const server = createServer((_, response) => response.writeHead(status).end("{}"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port: number } = server.address() as AddressInfo;
    const port = await portOf("task0");
    await port.replace(
      "task0/Dockerfile",
      "\nRUN",
      `\nCOPY --from=127.0.0.1:${number}/a/b /c /c\nRUN`,
    );
    const points = await port.grade(["task0"]);
    server.close();
    expect(points.find(({ id }) => id === "task0.build")).toMatchObject({ verdict });
  });
});
