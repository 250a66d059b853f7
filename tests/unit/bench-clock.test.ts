import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { stacksFolder } from "../../tools/bench/contenders";
import { sampleOf } from "../../tools/bench/load";
import { root } from "../../tools/lib/course";
import { endScripts, startScript } from "../lib/child";

const script = path.join(stacksFolder, "load/by-the-clock.ts");
type Answer = (response: ServerResponse, request: number) => void;

/** Sends 100 requests per second for a second, after a second of warm-up. */
async function load(answer: Answer): Promise<ReturnType<typeof sampleOf>> {
  let count = 0;
  const server = createServer((_, response) => {
    count += 1;
    answer(response.setHeader("Content-Length", 2), count);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const child = startScript([script, url, "100", "1", "1", "0.5"], { cwd: root });
  expect(await child.ended).toBe(0);
  server.closeAllConnections();
  server.close();
  return sampleOf(child.output.stdout, 0, 1);
}

afterEach(endScripts);

it("sends requests by the clock, and counts latency from when they are due", async () => {
  // All requests of half a second get their responses at its end
  const held: ServerResponse[] = [];
  const sample = await load((response, request) => {
    held.push(response);
    if (request > 120 && request < 170) return;
    for (const each of held.splice(0)) each.end("OK");
  });
  expect(sample).toMatchObject({ requests: 100, failed: 0, perSecond: 100 });
  expect(sample.medianMs).toBeLessThan(490);
  expect(sample.worstMs).toBeGreaterThan(480);
  expect(sample.lateMs).toBeDefined();
});

it("counts requests without a response as failed", async () => {
  const sample = await load((response, request) => {
    if (request !== 150) response.end("OK");
  });
  expect(sample).toMatchObject({ requests: 100, failed: 1 });
});

it("counts closed connections and other statuses as failed, and opens new connections", async () => {
  const sample = await load((response, request) => {
    if (request % 4 === 0) response.destroy();
    else if (request % 4 === 1) response.setHeader("Connection", "close").end("OK");
    else response.writeHead(request % 4 === 2 ? 503 : 200).end("OK");
  });
  expect(sample).toMatchObject({ requests: 100, failed: 50 });
});
