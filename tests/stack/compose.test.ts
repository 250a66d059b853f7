import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, listContainers } from "../../tools/lib/compose";
import { fetchAnswer } from "../../tools/lib/http";
import { attempt } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { describeInBrowser, TestBrowser } from "../lib/browser";
import { otherPaths } from "../lib/paths";
import { itServesItsFiles } from "../lib/served-files";
import { apiAt, itLoads, itShowsWhatTheApiSays } from "../lib/site-checks";
import { bringUp, describeOnEngine, ownName, type TestStack, useStack } from "../lib/stacks";

// The grader starts task4 to task6, and requests their pages, too: grader.test.ts

describeOnEngine("task4 with Compose", () => {
  const stack = useStack("task4", ["back-end", "front-end"]);
  const frontEnd = (): string => `http://localhost:${stack.ports.frontEnd}`;
  beforeAll(() => compose(stack, ["build"]));

  it("responds with 200 to the first requests after up -d", () => {
    const urls = [`http://localhost:${stack.ports.backEnd}/api/hello`, `${frontEnd()}/`];
    return expectFirstResponses(stack, urls);
  });

  itWorksInABrowser("task4", stack, frontEnd, () => apiAt(stack.ports.backEnd));
});

/** Tests the page in a browser. Stops the API in the end. */
function itWorksInABrowser(
  task: string,
  stack: TestStack,
  url: () => string,
  args?: () => readonly string[],
): void {
  describeInBrowser("in a browser", () => {
    const browser = TestBrowser.use(args);
    const site = () => ({ url: url(), stopApi: () => compose(stack, ["stop", "back-end"]) });
    // task4 and task5 have the page of task3 and task6
    if (task === "task6") itLoads(browser, task, site);
    itShowsWhatTheApiSays(browser, task, site);
  });
}

describeOnEngine.each([
  { folder: "task5", starts: 1, args: [] },
  { folder: "task6", starts: 10, args: [] },
  // Its README says `up -d --wait`: its proxy takes longer to read its configuration
  { folder: "production", starts: 1, args: ["--wait"] },
])("$folder with Compose", ({ folder, starts, args }) => {
  const stack = useStack(folder, ["back-end", "front-end", "proxy"]);
  const origin = (): string => `http://localhost:${stack.ports.proxy}`;
  const get = (target: string, headers = {}) => fetchAnswer(origin() + target, { headers });
  beforeAll(() => bringUp(stack));

  it.each([
    ["/no-such-page", folder === "production" ? '<html lang="en">' : "404 Not Found"],
    ["/api/unknown", folder === "production" ? "Not Found\n" : "Cannot GET /api/unknown"],
  ])("passes %s, unchanged, to the server for it", async (target, text) => {
    const response = await get(target);
    expect(response.status).toBe(404);
    expect(response.body).toContain(text);
  });

  it.each(otherPaths.slice(1))("has nothing at %s", async (other) => {
    expect((await get(other)).status).toBe(404);
  });

  it("becomes healthy behind a proxy in Docker's client configuration", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), ownName("config")));
    const config = {
      proxies: { default: { httpProxy: "http://127.0.0.1:9" } },
      cliPluginsExtraDirs: [path.join(homedir(), ".docker/cli-plugins")],
    };
    await writeFile(path.join(folder, "config.json"), JSON.stringify(config));
    const behindProxy = { ...stack, env: { ...stack.env, DOCKER_CONFIG: folder } };
    await compose(behindProxy, argv`up --detach --wait --no-build --force-recreate`);
    const variables = await compose(stack, argv`exec -T proxy env`);
    expect(variables).toContain("HTTP_PROXY=http://127.0.0.1:9");
    await compose(stack, argv`up --detach --wait --force-recreate`);
    await rm(folder, { recursive: true });
  });

  it("lets a browser store a file, and has it ask each time whether the file has changed", async () => {
    const { headers } = await get("/styles.css");
    expect(headers["cache-control"]).toBe("no-cache");
    const again = await get("/styles.css", { "If-None-Match": headers.etag });
    expect(again.status).toBe(304);
  });

  it("has a proxy configuration that nginx accepts without a warning", async () => {
    const [{ id = "" } = {}] = await listContainers(stack, "proxy");
    const { ok, stderr } = await attempt("docker", argv`exec ${id} nginx -t -q`);
    // Not of the configuration: in production nginx does not run as root
    const others = stderr.split("\n").filter((line) => !/the "user" directive|^$/.test(line));
    expect({ ok, others }).toEqual({ ok: true, others: [] });
  });

  if (folder === "production") {
    itServesItsFiles(get);

    it("restarts an API server that crashes", async () => {
      await compose(stack, argv`exec -T back-end kill -KILL 1`).catch(() => undefined);
      await compose(stack, argv`up --detach --wait --no-recreate`);
      expect((await get("/api/hello")).status).toBe(200);
    });
  } else {
    // Production's are in load-balancer.test.ts
    itWorksInABrowser(folder, stack, origin);
  }

  it("responds with 200 to the first requests after up -d", { timeout: 180_000 }, () =>
    expectFirstResponses(stack, [`${origin()}/`, `${origin()}/api/hello`], { starts, args }),
  );
});

/**
 * Starts a stack several times, and sends requests once `up -d` has returned. The service that starts
 * last may accept connections some milliseconds later: Compose does not wait until it is healthy.
 */
async function expectFirstResponses(
  stack: TestStack,
  urls: readonly string[],
  { starts = 1, args = [] as string[] } = {},
): Promise<void> {
  for (let start = 0; start < starts; start += 1) {
    await compose(stack, argv`down --timeout 0`);
    await compose(stack, argv`up --detach ${args}`);
    for (const url of urls) {
      const { status } = await waitUntil(
        async () => {
          const response = await fetchAnswer(url);
          return response.status !== undefined && response;
        },
        { for: `a response from ${url}`, timeoutMs: 5_000, intervalMs: 5 },
      );
      expect([start, url, status]).toEqual([start, url, 200]);
    }
  }
}
