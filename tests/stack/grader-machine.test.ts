import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { baseImages } from "../../tools/grader/base-images";
import { buildMachine, lendImages, openMachine } from "../../tools/grader/machine";
import type { Point } from "../../tools/grader/point";
import { openRepository, type Task } from "../../tools/grader/repository";
import { isConsequence, unjudged } from "../../tools/grader/score";
import { gradeIn } from "../../tools/grader/session";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { endScripts, startScript } from "../lib/child";
import { upgraded } from "../lib/grader-files";
import { namesInEngine, type Port, silent, usePorts } from "../lib/grader-fixtures";
import { listenOnLoopback, plant, plantGit } from "../lib/planted";
import { describeOnEngine, ownName } from "../lib/stacks";

const minutes = 60_000;
const { signal } = new AbortController();
const portOf = usePorts();
const disks: string[] = [];
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), ownName("machine")));
});
afterAll(async () => {
  for (const disk of disks) await attempt("docker", argv`volume rm --force ${disk}`);
  await rm(scratch, { recursive: true, force: true });
});

const failuresOf = (points: readonly Point[]): Point[] =>
  points.filter(({ verdict }) => verdict === "fail");

/** @returns Files of the grader; ts-node keeps others next to them. */
const graderFilesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((file) => file.startsWith("softy-pinko"));

const machine = ownName("command");
disks.push(machine);

beforeAll(async () => {
  await buildMachine({ report: silent, signal });
});
afterEach(endScripts);

describeOnEngine("the command for a hostile repository", () => {
  it("runs no program, obeys no configuration and shows no secret", {
    timeout: 8 * minutes,
  }, async () => {
    const port = await portOf("task0", "task1", "task2", "task4", "task5");
    const proof = path.join(scratch, "proof");
    const temporary = path.join(scratch, "above/temporary");
    await mkdir(proof);
    const task4 = path.join(port.folder, "task4");
    const places = [port.folder, path.join(port.folder, "task0"), task4];
    for (const place of [...places, `${task4}/back-end`, temporary, path.dirname(temporary)]) {
      await plant(place, proof);
    }
    await plantGit(port, proof);

    const secret = ownName("secret");
    const context = path.join(scratch, "secret");
    await mkdir(context);
    await writeFile(path.join(context, "secret"), "TOP-SECRET");
    await writeFile(path.join(context, "Dockerfile"), "FROM scratch\nCOPY secret /secret\n");
    await run("docker", argv`build --quiet --tag ${secret} ${context}`);
    const copy = `COPY --from=${secret} /secret /secret\nCMD ["cat", "/secret"]\n`;
    await port.append("task1/Dockerfile", copy);
    const server = await listenOnLoopback();
    await port.append("task2/back-end/Dockerfile", `ADD ${server.url} /secret\n`);
    const privileged = "RUN --security=insecure true\n";
    await port.append("task2/front-end/Dockerfile", privileged);
    await port.replace("task0/Dockerfile", "FROM", "# syntax=nobody.invalid/frontend:1\nFROM");
    const bind = '  x: {image: x, volumes: ["/x$DOCKER_PASSWORD:/x"]}\n';
    await port.append("task5/docker-compose.yml", bind);

    const bin = path.join(root, "bin/grade.cjs");
    const chosen = argv`--task 0 --task 1 --task 2 --task 4 --task 5`;
    const searchPath = ["", ".", "node_modules/.bin", `${port.folder}/node_modules/.bin`, task4];
    const env = {
      GRADER_MACHINE: machine,
      DOCKER_PASSWORD: "TOP-SECRET",
      PATH: [...searchPath, process.env.PATH].join(":"),
      TMPDIR: temporary,
    };
    const graded = await attempt(process.execPath, argv`${bin} . ${chosen} --json`, {
      cwd: port.folder,
      env,
    });
    await run("docker", argv`image rm ${secret}`);
    server.close();

    expect(await readdir(proof)).toEqual([]);
    expect(graded).toMatchObject({ exitCode: 1, stderr: expect.any(String) });
    expect(graded.stdout).not.toContain("TOP-SECRET");
    const { tasks } = JSON.parse(graded.stdout) as { tasks: { points: Point[] }[] };
    const [points0 = [], points1 = [], points2 = [], points4 = [], points5 = []] = tasks.map(
      (task) => task.points,
    );
    expect([...points0, ...points4].filter(({ verdict }) => verdict !== "pass")).toEqual([]);
    expect([...points0, ...points4]).toHaveLength(25);
    const builds = ["task1.build", "task2.build", "task2.front-end-build"];
    const built = [...points1, ...points2].filter(({ id }) => builds.includes(id));
    // The first two are skipped if nothing can be downloaded
    expect(built.map(({ verdict }) => verdict)).not.toContain("pass");
    expect(built.at(-1)).toMatchObject({
      verdict: "fail",
      // BuildKit says it in different words from version to version
      cause: expect.any(String),
    });
    expect(server.requests()).toBe(0);
    expect(failuresOf(points5)).toMatchObject([
      { id: "task5.safe", cause: "x asks for a folder of the host (/x)" },
    ]);
    expect(await namesInEngine(machine)).toEqual([machine]);
    expect(await graderFilesIn(temporary)).toEqual([]);
  });
});

