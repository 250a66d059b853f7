import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { baseImages } from "../../tools/grader/base-images";
import { buildMachine, lendImages, type Machine, openMachine } from "../../tools/grader/machine";
import type { Point } from "../../tools/grader/point";
import { openRepository, type Task } from "../../tools/grader/repository";
import { gradeIn } from "../../tools/grader/session";
import { root } from "../../tools/lib/course";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { Port } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

const minutes = 60_000;
const report = Object.assign(() => undefined, { detail: () => undefined });
const { signal } = new AbortController();

let scratch: string;
const ports: Port[] = [];
const disks: string[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), ownName("machine")));
});
afterAll(async () => {
  for (const port of ports) await port.end();
  for (const disk of disks) await attempt("docker", ["volume", "rm", "--force", disk]);
  await rm(scratch, { recursive: true, force: true });
});

async function portOf(...tasks: readonly Task[]): Promise<Port> {
  const port = await Port.of(...tasks);
  ports.push(port);
  return port;
}

const upgraded = "FROM ubuntu:latest\nRUN apt-get update && apt-get upgrade -y\n";
const hello = 'CMD ["echo", "Hello, World!"]\n';

const uniqueSeconds = (): string => `${7000 + Math.floor(Math.random() * 1e6) / 1000}`;

async function processesWith(text: string): Promise<string[]> {
  const all = await run("ps", ["-A", "-o", "args="]);
  return all.split("\n").filter((line) => line.includes(text));
}

/** @returns What a machine has left in the engine, its disk aside. */
async function leftovers(name: string): Promise<string[]> {
  const lists = await Promise.all([
    run("docker", ["ps", "--all", "--format={{.Names}}", `--filter=name=${name}`]),
    run("docker", ["network", "ls", "--format={{.Name}}", `--filter=name=${name}`]),
  ]);
  return lists.join("\n").split("\n").filter(Boolean);
}

/** Beside them, ts-node keeps what it has compiled. */
const ownFilesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((file) => file.startsWith("softy-pinko"));

