import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { gradeAll, grading } from "../../tools/grader/grade";
import type { Point } from "../../tools/grader/point";
import type { Task } from "../../tools/grader/repository";
import { tidyUp } from "../../tools/grader/sandbox";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { Port, withTasks } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

interface Graded {
  points: Point[];
  /** What does not hold, which should be one thing. */
  failures: Point[];
  seconds: number;
}

const ports: Port[] = [];

/** @returns A fixture that goes when the tests are over. */
async function port(...tasks: readonly Task[]): Promise<Port> {
  const made = await Port.of(...tasks);
  ports.push(made);
  return made;
}

afterAll(async () => {
  for (const made of ports) await made.end();
});

/** Grades a task, and makes sure that the repository is as it was and that nothing is left. */
async function grade({ folder }: Port, task: Task, buildTimeoutMs = 60_000): Promise<Graded> {
  const prefix = ownName("hostile");
  const { signal } = new AbortController();
  const report = Object.assign(() => undefined, { detail: () => undefined });
  const before = fingerprint(folder);
  const begun = performance.now();
  try {
    const sandbox = { prefix, signal, report, buildTimeoutMs };
    const [graded] = await withTasks(folder, (folders) => gradeAll([task], folders, sandbox));
    const seconds = (performance.now() - begun) / 1000;
    expect(await leftBehind(prefix)).toEqual([]);
    expect(fingerprint(folder)).toBe(before);
    return { ...sorted(graded?.points ?? []), seconds };
  } catch (error) {
    await tidyUp({ prefix });
    throw error;
  }
}

const sorted = (points: Point[]): Pick<Graded, "points" | "failures"> => ({
  points,
  failures: points.filter(({ verdict }) => verdict === "fail"),
});

/** Has a task read only: what is found here must be found before anything is built. */
async function read({ folder }: Port, task: Task): Promise<Pick<Graded, "points" | "failures">> {
  const { signal } = new AbortController();
  const report = Object.assign(() => undefined, { detail: () => undefined });
  const sandbox = { prefix: ownName("hostile"), signal, report, buildTimeoutMs: 1 };
  const before = fingerprint(folder);
  return withTasks(folder, async (folders) => {
    const reading = grading(task, folders.get(task), sandbox);
    await reading.read();
    expect(fingerprint(folder)).toBe(before);
    return sorted(reading.report().points);
  });
}

/** @returns A number for everything in a folder: names, kinds, sizes, times and contents. */
function fingerprint(folder: string): string {
  const hash = createHash("sha256");
  const add = (file: string): void => {
    const stat = lstatSync(file);
    hash.update(`${file} ${stat.mode} ${stat.size} ${stat.mtimeMs}\n`);
    if (stat.isSymbolicLink()) hash.update(readlinkSync(file));
    if (stat.isFile() && stat.size < 1e6) hash.update(readFileSync(file));
    if (stat.isDirectory()) for (const name of readdirSync(file)) add(path.join(file, name));
  };
  add(folder);
  return hash.digest("hex");
}

/** @returns What the engine has under a name. */
async function leftBehind(prefix: string): Promise<string[]> {
  const lists = await Promise.all([
    run("docker", ["ps", "--all", "--format={{.Names}}", `--filter=name=${prefix}`]),
    run("docker", ["network", "ls", "--format={{.Name}}", `--filter=name=${prefix}`]),
    run("docker", ["volume", "ls", "--format={{.Name}}", `--filter=name=${prefix}`]),
    run("docker", ["image", "ls", "--format={{.Repository}}", `--filter=reference=${prefix}*`]),
  ]);
  return lists.join("\n").split("\n").filter(Boolean);
}

/** @returns This machine's processes whose command line has a text; the engine's are among them. */
function processesWith(text: string): string[] {
  const all = execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" });
  return all.split("\n").filter((line) => line.includes(text));
}

/** A task0 whose build or container is up to something. It holds what can be read. */
const dockerfile = (lines: string, first = "FROM ubuntu:latest"): string =>
  `${first}\nRUN : apt-get update && : apt-get upgrade -y\n${lines}\n`;

const task0 = async (lines: string, first?: string): Promise<Port> => {
  const made = await port("task0");
  await made.write({ "task0/Dockerfile": dockerfile(lines, first) });
  return made;
};

const forkBomb = "f() { f | f & }; f; sleep 600";