describeOnEngine("the command, interrupted", () => {
  it.each([
    ["SIGINT", 2],
    ["SIGKILL", "SIGKILL"],
  ] as const)(
    "leaves nothing running after %s",
    { timeout: 5 * minutes },
    async (name, expected) => {
      const command = `sleep ${7000 + Math.floor(Math.random() * 1e6) / 1000}`;
      const isRunning = async () => (await run("ps", argv`-A -o args=`)).includes(command);
      const port = await portOf("task0");
      await port.write({ "task0/Dockerfile": `${upgraded}RUN ${command}\n` });
      const temporary = path.join(scratch, name);
      await mkdir(temporary);
      const cli = path.join(root, "tools/grader/cli.ts");
      const env = { GRADER_MACHINE: machine, TMPDIR: temporary };
      const child = startScript([cli, port.folder, "--task=0"], { cwd: root, env });
      await waitUntil(isRunning, { for: "the build", timeoutMs: 3 * minutes });
      child.process.kill(name);
      expect(await child.ended).toBe(expected);
      expect(child.output.stdout).toBe("");
      await waitUntil(
        async () => {
          const containers = await run("docker", argv`ps -aq --filter=name=${machine}`);
          return containers === "" && !(await isRunning());
        },
        { for: "the machine's end", timeoutMs: 20_000 },
      );
      // The disk, and after SIGKILL a network, which the next grading uses again
      const left = name === "SIGKILL" ? [machine, machine] : [machine];
      expect(await namesInEngine(machine)).toEqual(left);
      if (name !== "SIGKILL") expect(await graderFilesIn(temporary)).toEqual([]);
    },
  );
});

/** Grades in a new machine, which uses the disk of the one before. */
async function grade(
  name: string,
  port: Port,
  tasks: readonly Task[],
  { buildTimeoutMs = 5 * minutes, diskSize = "20G" } = {},
): Promise<Point[]> {
  const machine = await openMachine({ names: [name], report: silent, signal, diskSize });
  try {
    const copy = await mkdtemp(path.join(scratch, "copy-"));
    const folders = await openRepository(port.folder, copy);
    await lendImages(machine, baseImages(folders), { signal });
    const options = { tasks, buildTimeoutMs, report: silent, signal };
    const { reports } = await gradeIn(machine, { folders, scratch: copy }, options);
    return reports.flatMap(({ points }) => points);
  } finally {
    await machine.close();
  }
}

describeOnEngine("a machine", () => {
  it("builds each task with its own files, although others have the same length and time", {
    timeout: 8 * minutes,
  }, async () => {
    const port = await portOf("task2", "task3", "task4");
    await port.replace("task3/front-end/softy-pinko-front-end.conf", "9000", "8080");
    await port.replace("task4/back-end/api.js", "Hello, World!", "Hello, world!");
    const points = await grade(machine, port, ["task2", "task3", "task4"]);
    const others = points.filter((it) => it.verdict !== "pass" && !isConsequence(it));
    expect(others.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["task3.front-end-port", "deviation"],
      ["task4.hello", "fail"],
    ]);
  });
});

describeOnEngine("a machine with a small disk", () => {
  const small = { buildTimeoutMs: 20_000, diskSize: "1G" };
  const name = ownName("small");
  disks.push(name);

  it("survives a fork bomb and a full disk; the next grading gets a new disk", {
    timeout: 8 * minutes,
  }, async () => {
    const port = await portOf("task0", "task1");
    await port.append("task0/Dockerfile", "RUN f() { f | f & }; f; sleep 600\n");
    // A tar archive whose only file has 4 GB of zeros
    const member = gzipSync(Buffer.alloc(64e6));
    const members = Array.from({ length: 63 }, () => member);
    await port.write({
      "task1/Dockerfile": `${upgraded}ADD bomb.tar.gz /bomb/\nRUN false\n`,
      "task1/bomb.tar.gz": Buffer.concat([gzipSync(tarHeader("zeros", 4e9)), ...members]),
    });
    const points = await grade(name, port, ["task0", "task1"], small);
    expect(failuresOf(points)).toMatchObject([{ id: "task0.build" }]);
    expect(unjudged(points)).toMatchObject([
      { id: "task1.build", cause: expect.stringContaining("no space left on device") },
    ]);
    expect(failuresOf(await grade(name, await portOf("task0"), ["task0"], small))).toEqual([]);
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