describeOnEngine("the command", () => {
  const name = ownName("command");
  disks.push(name);

  beforeAll(async () => {
    await buildMachine({ report, signal });
  });

  function start(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [path.join(root, "bin/grade.cjs"), ...args], {
      cwd: folder,
      env: { ...process.env, GRADER_MACHINE: name, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk;
    });
    return { process: child, output, ended: once(child, "close").then(([code]) => code) };
  }

  it("runs no program and obeys no configuration of the repository", {
    timeout: 8 * minutes,
  }, async () => {
    const port = await portOf("task0", "task4");
    const proof = path.join(scratch, "proof");
    const temporary = path.join(scratch, "above/temporary");
    await mkdir(proof);
    await mkdir(temporary, { recursive: true });
    const programs = [
      "git",
      "docker",
      "docker-compose",
      "docker-buildx",
      "docker-credential-spy",
      "npm",
      "chromium",
      "setpriv",
      "sh",
      "node",
    ];
    const places = [
      port.folder,
      path.join(port.folder, "task0"),
      path.join(port.folder, "task4"),
      path.join(port.folder, "task4/back-end"),
      temporary,
      path.dirname(temporary),
    ];
    for (const place of places) {
      for (const folder of [place, path.join(place, "node_modules/.bin")]) {
        await mkdir(folder, { recursive: true });
        for (const program of programs) {
          const file = path.join(folder, program);
          if (existsSync(file)) continue;
          const record = path.join(proof, file.replaceAll("/", "_"));
          await writeFile(file, `#!/bin/sh\necho "$@" > ${record}\n`);
          await chmod(file, 0o755);
        }
      }
    }
    // As in an archive that was handed in: a lazy clone whose missing commits a command brings
    await run("git", ["init", "--quiet", port.folder]);
    await run("git", ["-C", port.folder, "config", "core.fsmonitor", `touch ${proof}/fsmonitor`]);
    const inner = path.join(port.folder, "task0");
    await run("git", ["init", "--quiet", inner]);
    await writeFile(path.join(inner, ".git/HEAD"), `${"1".repeat(40)}\n`);
    await writeFile(
      path.join(inner, ".git/config"),
      `[core]
  repositoryformatversion = 1
[extensions]
  partialClone = origin
[remote "origin"]
  promisor = true
  url = ext::sh -c "touch% ${proof}/promisor"
[protocol "ext"]
  allow = always
`,
    );
    const config = '{ "credsStore": "spy", "cliPluginsExtraDirs": ["."] }';
    for (const place of places) {
      await mkdir(path.join(place, ".docker"), { recursive: true });
      await writeFile(path.join(place, ".docker/config.json"), config);
      await writeFile(
        path.join(place, ".env"),
        "COMPOSE_EXPERIMENTAL_GIT_REMOTE=true\nDOCKER_HOST=tcp://127.0.0.1:1\nCOMPOSE_FILE=x\n",
      );
    }

    const { output, ended } = start(port.folder, [".", "--task", "0", "--task", "4", "--json"], {
      PATH: ["", ".", "node_modules/.bin", path.join(port.folder, "node_modules/.bin")]
        .concat(path.join(port.folder, "task4"), process.env.PATH ?? "")
        .join(":"),
      TMPDIR: temporary,
    });
    const code = await ended;
    expect(await readdir(proof)).toEqual([]);
    expect([code, output.stderr]).toEqual([0, expect.any(String)]);
    const { tasks } = JSON.parse(output.stdout) as { tasks: { points: Point[] }[] };
    const points = tasks.flatMap((task) => task.points);
    expect(points.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
    expect(points).toHaveLength(25);
    expect(await leftovers(name)).toEqual([]);
    expect(await ownFilesIn(temporary)).toEqual([]);
  });

  it.each([
    ["Ctrl-C", "SIGINT", 2],
    ["SIGTERM", "SIGTERM", 2],
    ["an exception that nobody catches", "SIGUSR2", 2],
    ["SIGKILL", "SIGKILL", null],
  ] as const)(
    "leaves nothing behind after %s",
    {
      timeout: 5 * minutes,
    },
    async (_, way, expected) => {
      const seconds = uniqueSeconds();
      const port = await portOf("task0");
      await port.write({ "task0/Dockerfile": `${upgraded}RUN sleep ${seconds}\n${hello}` });
      const temporary = path.join(scratch, way);
      await mkdir(temporary);
      const preload = path.join(root, "tests/unit/fixtures/throw-on-signal.cjs");
      const child = start(port.folder, [".", "--task", "0"], {
        TMPDIR: temporary,
        NODE_OPTIONS: `--require=${preload}`,
      });
      await waitUntil(async () => (await processesWith(`sleep ${seconds}`)).length > 0, {
        for: "the build",
        timeoutMs: 3 * minutes,
      });
      child.process.kill(way);
      expect(await child.ended).toBe(expected);
      expect(child.output.stdout).toBe("");
      await waitUntil(
        async () => {
          const containers = await run("docker", ["ps", "-aq", `--filter=name=${name}`]);
          return containers === "" && (await processesWith(`sleep ${seconds}`)).length === 0;
        },
        { for: "the machine's end", timeoutMs: 20_000 },
      );
      if (way === "SIGKILL") {
        // A process that is killed cannot remove its files; the next grading takes the network over
        expect(await leftovers(name)).toEqual([name]);
      } else {
        expect(await leftovers(name)).toEqual([]);
        expect(await ownFilesIn(temporary)).toEqual([]);
      }
      const lines = child.output.stderr.trim().split("\n");
      if (way === "SIGUSR2") expect(lines.at(-1)).toMatch(/^error: thrown in a listener/);
    },
  );
});

type Grade = (port: Port, ...tasks: Task[]) => Promise<Point[]>;

async function gradeWith(
  machine: Machine,
  port: Port,
  tasks: readonly Task[],
  buildTimeoutMs = 2 * minutes,
): Promise<Point[]> {
  const copy = await mkdtemp(path.join(scratch, "copy-"));
  const folders = await openRepository(port.folder, copy);
  await lendImages(machine, baseImages(folders), { signal });
  const session = { tasks, folders, scratch: copy, buildTimeoutMs, signal };
  const { reports } = await gradeIn(machine, session);
  return reports.flatMap(({ points }) => points);
}

/** A machine that several gradings share, one test after the other. */
function useMachine(): Grade {
  const name = ownName("shared");
  disks.push(name);
  let machine: Machine;
  beforeAll(async () => {
    machine = await openMachine({ name, report, signal });
  });
  afterAll(() => machine.close());
  return (port, ...tasks) => gradeWith(machine, port, tasks);
}

/** A machine for each grading, as for the command, with one small disk that all of them use. */
function useMachines(diskSize: string): Grade {
  const name = ownName("small");
  disks.push(name);
  return async (port, ...tasks) => {
    const machine = await openMachine({ name, report, signal, diskSize });
    try {
      return await gradeWith(machine, port, tasks, minutes / 2);
    } finally {
      await machine.close();
    }
  };
}

const failuresOf = (points: readonly Point[]): Point[] =>
  points.filter(({ verdict }) => verdict === "fail");

describeOnEngine("in the machine, a repository", { concurrent: true, timeout: 5 * minutes }, () => {
  const grade = useMachine();

  it("cannot take files from an image of the user's", async () => {
    const secret = ownName("secret");
    const folder = path.join(scratch, "private");
    await mkdir(folder);
    await writeFile(path.join(folder, "secret"), "TOP-SECRET");
    await writeFile(path.join(folder, "Dockerfile"), "FROM scratch\nCOPY secret /secret\n");
    await run("docker", ["build", "--quiet", "--tag", secret, folder]);
    try {
      const port = await portOf("task0");
      await port.write({
        "task0/Dockerfile": `${upgraded}COPY --from=${secret} /secret /secret\nCMD ["cat", "/secret"]\n`,
      });
      const points = await grade(port, "task0");
      expect(points.find(({ id }) => id === "task0.build")?.verdict).toMatch(/fail|skipped/);
      expect(JSON.stringify(points)).not.toContain("TOP-SECRET");
    } finally {
      await run("docker", ["image", "rm", secret]);
    }
  });

  it("does not reach the host's loopback from a build", async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.end("TOP-SECRET");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port: number } = server.address() as { port: number };
    try {
      for (const line of [
        `ADD http://127.0.0.1:${number}/secret /secret`,
        `COPY --from=127.0.0.1:${number}/x /secret /secret`,
        `ONBUILD ADD http://127.0.0.1:${number}/secret /secret`,
      ]) {
        const port = await portOf("task0");
        await port.write({ "task0/Dockerfile": `${upgraded}${line}\nCMD ["cat", "/secret"]\n` });
        const points = await grade(port, "task0");
        expect(failuresOf(points)).toMatchObject([
          { id: "task0.build", file: "task0/Dockerfile", line: 3 },
        ]);
      }
      expect(requests).toBe(0);
    } finally {
      server.close();
    }
  });

  it("shows no file and no variable of the host, however its compose file asks for it", async () => {
    const canary = path.join(scratch, "canary.env");
    await writeFile(canary, "CANARY=TOP-SECRET\n");
    process.env.DOCKER_PASSWORD = "TOP-SECRET";
    const api = "  back-end:\n";
    const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");
    const changes: ((port: Port) => Promise<void>)[] = [
      (port) =>
        port.replace(
          "task4/docker-compose.yml",
          api,
          `${api}    environment: ["X=$DOCKER_PASSWORD"]\n`,
        ),
      async (port) => {
        await mkdir(path.join(port.folder, "task4/part"));
        await symlink(canary, path.join(port.folder, "task4/part/.env"));
        await port.write({ "task4/part/x.yml": "services: {x: {image: 'x:$CANARY'}}\n" });
        await port.append("task4/docker-compose.yml", "include: [part/x.yml]\n");
      },
      (port) =>
        port.append(
          "task4/docker-compose.yml",
          `include: [{path: x.yml, project_directory: ${scratch}, env_file: ${canary}}]\n`,
        ),
      (port) =>
        writeFile(
          path.join(port.folder, "task4/docker-compose.yml"),
          utf16(`services: {back-end: {image: x, env_file: ${canary}}}\n`),
        ),
      (port) =>
        port.append(
          "task4/docker-compose.yml",
          `x-a: &a [1]\nx-b: [${"*a,".repeat(200)}]\nx-c: {env_file: ${canary}}\n`,
        ),
    ];
    for (const change of changes) {
      const port = await portOf("task4");
      await change(port);
      const points = await grade(port, "task4");
      expect(JSON.stringify(points)).not.toContain("TOP-SECRET");
      expect(points).toHaveLength(19);
    }
    delete process.env.DOCKER_PASSWORD;
  });

  it("whose API switches protocols fails, and is graded to the end", async () => {
    const port = await portOf("task1");
    await port.replace(
      "task1/api.js",
      "response.statusCode",
      'return response.writeHead(101, { Connection: "Upgrade", Upgrade: "x" });\n  response.statusCode',
    );
    const points = await grade(port, "task1");
    expect(points).toHaveLength(9);
    expect(failuresOf(points).length).toBeGreaterThan(0);
  });

  const download =
    "const a = document.createElement('a'); a.href = URL.createObjectURL(new Blob(['x'.repeat(1e6)])); a.download = 'x'; a.click();";
  it.each([
    [
      "asks for odd addresses, opens windows and downloads",
      `<img src="http://xn--a/"><img src="http://[::1"><script>for (let i = 0; i < 20; i += 1) { open('/'); ${download} }</script>`,
      "pass",
    ],
    [
      "floods the console",
      "<script>for (;;) console.error('\\u0007'.repeat(1e5));</script>",
      "fail",
    ],
    ["never ends", "<script>for (;;);</script>", "fail"],
  ])("whose page %s costs that point at most", async (_, html, verdict) => {
    const port = await portOf("task3");
    const page = "task3/front-end/softy-pinko-front-end/index.html";
    await port.replace(page, "<script src=", `${html}\n<script src=`);
    const points = await grade(port, "task3");
    expect(points).toHaveLength(20);
    expect(points.find(({ id }) => id === "task3.browser")?.verdict).toBe(verdict);
    expect(failuresOf(points)).toHaveLength(verdict === "fail" ? 1 : 0);
  });
});

describeOnEngine("in a machine with a small disk, a build", () => {
  const grade = useMachines("3G");

  it("that forks, fills the disk or unpacks a bomb fails, and the next one is built", {
    timeout: 8 * minutes,
  }, async () => {
    const member = gzipSync(Buffer.alloc(64e6));
    // A tar archive whose one file is said to have 8 GB, all zeros
    const bomb = Buffer.concat([gzipSync(tarHeader("zeros", 8e9)), ...Array(125).fill(member)]);
    for (const line of [
      "RUN f() { f | f & }; f; sleep 600",
      "RUN i=0; while dd if=/dev/zero of=/fill$i bs=1M count=500; do i=$((i+1)); done; exit 1",
      "ADD bomb.tar.gz /bomb/\nRUN false",
    ]) {
      const port = await portOf("task0");
      await port.write({
        "task0/Dockerfile": `${upgraded}${line}\n${hello}`,
        "task0/bomb.tar.gz": bomb,
      });
      expect(failuresOf(await grade(port, "task0"))).toMatchObject([{ id: "task0.build" }]);
    }
    expect(failuresOf(await grade(await portOf("task0"), "task0"))).toEqual([]);
  });
});

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function tarHeader(name: string, bytes: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write(`${bytes.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
