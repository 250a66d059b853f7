import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { waitUntil } from "../../tools/lib/wait";
import { endScripts } from "../lib/child";
import { command, newCluster } from "../lib/cluster";
import { describeOnEngine, leftovers } from "../lib/stacks";

describeOnEngine("npm run cluster", () => {
  afterEach(endScripts);

  it("leaves nothing behind after Ctrl-C", async () => {
    const cluster = await newCluster();
    const child = command(cluster);
    await waitUntil(async () => (await leftovers(cluster.project)).length > 0, {
      for: "the first container or network",
      timeoutMs: 60_000,
      intervalMs: 20,
    });
    child.process.kill("SIGINT");
    expect(await child.ended).toBe(130);
    expect(await leftovers(cluster.project)).toEqual([]);
  });

  it("names a port in use and its variable, and starts nothing", async () => {
    const cluster = await newCluster();
    const holder = createServer().listen(0);
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const child = command({ ...cluster, env: { ...cluster.env, NODE_2_WEB_PORT: String(port) } });
    expect(await child.ended).toBe(2);
    holder.close();
    expect(child.output.stderr).toContain(
      `error: port ${port} is in use: stop the program that listens there, or set NODE_2_WEB_PORT=8080.\n`,
    );
    expect(await leftovers(cluster.project)).toEqual([]);
  });

  it.each([
    ["not a port", [], 'NODE_2_WEB_PORT is "abc": set it to a whole number from 1 to 65535.'],
    ["not a stack", ["task5"], "command-argument value 'task5' is invalid for argument 'stack'."],
  ])("rejects what is %s in one line", async (_, args, error) => {
    const cluster = await newCluster();
    const env = { ...cluster.env, NODE_2_WEB_PORT: "abc" };
    const child = command({ ...cluster, env }, "up", ...args);
    expect(await child.ended).toBe(2);
    expect(child.output.stderr).toMatch(/^error: .*\n$/);
    expect(child.output.stderr).toContain(error);
  });
});
