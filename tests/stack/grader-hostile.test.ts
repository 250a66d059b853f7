import { utimes } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { build } from "../../tools/grader/build";
import { buildLimits } from "../../tools/grader/isolate";
import type { Point } from "../../tools/grader/point";
import type { Task } from "../../tools/grader/repository";
import { tidyUp } from "../../tools/grader/sandbox";
import { argv } from "../../tools/lib/argv";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { upgraded } from "../lib/grader-files";
import { namesInEngine, type Port, sandboxOf, usePorts } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

/** @returns Everything in a folder: names, kinds, modes, times and contents. */
const contentsOf = (folder: string): Promise<string> => run("tar", argv`-cf - -C ${folder} .`);

/** Waits until no process of this machine has a text in its command line, in the engine or not. */
async function untilGone(text: string): Promise<void> {
  const hasEnded = async () => !(await run("ps", argv`-A -o args=`)).includes(text);
  await waitUntil(hasEnded, { for: "the end of the build", timeoutMs: 5_000 });
}

/** A command of a build or a container that no other test on this machine runs. */
const longSleep = (): string => `sleep ${7000 + Math.floor(Math.random() * 1e6) / 1000}`;

const portOf = usePorts();

/** @returns A task0 or task1 whose Dockerfile passes the reading phase and then does harm. */
async function portWith(lines: string, task: Task = "task0"): Promise<Port> {
  const port = await portOf(task);
  await port.write({ [`${task}/Dockerfile`]: `${upgraded}${lines}\n` });
  return port;
}

/**
 * Grades a task, and checks that the repository is unchanged and that nothing is left behind.
 * @returns The points that fail.
 */
async function failuresOf(port: Port, task: Task, buildTimeoutMs = 60_000): Promise<Point[]> {
  const before = await contentsOf(port.folder);
  const points = await port.grade([task], buildTimeoutMs);
  expect(await namesInEngine(port.name)).toEqual([]);
  expect(await contentsOf(port.folder)).toBe(before);
  return points.filter(({ verdict }) => verdict === "fail");
}

describeOnEngine("a hostile build", { concurrent: true }, () => {
  it("cannot build without end: the build is ended in the engine, too", async () => {
    const command = longSleep();
    expect(await failuresOf(await portWith(`RUN ${command}`), "task0", 4_000)).toMatchObject([
      { id: "task0.build", cause: "the build timed out after 4 s", file: "task0/Dockerfile" },
    ]);
    await untilGone(command);
  });

  it("cannot print without end in a build", async () => {
    const flood = `yes ${ownName("flood")}`;
    // BuildKit throttles the output of each command
    const stages = Array.from({ length: 8 }, (_, index) => `stage${index}`);
    const port = await portOf("task0");
    await port.write({
      "task0/Dockerfile": [
        ...stages.map((stage) => `FROM ubuntu AS ${stage}\nRUN : ${stage}; ${flood}\n`),
        upgraded,
        ...stages.map((stage) => `COPY --from=${stage} /etc/passwd /${stage}\n`),
      ].join(""),
    });
    expect(await failuresOf(port, "task0")).toMatchObject([
      { id: "task0.build", cause: "the build printed more than 1.5 MB" },
    ]);
    await untilGone(flood);
  });

  it("has bounds on the memory of a build's process and on the files it writes", async () => {
    const { data, fsize } = buildLimits;
    // A test of the bounds that fails must not exhaust this machine: nothing is touched or stored
    const tooMuch = `dd if=/dev/zero of=/dev/null bs=${data + 1} count=1`;
    const port = await portWith(
      `RUN : ${ownName("bounds")}; ! ${tooMuch} && ! truncate -s ${fsize + 1} /large
CMD ["echo", "Hello, World!"]`,
    );
    expect(await failuresOf(port, "task0")).toEqual([]);
  });

  it("gets no file of an earlier context that has the same size and time", async () => {
    const port = await portOf();
    const printed: unknown[] = [];
    for (const text of ["one", "two"]) {
      const context = path.join(port.folder, text, "front-end");
      await port.write({
        [`${text}/front-end/Dockerfile`]: "FROM ubuntu:latest\nCOPY file /\nCMD cat /file\n",
        [`${text}/front-end/file`]: text,
      });
      await utimes(path.join(context, "file"), 0, 0);
      const built = await build(sandboxOf(port.name), text, { context }, "Dockerfile");
      const image = "image" in built ? built.image : "";
      printed.push(await run("docker", argv`run --rm --network=none ${image}`));
    }
    await tidyUp(port.name);
    expect(printed).toEqual(["one", "two"]);
  });

  it("does not take another name of the same image away from the user", async () => {
    const name = ownName("own");
    const port = await portOf("task0");
    const bounds = Object.entries(buildLimits).map(([kind, max]) => `--ulimit=${kind}=${max}`);
    await run("docker", argv`build ${bounds} --tag ${name} ${path.join(port.folder, "task0")}`);
    try {
      expect(await failuresOf(port, "task0")).toEqual([]);
      expect((await attempt("docker", argv`image inspect ${name}`)).ok).toBe(true);
    } finally {
      await run("docker", argv`image rm ${name}`);
    }
  });
});

