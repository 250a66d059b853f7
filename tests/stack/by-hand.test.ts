import { beforeAll, describe, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { fetchAnswer } from "../../tools/lib/http";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { type RunningPart, useParts } from "../lib/parts";
import { describeOnEngine } from "../lib/stacks";

const commonLogLine =
  /^\S+ - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/api\/hello HTTP\/1\.1" 200 13$/m;

const waitForResponse = (url: string): Promise<boolean> =>
  waitUntil(async () => (await fetchAnswer(url)).status === 200, {
    for: `a response from ${url}`,
    timeoutMs: 30_000,
  });

describeOnEngine("task0, built and run by hand", () => {
  const parts = useParts("task0");

  it("prints exactly Hello, World!", async () => {
    const image = await parts.build(".");
    const { stdout, stderr } = await attempt("docker", argv`run --rm ${image}`);
    expect([stdout, stderr]).toEqual(["Hello, World!", ""]);
  });
});

describeOnEngine.each([
  { task: "task1", context: "." },
  { task: "task2", context: "./back-end" },
  { task: "task3", context: "./back-end" },
])("$task's API server, built and run by hand", ({ task, context }) => {
  const parts = useParts(task);
  let part: RunningPart;
  beforeAll(async () => {
    part = await parts.start(context, 5252);
    await waitForResponse(`${part.url}/api/hello`);
  });

  it("responds to GET /api/hello, and logs it in the common log format", async () => {
    const { status, body } = await fetchAnswer(`${part.url}/api/hello`);
    expect([status, body]).toEqual([200, "Hello, World!"]);
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
    const command = "pwd; command -v npm || echo none";
    const output = await run("docker", argv`exec ${part.container} sh -c ${command}`);
    expect(output).toBe("/app\nnone");
  });

  it("exits at once on Ctrl-C, with code 0", async () => {
    const exited = run("docker", ["wait", part.container]);
    const start = performance.now();
    await run("docker", argv`kill --signal=SIGINT ${part.container}`);
    expect(await exited).toBe("0");
    // Docker itself takes some tenths of a second; it kills a process that ignores signals after 10 s
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});

describeOnEngine.each(["task2", "task3"])("%s's front-end, built and run by hand", (task) => {
  const parts = useParts(task);
  let part: RunningPart;
  beforeAll(async () => {
    part = await parts.start("./front-end", 9000);
    await waitForResponse(part.url);
  });

  it("serves the site", async () => {
    const { body, headers } = await fetchAnswer(part.url);
    expect(headers["content-type"]).toBe("text/html");
    expect(body).toContain("We provide the best <strong>strategy</strong>");
    expect((await fetchAnswer(`${part.url}/no-such-page`)).status).toBe(404);
  });

  it("has a configuration that nginx accepts without a warning", async () => {
    const { stderr } = await attempt("docker", argv`exec ${part.container} nginx -t -q`);
    expect(stderr).toBe("");
  });
});

describe("the pattern for a log line", () => {
  it("does not match Flask's format", () => {
    const flask = '172.20.0.5 - - [15/Jun/2023 19:53:55] "GET /api/hello HTTP/1.0" 200 -';
    expect(flask).not.toMatch(commonLogLine);
  });
});
