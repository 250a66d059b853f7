import { hostname } from "node:os";
import request from "supertest";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { app as production } from "../../production/back-end/api";
import { app as task1 } from "../../task1/api";
import { app as task3 } from "../../task3/back-end/api";
import { newMarker } from "../../tools/lib/compose";
import { otherPaths } from "../lib/paths";

/** Every write to stdout. */
let writes: string[] = [];
/** A query that only this test sends: log lines of other tests may still arrive. */
let query = "";

beforeEach(() => {
  writes = [];
  query = newMarker();
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    writes.push(String(chunk));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const logLines = (): string[] =>
  writes.flatMap((chunk) => chunk.split("\n")).filter((line) => line.includes(query));

// task2 has the file of task1, and task4 to task6 that of task3: contract/repository.test.ts
describe.each([
  { step: "task1", app: task1, origin: undefined },
  { step: "task3", app: task3, origin: "*" },
  { step: "production", app: production, origin: "*" },
])("the API of $step", ({ step, app, origin }) => {
  it("responds Hello, World! at /api/hello", async () => {
    const { status, text, headers } = await request(app).get("/api/hello");
    expect({ status, text }).toEqual({ status: 200, text: "Hello, World!" });
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  });

  it("responds 404 to other paths and methods", async () => {
    for (const path of [...otherPaths, "/%E0%A4%A"]) {
      expect([path, (await request(app).get(path)).status]).toEqual([path, 404]);
    }
    expect((await request(app).post("/api/hello")).status).toBe(404);
  });

  it(`allows ${origin ? "every" : "no"} other origin to read responses`, async () => {
    const { headers } = await request(app).get("/api/hello").set("Origin", "http://localhost:9000");
    expect(headers["access-control-allow-origin"]).toBe(origin);
  });

  it.each([
    ["/api/hello", "200 13"],
    ["/nowhere", String.raw`404 \d+`],
  ])("logs GET %s in one line of the common log format", async (path, result) => {
    await request(app).get(`${path}?${query}`);
    await vi.waitFor(() => expect(logLines()).toHaveLength(1));
    const time = String.raw`\[\d{2}/\w{3}/\d{4}:\d{2}:\d{2}:\d{2} \+0000\]`;
    const id = step === "production" ? " -" : "";
    const line = `^\\S+ - - ${time} "GET ${path}\\?${query} HTTP/1\\.1" ${result}${id}$`;
    expect(logLines()[0]).toMatch(new RegExp(line));
  });
});

describe("the API of production", () => {
  it("logs the request's ID, and no quote or control character of a client", async () => {
    const address = `/api/hello?\\${query}`;
    await request(production).get(address).set("X-Request-ID", 'a1"\t');
    await vi.waitFor(() => expect(logLines()).toHaveLength(1));
    expect(logLines()[0]).toMatch(/ "GET \/api\/hello\?\\x5Crun=\w+ HTTP\/1\.1" 200 13 a1\\x22$/);
  });

  it("names the server in a header that pages of other origins may read", async () => {
    const { headers } = await request(production).get("/api/hello");
    expect(headers["x-served-by"]).toBe(hostname());
    expect(headers["access-control-expose-headers"]).toBe("X-Served-By");
  });

  it("tells a preflight request the methods that it has", async () => {
    const preflight = request(production).options("/api/hello").set("Origin", "http://a.example");
    const { headers } = await preflight.set("Access-Control-Request-Method", "POST");
    expect(headers["access-control-allow-methods"]).toBe("GET,HEAD");
  });

  it("responds OK at /health, and does not log it", async () => {
    const { status, text } = await request(production).get(`/health?${query}`);
    expect({ status, text }).toEqual({ status: 200, text: "OK\n" });
    await request(production).get(`/api/hello?${query}`);
    await vi.waitFor(() => expect(logLines()).toEqual([expect.stringContaining("/api/hello")]));
  });

  it("writes its log in few blocks of whole lines, each within the pipe's 4 kB", async () => {
    const requests = Array.from({ length: 200 }, () =>
      request(production).get(`/api/hello?${query}`),
    );
    await Promise.all(requests);
    await vi.waitFor(() => expect(logLines()).toHaveLength(200));
    const blocks = writes.filter((chunk) => chunk.includes(query));
    expect(blocks.length).toBeLessThan(100);
    for (const block of blocks) {
      expect(block).toMatch(/^(\S+ - - .*\n)+$/);
      expect(block.length).toBeLessThan(4_200);
    }
  });
});
