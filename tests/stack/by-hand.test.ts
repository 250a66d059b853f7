import { beforeAll, describe, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { fetchAnswer, waitUntilServed } from "../../tools/lib/http";
import { attempt, run } from "../../tools/lib/run";
import { describeInBrowser, TestBrowser } from "../lib/browser";
import { type RunningPart, useParts } from "../lib/parts";
import { apiAt, itIsUsable, itLoads, itShowsWhatTheApiSays, type Site } from "../lib/site-checks";
import { describeOnEngine } from "../lib/stacks";

// What grader.test.ts leaves open of task1 to task3. task3 has the files of the others

const commonLogLine =
  /^\S+ - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/api\/hello HTTP\/1\.1" 200 13$/m;

describe("the pattern for a log line", () => {
  it("does not match Flask's format", () => {
    const flask = '172.20.0.5 - - [15/Jun/2023 19:53:55] "GET /api/hello HTTP/1.0" 200 -';
    expect(flask).not.toMatch(commonLogLine);
  });
});

describeInBrowser("task2 in a browser", () => {
  const parts = useParts("task2");
  let frontEnd: RunningPart;
  beforeAll(async () => {
    frontEnd = await parts.start("./front-end", 9000);
  });
  itLoads(TestBrowser.use(), "task2", () => {
    return { url: frontEnd.url, stopApi: async () => undefined };
  });
});

describeOnEngine("task3, built and run by hand", () => {
  const parts = useParts("task3");
  let frontEnd: RunningPart;
  let backEnd: RunningPart;
  beforeAll(async () => {
    backEnd = await parts.start("./back-end", 5252);
    frontEnd = await parts.start("./front-end", 9000);
  });

  it("has an API that logs where it listens, and requests in the common log format", async () => {
    await waitUntilServed(`${backEnd.url}/api/hello`, { timeoutMs: 30_000 });
    const log = () => run("docker", ["logs", backEnd.container]);
    await expect.poll(log, { timeout: 10_000 }).toMatch(commonLogLine);
    expect(await log()).toMatch(/^Listening on http:\/\/0\.0\.0\.0:5252$/m);
  });

  it("has a Node.js whose libraries are all in ubuntu:latest", async () => {
    const libraries = await run("docker", argv`exec ${backEnd.container} ldd /usr/local/bin/node`);
    expect(libraries).toContain("libc.so");
    expect(libraries).not.toContain("not found");
  });

  it("has an API that runs in /app, without npm", async () => {
    const command = "pwd; command -v npm || echo none";
    const output = await run("docker", argv`exec ${backEnd.container} sh -c ${command}`);
    expect(output).toBe("/app\nnone");
  });

  it("has a conf that nginx accepts without a warning, and responds with 404", async () => {
    const { container, url } = frontEnd;
    await waitUntilServed(url, { timeoutMs: 30_000 });
    expect((await fetchAnswer(`${url}/no-such-page`)).status).toBe(404);
    const { stderr } = await attempt("docker", argv`exec ${container} nginx -t -q`);
    expect(stderr).toBe("");
  });

  describeInBrowser("in a browser", () => {
    const browser = TestBrowser.use(() => apiAt(new URL(backEnd.url).port));
    const site = (): Site => ({ url: frontEnd.url, stopApi: backEnd.stop });
    itLoads(browser, "task3", site);
    itIsUsable(browser, site);
    itShowsWhatTheApiSays(browser, "task3", site);
  });
});

describeOnEngine("task3's API server", () => {
  const parts = useParts("task3");

  it("exits by itself on docker stop", async () => {
    const { container, url } = await parts.start("./back-end", 5252);
    await waitUntilServed(`${url}/api/hello`, { timeoutMs: 30_000 });
    const exitCode = run("docker", ["wait", container]);
    await run("docker", ["stop", container]);
    // After 10 s Docker would kill it: 137
    expect(await exitCode).toBe("0");
  });
});