describeOnEngine("a hostile program", { concurrent: true }, () => {
  it.each([
    [
      "use more memory than it may, or run without end",
      "CMD dd if=/dev/zero of=/dev/null bs=1G count=1 || echo ended; exec sleep 600",
      /^it prints "ended"; timed out after 30 s$/,
    ],
    ["print without end", 'CMD ["yes"]', /; (printed more than 0.5 MB|timed out after 30 s)$/],
  ])("cannot %s in a container", async (_, command, cause) => {
    expect(await failuresOf(await portWith(command), "task0")).toMatchObject([
      { id: "task0.output", cause: expect.stringMatching(cause) },
    ]);
  });

  it.each([
    ["forks and prints without end", "CMD yes & f() { f | f & }; f; sleep 600", /listens/],
    ["does not exist", 'CMD ["no-such-program"]', /listens.*no-such-program/],
  ])("fails the point 'port' if the API %s", async (_, lines, cause) => {
    const port = await portWith(`WORKDIR /app\n${lines}`, "task1");
    expect(await failuresOf(port, "task1")).toMatchObject([
      { id: "task1.port", cause: expect.stringMatching(cause) },
    ]);
  });

  it("fails the point 'hello' if the API switches protocols", async () => {
    const port = await portOf("task1");
    const write = 'return request.socket.write("HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n");';
    await port.replace("task1/api.js", "response.end(", `${write}\n(`);
    expect(await failuresOf(port, "task1")).toMatchObject([
      { id: "task1.hello", cause: expect.stringMatching(/101$/) },
    ]);
  });
});

describeOnEngine("a hostile page", { concurrent: true }, () => {
  const download =
    "const a = document.createElement('a'); a.href = URL.createObjectURL(new Blob(['x'])); a.download = 'x'; a.click();";
  it.each([
    [
      "requests odd addresses, opens windows and downloads files",
      `<img src="http://xn--a/"><img src="http://[::1"><script>for (let i = 0; i < 20; i += 1) { open('/'); ${download} }</script>`,
      [],
    ],
    [
      "floods the console",
      "<script>for (;;) console.error('\\u0007'.repeat(1e5));</script>",
      [{ id: "task3.browser", cause: expect.stringMatching(/printed more than 8 MB$/) }],
    ],
    [
      "waits without end",
      "<script>fetch('http://localhost:5252/api/wait')</script>",
      [{ id: "task3.browser", cause: expect.stringMatching(/timed out after 40 s$/) }],
    ],
  ])("cannot do harm by a page that %s", async (_, html, failures) => {
    const port = await portOf("task3");
    const page = "task3/front-end/softy-pinko-front-end/index.html";
    await port.replace(page, "<script src=", `${html}\n<script src=`);
    const wait = 'if (request.url === "/api/wait") return;\n  const isKnown';
    await port.replace("task3/back-end/api.js", "const isKnown", wait);
    expect(await failuresOf(port, "task3")).toMatchObject(failures);
  });
});

describeOnEngine("a hostile compose file", { concurrent: true }, () => {
  it("is not run if its compose file asks for more than containers", async () => {
    const port = await portOf("task4");
    const unsafe = {
      image: "x",
      privileged: true,
      volumes: ["/etc:/host:ro", "../..:/above", "/var/run/docker.sock:/var/run/docker.sock"],
      network_mode: "host",
      pid: "host",
      cap_add: ["SYS_ADMIN"],
      devices: ["/dev/kmsg:/dev/kmsg"],
      security_opt: ["seccomp=unconfined"],
      uts: "host",
    };
    const other = { build: { context: "../../.." }, network_mode: "container:x", secrets: ["s"] };
    const compose = "task4/docker-compose.yml";
    await port.append(compose, `  unsafe: ${JSON.stringify(unsafe)}\n`);
    await port.append(compose, `  other: ${JSON.stringify(other)}\n`);
    await port.append(compose, "networks: {default: {name: bridge, external: true}}\n");
    await port.append(compose, "secrets: {s: {file: /etc/hostname}}\n");
    const [safe, ...others] = await failuresOf(port, "task4");
    expect(others).toEqual([]);
    expect(safe).toMatchObject({ id: "task4.safe", file: compose });
    for (const request of [
      "unsafe asks for a privileged container",
      "unsafe asks for the engine's socket",
      "unsafe asks for a folder of the host (/etc, ",
      "unsafe asks for the host's network",
      "unsafe asks for processes outside its container",
      "unsafe asks for capabilities (SYS_ADMIN)",
      "unsafe asks for devices of the host",
      "unsafe asks for less protection",
      "unsafe asks for uts, which the grader does not know",
      "other asks for files from outside its folder",
      "other asks for another container's network",
      "the stack asks for networks or volumes of others",
      "the stack asks for files from outside its folder",
    ]) {
      expect(safe?.cause).toContain(request);
    }
  });
});
