import { beforeAll, expect, it } from "vitest";
import { compose, listContainers } from "../../tools/lib/compose";
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { bringUp, describeOnEngine, leftovers, useStack } from "../lib/stacks";

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

  it("does not log its own health checks", async () => {
    expect(await compose(stack, ["logs"])).not.toContain("/health");
  });

  it("leaves nothing behind after down", async () => {
    expect((await leftovers(stack.project)).length).toBeGreaterThan(0);
    await compose(stack, ["down"]);
    expect(await leftovers(stack.project)).toEqual([]);
  });
});

describeOnEngine.each(["task5", "task6"])("%s with Compose", (task) => {
  const stack = useStack(task, ["back-end", "front-end", "proxy"]);
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
    expect({ status: unknown.status, body: unknown.body }).toEqual({
      status: 404,
      body: "Not Found\n",
    });
    expect((await get("/no-such-page")).status).toBe(404);
  });

  it("compresses what the front-end compresses", async () => {
    const { headers } = await get("/styles.css", { "Accept-Encoding": "gzip" });
    expect(headers["content-encoding"]).toBe("gzip");
  });

  it("has a proxy configuration that nginx accepts without a warning", async () => {
    expect(await compose(stack, ["exec", "-T", "proxy", "nginx", "-t", "-q"])).toBe("");
  });

  it("survives a crash of the API server", async () => {
    const [before] = await listContainers(stack, "back-end");
    await compose(stack, ["exec", "-T", "back-end", "kill", "-KILL", "1"]).catch(() => undefined);
    expect(before?.state).toBe("running");
    await compose(stack, ["up", "--detach", "--wait", "--no-recreate"]);
    expect((await get("/api/hello")).status).toBe(200);
  });

  it("leaves nothing behind after down", async () => {
    expect((await leftovers(stack.project)).length).toBeGreaterThan(0);
    await compose(stack, ["down"]);
    expect(await leftovers(stack.project)).toEqual([]);
  });
});
