import { hostname } from "node:os";
import request from "supertest";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { app as production } from "../../production/back-end/api";
import { app as task1 } from "../../task1/api";
import { app as task2 } from "../../task2/back-end/api";
import { app as task3 } from "../../task3/back-end/api";
import { app as task4 } from "../../task4/back-end/api";
import { app as task5 } from "../../task5/back-end/api";
import { app as task6 } from "../../task6/back-end/api";
import { newMarker } from "../../tools/lib/compose";

const steps = [
  { folder: "task1", app: task1, hasCors: false, hasHealth: false },
  { folder: "task2", app: task2, hasCors: false, hasHealth: false },
  { folder: "task3", app: task3, hasCors: true, hasHealth: false },
  { folder: "task4", app: task4, hasCors: true, hasHealth: false },
  { folder: "task5", app: task5, hasCors: true, hasHealth: false },
  { folder: "task6", app: task6, hasCors: true, hasHealth: false },
  { folder: "production", app: production, hasCors: true, hasHealth: true },
];

const logLine = (request: string): RegExp =>
  new RegExp(
    String.raw`^\S+ - - \[\d{2}/\w{3}/\d{4}:\d{2}:\d{2}:\d{2} \+0000\] "${request}\?${query} HTTP/1\.[01]" \d{3} (\d+|-)$`,
  );

/** What was written to the log at once, each time. */
let writes: string[] = [];
/** A query of the test's own: a line may come late, when another test is already under way. */
let query = "";

beforeEach(() => {
  writes = [];
  query = newMarker();
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    writes.push(String(chunk));
    return true;
  });
});

const ownLines = (): string[] =>
  writes.flatMap((chunk) => chunk.split("\n")).filter((line) => line.includes(query));

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(steps)("the API of $folder", ({ app, hasCors, hasHealth }) => {
  it("says Hello, World! at /api/hello", async () => {
    const response = await request(app).get("/api/hello");
    expect(response.status).toBe(200);
    expect(response.text).toBe("Hello, World!");
    expect(response.headers["content-type"]).toBe("text/html; charset=utf-8");
  });

  it("answers HEAD with the same headers and no body", async () => {
    const response = await request(app).head("/api/hello");
    expect(response.status).toBe(200);
    expect(response.headers["content-length"]).toBe("13");
    expect(response.text ?? "").toBe("");
  });

  it.each([
    ["an unknown path", "/nowhere"],
    ["the root", "/"],
    ["a path below the right one", "/api/hello/there"],
    ["a path that is not valid percent-encoding", "/%E0%A4%A"],
    ["a path that holds markup", "/<script>"],
  ])("answers 404 to %s", async (_, path) => {
    expect((await request(app).get(path)).status).toBe(404);
  });

  it("answers 404 to another method", async () => {
    expect((await request(app).post("/api/hello")).status).toBe(404);
  });

  it.each([
    ["GET /api/hello", /" 200 13$/],
    ["GET /nowhere", /" 404 \d+$/],
    ["HEAD /api/hello", /" 200 \S+$/],
  ])("logs %s on one line in the common log format", async (line, end) => {
    const [method = "", path = ""] = line.split(" ");
    const url = `${path}?${query}`;
    await (method === "HEAD" ? request(app).head(url) : request(app).get(url));
    await vi.waitFor(() => expect(ownLines()).toHaveLength(1));
    expect(ownLines()[0]).toMatch(logLine(line));
    expect(ownLines()[0]).toMatch(end);
  });

  it(`${hasCors ? "lets" : "does not let"} a page from another origin read its answer`, async () => {
    const { headers } = await request(app).get("/api/hello").set("Origin", "http://localhost:9000");
    expect(headers["access-control-allow-origin"]).toBe(hasCors ? "*" : undefined);
  });

  it(`${hasCors ? "grants" : "does not grant"} what a preflight asks for`, async () => {
    const response = await request(app)
      .options("/api/hello")
      .set("Origin", "http://localhost:9000")
      .set("Access-Control-Request-Method", "GET");
    const { headers, status } = response;
    expect(headers["access-control-allow-origin"]).toBe(hasCors ? "*" : undefined);
    if (hasCors) {
      expect(status).toBe(204);
      expect(headers["access-control-allow-methods"]).toContain("GET");
    } else {
      expect(headers).not.toHaveProperty("access-control-allow-methods");
    }
  });

  if (hasHealth) {
    it("says OK at /health, and does not log it", async () => {
      const response = await request(app).get(`/health?${query}`);
      expect(response.status).toBe(200);
      expect(response.text.trim()).toBe("OK");
      // A request that is logged comes after it: once that line is there, /health's would be too
      await request(app).get(`/api/hello?${query}`);
      await vi.waitFor(() => expect(ownLines()).not.toHaveLength(0));
      expect(ownLines()).toEqual([expect.stringMatching(logLine("GET /api/hello"))]);
    });
  } else {
    it("has no /health", async () => {
      expect((await request(app).get("/health")).status).toBe(404);
    });
  }
});

describe("the API of production", () => {
  it("says who answered, and a page may read it", async () => {
    const { headers } = await request(production).get("/api/hello");
    expect(headers["x-served-by"]).toBe(hostname());
    expect(headers["access-control-expose-headers"]).toBe("X-Served-By");
  });

  it.each(["/api/hello", "/nowhere", "/health", "/%E0%A4%A"])(
    "does not say at %s what it is made with",
    async (path) => {
      expect((await request(production).get(path)).headers).not.toHaveProperty("x-powered-by");
    },
  );

  it("answers 404 in a line", async () => {
    const { headers, text } = await request(production).get("/%E0%A4%A");
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(text).toBe("Not Found\n");
  });
});

describe("the log of production", () => {
  const ask = async (count: number): Promise<string[]> => {
    const asked = Array.from({ length: count }, () =>
      request(production).get(`/api/hello?${query}`),
    );
    await Promise.all(asked);
    await vi.waitFor(() => expect(ownLines()).toHaveLength(count));
    return writes.filter((chunk) => chunk.includes(query));
  };

  it("is written in fewer pieces than it has lines, each of whole lines", async () => {
    const pieces = await ask(40);
    expect(pieces.length).toBeLessThan(20);
    for (const piece of pieces) expect(piece).toMatch(/^(\S+ - - .*\n)+$/);
  });

  it("fits the pipe to Docker's logger with every piece", async () => {
    const pieces = await ask(200);
    expect(pieces.length).toBeGreaterThan(2);
    for (const piece of pieces) expect(piece.length).toBeLessThan(4_200);
  });
});
