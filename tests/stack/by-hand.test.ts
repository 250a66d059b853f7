import { beforeAll, describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type RunningPart, useParts } from "../lib/parts";
import { describeOnEngine } from "../lib/stacks";

const commonLogLine =
  /^\S+ - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/api\/hello HTTP\/1\.1" 200 13$/m;

async function untilAnswers(url: string): Promise<void> {
  await waitUntil(async () => (await fetchAnswer(url)).status === 200, {
    for: `${url} to answer`,
    timeoutMs: 30_000,
  });
}

describeOnEngine("task0, built and run as the course types it", () => {
  const parts = useParts("task0");

  it("prints exactly Hello, World!", async () => {
    const image = await parts.build(".");
    const { stdout, stderr } = await attempt("docker", ["run", "--rm", image]);
    expect(stdout).toBe("Hello, World!");
    expect(stderr).toBe("");
  });
});

const backEnds = [
  { task: "task1", context: "." },
  { task: "task2", context: "./back-end" },
  { task: "task3", context: "./back-end" },
];

describeOnEngine.each(backEnds)(
  "$task's API server, built and run by hand",
  ({ task, context }) => {
    const parts = useParts(task);
    let part: RunningPart;
    beforeAll(async () => {
      part = await parts.start(context, 5252);
      await untilAnswers(`${part.url}/api/hello`);
    });

    it("answers GET /api/hello with Hello, World!", async () => {
      const { status, body } = await fetchAnswer(`${part.url}/api/hello`);
      expect({ status, body }).toEqual({ status: 200, body: "Hello, World!" });
    });

    it("says where it listens and logs each request in the common log format", async () => {
      const log = await waitUntil(
        async () => {
          const { stdout } = await attempt("docker", ["logs", part.container]);
          return commonLogLine.test(stdout) && stdout;
        },
        { for: "the request in the log", timeoutMs: 5_000 },
      );
      expect(log).toMatch(/^Listening on http:\/\/0\.0\.0\.0:5252$/m);
    });

    it("runs in /app, without npm", async () => {
      const inside = (command: string): Promise<string> =>
        run("docker", ["exec", part.container, "sh", "-c", command]);
      expect(await inside("pwd")).toBe("/app");
      expect(await inside("command -v npm || echo none")).toBe("none");
    });

    it("ends at once on Ctrl-C, with exit code 0", async () => {
      const ended = run("docker", ["wait", part.container]);
      const start = performance.now();
      await run("docker", ["kill", "--signal=SIGINT", part.container]);
      expect(await ended).toBe("0");
      // Docker's own part in it is a few tenths of a second; a deaf process would take 10 s
      expect(performance.now() - start).toBeLessThan(3_000);
    });
  },
);

describeOnEngine.each(["task2", "task3"])("%s's front-end, built and run by hand", (task) => {
  const parts = useParts(task);
  let part: RunningPart;
  beforeAll(async () => {
    part = await parts.start("./front-end", 9000);
    await untilAnswers(part.url);
  });

  it("serves the site", async () => {
    const { status, body, headers } = await fetchAnswer(part.url);
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html");
    expect(body).toContain("We provide the best <strong>strategy</strong>");
  });

  it("answers 404 for what it does not have", async () => {
    expect((await fetchAnswer(`${part.url}/no-such-page`)).status).toBe(404);
  });

  it("has a configuration that nginx accepts without a warning", async () => {
    const { stderr } = await attempt("docker", ["exec", part.container, "nginx", "-t", "-q"]);
    expect(stderr).toBe("");
  });
});

describe("the check for a log line", () => {
  it("fails for other formats", () => {
    const flask = '172.20.0.5 - - [15/Jun/2023 19:53:55] "GET /api/hello HTTP/1.0" 200 -';
    expect(flask).not.toMatch(commonLogLine);
  });
});

/** buildx before 0.15 has no --check: there, these tests do not exist. */
const canCheck = (await attempt("docker", ["build", "--help"])).stdout.includes("--check");

if (canCheck) {
  describeOnEngine("docker build --check", () => {
    const contexts = ["task0", "task1"].concat(
      ["task2", "task3", "task4", "task5", "task6", "production"].flatMap((task) => [
        `${task}/back-end`,
        `${task}/front-end`,
      ]),
      ["task5/proxy", "task6/proxy", "production/proxy", "visitor-counter/webapp"],
    );

    it.each(contexts)("has nothing to say about %s/Dockerfile", async (context) => {
      await run("docker", ["build", "--check", context], { cwd: root });
    });
  });
}
