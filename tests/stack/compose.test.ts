import { beforeAll, expect, it } from "vitest";
import { compose, listContainers } from "../../tools/lib/compose";
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { bringUp, describeOnEngine, leftovers, type TestStack, useStack } from "../lib/stacks";

describeOnEngine("task4 with Compose", () => {
  const stack = useStack("task4", ["back-end", "front-end"]);
  beforeAll(() => bringUp(stack));

  it("publishes the API server and the front-end, each on its own port", async () => {
    const containers = await listContainers(stack);
    expect(containers.map(({ service, health }) => ({ service, health }))).toEqual([
      { service: "back-end", health: "healthy" },
      { service: "front-end", health: "healthy" },
    ]);
    const hello = await fetchAnswer(`http://localhost:${stack.ports.backEnd}/api/hello`);
    expect(hello.body).toBe("Hello, World!");
    const page = await fetchAnswer(`http://localhost:${stack.ports.frontEnd}/`);
    expect(page.body).toContain('<h1 id="dynamic-content"></h1>');
  });

  it("lets a page from the front-end's origin read the API", async () => {
    const { headers } = await fetchAnswer(`http://localhost:${stack.ports.backEnd}/api/hello`, {
      headers: { Origin: `http://localhost:${stack.ports.frontEnd}` },
    });
    expect(headers["access-control-allow-origin"]).toBe("*");
  });

  it("gives the right response to the first requests after up -d", async () => {
    await expectFirstResponses(stack, [
      `http://localhost:${stack.ports.backEnd}/api/hello`,
      `http://localhost:${stack.ports.frontEnd}/`,
    ]);
  });

  it("leaves nothing behind after down", async () => {
    expect((await leftovers(stack.project)).length).toBeGreaterThan(0);
    await compose(stack, ["down"]);
    expect(await leftovers(stack.project)).toEqual([]);
  });
});

describeOnEngine.each(["task5", "task6", "production"])("%s with Compose", (folder) => {
  const stack = useStack(folder, ["back-end", "front-end", "proxy"]);
  const get = (path: string, headers = {}) =>
    fetchAnswer(`http://localhost:${stack.ports.proxy}${path}`, { headers });
  beforeAll(() => bringUp(stack));

  it("opens one port on the host, the proxy's", async () => {
    const containers = await listContainers(stack);
    const published = containers.map(({ service, published }) => [
      service,
      [...new Set(published)],
    ]);
    expect(published).toEqual([
      ["back-end", []],
      ["front-end", []],
      ["proxy", [stack.ports.proxy]],
    ]);
    const onHost = await run("docker", ["ps", "--format={{.Names}} {{.Ports}}"]);
    expect(onHost).not.toMatch(new RegExp(`${stack.project}.*:\\d+->(5252|9000)/tcp`));
  });

  it("sends / to the front-end and /api to the API server, paths unchanged", async () => {
    const page = await get("/");
    expect(page.body).toContain('<h1 id="dynamic-content"></h1>');
    const hello = await get("/api/hello");
    expect({ status: hello.status, body: hello.body }).toEqual({
      status: 200,
      body: "Hello, World!",
    });
    const unknown = await get("/api/unknown");
    expect({ status: unknown.status, server: unknown.headers["x-served-by"] }).toEqual({
      status: 404,
      server: hello.headers["x-served-by"],
    });
    expect((await get("/no-such-page")).status).toBe(404);
  });

  it("lets a browser store a file, and has it ask each time whether it changed", async () => {
    const { headers } = await get("/styles.css");
    expect(headers["cache-control"]).toBe("no-cache");
    const again = await get("/styles.css", { "If-None-Match": headers.etag });
    expect(again.status).toBe(304);
  });

  it("has a proxy configuration that nginx accepts without a warning", async () => {
    expect(await compose(stack, ["exec", "-T", "proxy", "nginx", "-t", "-q"])).toBe("");
  });

  if (folder === "production") {
    it("compresses what the front-end compresses", async () => {
      const { headers } = await get("/styles.css", { "Accept-Encoding": "gzip" });
      expect(headers["content-encoding"]).toBe("gzip");
    });

    it("survives a crash of the API server", async () => {
      const [before] = await listContainers(stack, "back-end");
      await compose(stack, ["exec", "-T", "back-end", "kill", "-KILL", "1"]).catch(() => undefined);
      expect(before?.state).toBe("running");
      await compose(stack, ["up", "--detach", "--wait", "--no-recreate"]);
      expect((await get("/api/hello")).status).toBe(200);
    });
  }

  it("gives the right response to the first requests after up -d", {
    timeout: 180_000,
  }, async () => {
    const origin = `http://localhost:${stack.ports.proxy}`;
    await expectFirstResponses(stack, [`${origin}/`, `${origin}/api/hello`], {
      starts: folder === "task6" ? 10 : 3,
      args: folder === "production" ? ["--wait"] : [],
    });
  });

  it("leaves nothing behind after down", async () => {
    expect((await leftovers(stack.project)).length).toBeGreaterThan(0);
    await compose(stack, ["down"]);
    expect(await leftovers(stack.project)).toEqual([]);
  });
});

/**
 * Starts a stack several times, and sends requests once `up -d` has returned. The service that starts
 * last may accept connections some milliseconds later: Compose does not wait until it is healthy.
 * Production's proxy takes longer to read its configuration, so its README says `up -d --wait`.
 */
async function expectFirstResponses(
  stack: TestStack,
  urls: readonly string[],
  { starts = 3, args = [] as string[] } = {},
): Promise<void> {
  for (let start = 0; start < starts; start += 1) {
    await compose(stack, ["down", "--timeout", "0"]);
    await compose(stack, ["up", "--detach", ...args]);
    for (const url of urls) {
      const response = await waitUntil(
        async () => {
          const answer = await fetchAnswer(url);
          return answer.status === undefined ? undefined : answer;
        },
        { for: `a response from ${url}`, timeoutMs: 5_000, intervalMs: 5 },
      );
      expect([start, url, response.status]).toEqual([start, url, 200]);
    }
  }
}