describe.concurrent("of a hostile repository", () => {
  describeOnEngine("a build", () => {
    it.concurrent("that never ends is ended, in the engine too", async ({ expect }) => {
      const seconds = 7000 + Math.floor(Math.random() * 1e6) / 1000;
      const graded = await grade(await task0(`RUN sleep ${seconds}`), "task0", 4_000);
      expect(graded.failures).toMatchObject([
        { id: "task0.build", cause: "the build timed out after 4 s", file: "task0/Dockerfile" },
      ]);
      expect(graded.seconds).toBeLessThan(15);
      await waitUntil(() => processesWith(`sleep ${seconds}`).length === 0, {
        for: "the end of the build",
        timeoutMs: 5_000,
      });
    });

    it.concurrent("that prints without end is ended, by its output or its time", async ({
      expect,
    }) => {
      const flood = ownName("flood");
      const graded = await grade(await task0(`RUN yes ${flood}`), "task0", 12_000);
      expect(graded.failures).toMatchObject([
        { id: "task0.build", cause: expect.stringMatching(/^the build (printed more|timed out)/) },
      ]);
      await waitUntil(() => processesWith(`yes ${flood}`).length === 0, {
        for: "the end of the build",
        timeoutMs: 5_000,
      });
    });

    it.concurrent("that eats memory in one process is refused more", async ({ expect }) => {
      // Never more than the bound of 4 GB, and what is asked for is not touched
      const eat = `RUN : ${ownName("eat")}; dd if=/dev/zero of=/dev/null bs=5G count=1`;
      const graded = await grade(await task0(eat), "task0", 30_000);
      expect(graded.failures).toMatchObject([
        { id: "task0.build", cause: expect.stringMatching(/fails: .*memory exhausted/) },
      ]);
    });

    it.concurrent("that writes a file without end is refused more", async ({ expect }) => {
      const write = `RUN : ${ownName("write")}; truncate -s 5G /large`;
      const graded = await grade(await task0(write), "task0", 30_000);
      expect(graded.failures).toMatchObject([{ id: "task0.build", cause: expect.any(String) }]);
    });

    it.concurrent.each([
      [
        "another frontend",
        "# syntax=nobody.invalid/frontend:1\nFROM ubuntu:latest",
        "",
        /not Docker's own/,
      ],
      ["no protection", undefined, "RUN --security=insecure id", /runs a command with --security/],
      ["the host's network", undefined, "RUN --network=host id", /in the host's network/],
      ["a strange base image", "FROM ../../etc:$(id)", "", /cannot be told/],
    ])("that asks for %s is refused", async (_, first, lines, cause) => {
      const graded = await grade(await task0(lines, first), "task0", 30_000);
      expect(graded.failures).toMatchObject([
        { id: "task0.build", cause: expect.stringMatching(cause), file: "task0/Dockerfile" },
      ]);
    });

    it.concurrent("does not take away the user's own name for the same image", async ({
      expect,
    }) => {
      const made = await task0('CMD ["echo", "Hello, World!"]');
      const own = ownName("own");
      const bounds = ["--ulimit=core=0", "--ulimit=data=4294967296", "--ulimit=fsize=2147483648"];
      await run("docker", ["build", ...bounds, "--tag", own, path.join(made.folder, "task0")]);
      try {
        const { failures } = await grade(made, "task0");
        expect(failures).toEqual([]);
        expect((await attempt("docker", ["image", "inspect", own])).ok).toBe(true);
      } finally {
        await run("docker", ["image", "rm", own]);
      }
    });
  });

  describeOnEngine("a container", () => {
    it.concurrent("that never ends is ended", async ({ expect }) => {
      const made = await task0('CMD ["sleep", "600"]');
      const { failures, seconds } = await grade(made, "task0");
      expect(failures).toMatchObject([
        { id: "task0.output", cause: expect.stringMatching(/prints nothing; timed out/) },
      ]);
      expect(seconds).toBeLessThan(75);
    });

    it.concurrent("that prints without end is ended", async ({ expect }) => {
      const { failures } = await grade(await task0('CMD ["yes", "softy"]'), "task0");
      expect(failures).toMatchObject([
        {
          id: "task0.output",
          cause: expect.stringMatching(/; (printed more than 0.5 MB|timed out after 30 s)$/),
        },
      ]);
    });

    it.concurrent("that forks without end reaches its bound and is ended", async ({ expect }) => {
      const made = await task0(`CMD ["sh", "-c", ${JSON.stringify(forkBomb)}]`);
      const { failures, seconds } = await grade(made, "task0");
      expect(failures).toMatchObject([{ id: "task0.output", cause: expect.any(String) }]);
      expect(seconds).toBeLessThan(75);
    });

    it.concurrent("that eats memory reaches its bound", async ({ expect }) => {
      const { failures, seconds } = await grade(await task0('CMD ["tail", "/dev/zero"]'), "task0");
      expect(failures).toMatchObject([
        { id: "task0.output", cause: expect.stringMatching(/^it prints nothing/) },
      ]);
      expect(seconds).toBeLessThan(75);
    });

    it.concurrent.each([
      ["prints without end and never listens", 'CMD ["yes", "softy"]', /nothing listens.*softy/],
      ["forks without end and never listens", `CMD ${forkBomb}`, /nothing listens/],
      ["has no such program", 'CMD ["no-such-program"]', /nothing listens.*no-such-program/],
    ])("as the API that %s", async (_, command, cause) => {
      const made = await port("task1");
      await made.write({ "task1/Dockerfile": dockerfile(`WORKDIR /app\n${command}`) });
      const { failures, seconds } = await grade(made, "task1");
      expect(failures).toMatchObject([{ id: "task1.port", cause: expect.stringMatching(cause) }]);
      expect(seconds).toBeLessThan(60);
    });
  });

  /** A task4 whose compose file has more lines in a service, or at its end. */
  async function task4(service: string, end = ""): Promise<Port> {
    const made = await port("task4");
    const key = "  back-end:\n";
    await made.replace("task4/docker-compose.yml", key, `${key}${service}`);
    await made.append("task4/docker-compose.yml", end);
    return made;
  }

  describeOnEngine("a compose file", () => {
    it.concurrent.each([
      ["a privileged container", "    privileged: true\n", "", /privileged/],
      [
        "a folder of the host",
        '    volumes: ["/etc:/host:ro"]\n',
        "",
        /folder of the host \(\/etc\)/,
      ],
      ["the folder above", '    volumes: ["../..:/host"]\n', "", /folder of the host/],
      [
        "the engine's socket",
        '    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]\n',
        "",
        /^back-end asks for the engine's socket$/,
      ],
      ["the host's network", "    network_mode: host\n", "", /host's network/],
      [
        "the network of another",
        "    network_mode: container:x\n",
        "",
        /another container's network/,
      ],
      ["the host's processes", "    pid: host\n", "", /other processes/],
      ["capabilities", "    cap_add: [SYS_ADMIN]\n", "", /capabilities \(SYS_ADMIN\)/],
      ["devices", '    devices: ["/dev/kmsg:/dev/kmsg"]\n', "", /devices/],
      ["less protection", '    security_opt: ["seccomp=unconfined"]\n', "", /less protection/],
      ["networks of others", "", "networks: {default: {name: bridge, external: true}}\n", /others/],
      ["the host's own interface", "", "networks: {default: {driver: macvlan}}\n", /others/],
      [
        "a volume that is a folder of the host",
        '    volumes: ["data:/data"]\n',
        "volumes: {data: {driver_opts: {type: none, o: bind, device: /etc}}}\n",
        /others/,
      ],
      [
        "a secret from outside",
        "    secrets: [s]\n",
        "secrets: {s: {file: /etc/hostname}}\n",
        /outside its folder/,
      ],
      ["what nobody knows", "    uts: host\n", "", /uts, which the grader does not know/],
    ])("that asks for %s is not run", async (_, service, end, cause) => {
      const { failures, points } = await read(await task4(service, end), "task4");
      expect(failures).toMatchObject([
        { id: "task4.safe", cause: expect.stringMatching(cause), file: "task4/docker-compose.yml" },
      ]);
      expect(points.find(({ id }) => id === "task4.up")).toMatchObject({ verdict: "skipped" });
    });

    it.concurrent("that asks for too much is not run, and nothing is left", async ({ expect }) => {
      const { failures } = await grade(await task4("    privileged: true\n"), "task4");
      expect(failures).toMatchObject([
        { id: "task4.safe", cause: "back-end asks for a privileged container" },
      ]);
    });

    it.concurrent("that builds from outside its folder is not run", async ({ expect }) => {
      const made = await task4("");
      await made.replace("task4/docker-compose.yml", "context: ./back-end", "context: ../../..");
      const { failures } = await read(made, "task4");
      expect(failures.map(({ id }) => id)).toEqual(["task4.safe"]);
    });

    it.concurrent("that builds from a link to outside finds nothing there: the link is not copied", async ({
      expect,
    }) => {
      const made = await task4("");
      await made.replace("task4/docker-compose.yml", "context: ./back-end", "context: ./out");
      symlinkSync("/etc", path.join(made.folder, "task4/out"));
      const { failures } = await read(made, "task4");
      expect(failures).toEqual([]);
    });

    it.concurrent.each([
      ["env_file", "    env_file: /etc/passwd\n", ""],
      ["extends", "    extends: {file: /etc/passwd, service: root}\n", ""],
      ["include", "", "include: [/etc/passwd]\n"],
      ["include of another repository", "", "include: ['https://nobody.invalid/x.git']\n"],
      ["a variable's file", "    env_file: $X/passwd\n", ""],
      ["include twice over", "", "include: [task4.yml]\n"],
    ])("whose %s leads outside its folder is not even read", async (_, service, end) => {
      const made = await task4(service, end);
      await made.write({
        "task4/task4.yml": "services: {x: {image: x, env_file: [/etc/passwd]}}\n",
      });
      const { failures, points } = await read(made, "task4");
      expect(failures).toMatchObject([
        { id: "task4.compose", cause: expect.stringMatching(/files from outside its folder: /) },
      ]);
      expect(JSON.stringify(points)).not.toContain("root:x:0");
    });

    it.concurrent("gets no variable of the one who grades", async ({ expect }) => {
      const made = await task4('    image: "softy:x$GRADER_SECRET"\n');
      await made.replace("task4/docker-compose.yml", "    image: softy-pinko-back-end:task4\n", "");
      process.env.GRADER_SECRET = "secret";
      const { points } = await read(made, "task4");
      expect(JSON.stringify(points)).not.toContain("secret");
      expect(JSON.stringify(points)).toContain("softy:x");
    });

    it.concurrent("whose build never ends is ended", async ({ expect }) => {
      const made = await task4("");
      const seconds = 7000 + Math.floor(Math.random() * 1e6) / 1000;
      await made.append("task4/back-end/Dockerfile", `RUN sleep ${seconds}\n`);
      const { failures } = await grade(made, "task4", 8_000);
      expect(failures).toMatchObject([{ id: "task4.up", cause: "the build timed out after 8 s" }]);
      await waitUntil(() => processesWith(`sleep ${seconds}`).length === 0, {
        for: "the end of the build",
        timeoutMs: 5_000,
      });
    });
  });

  describeOnEngine("a tree", () => {
    it.concurrent.each([
      ["a fifo", "pipe", (file: string) => execFileSync("mkfifo", [file]), /pipe is neither/],
      [
        "a fifo where nobody looks",
        "node_modules/pipe",
        (file: string) => execFileSync("mkfifo", [file]),
        /node_modules\/pipe is neither/,
      ],
      [
        "a file of 2 GB",
        "large",
        (file: string) => {
          writeFileSync(file, "");
          truncateSync(file, 2 ** 31);
        },
        /more than 200 MB/,
      ],
      [
        "a hundred folders in one another",
        Array.from({ length: 100 }, () => "deep").join("/"),
        (file: string) => mkdirSync(file, { recursive: true }),
        /more than 24 levels deep/,
      ],
    ])("with %s is not built", async (_, name, make, cause) => {
      const made = await port("task0");
      const file = path.join(made.folder, "task0", name);
      mkdirSync(path.dirname(file), { recursive: true });
      make(file);
      const { failures, points, seconds } = await grade(made, "task0");
      expect(failures).toMatchObject([
        { id: "task0.folder", cause: expect.stringMatching(cause), file: "task0" },
      ]);
      expect(points.slice(1).every(({ verdict }) => verdict === "skipped")).toBe(true);
      expect(seconds).toBeLessThan(15);
    });

    it.concurrent("whose files are links to /etc/passwd shows nothing of it", async ({
      expect,
    }) => {
      const made = await port("task2", "task6");
      const files = [
        ...["task2/back-end/Dockerfile", "task2/front-end/Dockerfile"],
        ...["task6/docker-compose.yml", "task6/2-api-servers.txt", "task6/.env"],
        ...["task6/proxy/Dockerfile", "task6/front-end/softy-pinko-front-end/index.html"],
      ];
      for (const file of files) {
        if (existsSync(path.join(made.folder, file))) await made.remove(file);
        symlinkSync("/etc/passwd", path.join(made.folder, file));
      }
      for (const task of ["task2", "task6"] as const) {
        const { failures, points } = await (task === "task2" ? read : grade)(made, task);
        expect(failures.length).toBeGreaterThan(0);
        expect(JSON.stringify(points)).not.toMatch(/root:|daemon/);
      }
    });

    it.concurrent("cannot have git run a program of its own", async ({ expect }) => {
      const made = await port("task0");
      const proof = path.join(made.folder, "proof");
      await run("git", ["init", "--quiet"], { cwd: made.folder });
      await made.write({ "spy.sh": `#!/bin/sh\ntouch ${proof}\n` });
      execFileSync("chmod", ["+x", path.join(made.folder, "spy.sh")]);
      await run("git", ["add", "--all"], { cwd: made.folder });
      await run("git", ["config", "core.fsmonitor", path.join(made.folder, "spy.sh")], {
        cwd: made.folder,
      });
      await withTasks(made.folder, async () => undefined);
      expect(existsSync(proof)).toBe(false);
    });
  });
});
