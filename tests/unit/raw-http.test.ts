import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exchange, parseResponses, type RawClient } from "../lib/raw-http";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b: c\r\n\r\nok";
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("parsing", () => {
  it("gives the status, headers and body", () => {
    const headers = { "content-length": "2", "x-a": "b: c" };
    const response = { status: 200, headers, body: "ok", complete: true };
    expect(parseResponses(ok)).toEqual({ responses: [response], rest: "" });
  });

  it.each([
    ["several", ok + ok + ok, [200, 200, 200], ""],
    ["one without a reason", `${ok}HTTP/1.0 404\r\n\r\n`, [200, 404], ""],
    ["one to continue", `HTTP/1.1 100 Continue\r\n\r\n${ok}`, [100, 200], ""],
    ["one without a body", `HTTP/1.1 304 Not Modified\r\n\r\n${ok}`, [304, 200], ""],
    ["none", "", [], ""],
    ["HTTP/0.9", "<html></html>", [], "<html></html>"],
    ["bytes after the last", `${ok}what?`, [200], "what?"],
    ["another version", "HTTP/2.0 200 OK\r\n\r\n", [], "HTTP/2.0 200 OK\r\n\r\n"],
    ["a beginning", "HTTP/1.1 200 OK\r\nConte", [], "HTTP/1.1 200 OK\r\nConte"],
  ])("finds %s", (_, bytes, statuses, rest) => {
    const parsed = parseResponses(bytes);
    expect(parsed.responses.map(({ status }) => status)).toEqual(statuses);
    expect(parsed.rest).toBe(rest);
  });

  it.each([
    ["by the connection's end", "HTTP/1.1 200 OK\r\n\r\nto the end", "to the end", true],
    ["in chunks", `${chunked}3\r\nabc\r\n0\r\n\r\n`, "3\r\nabc\r\n0\r\n\r\n", true],
    ["cut", ok.slice(0, -1), "o", false],
    ["cut between chunks", `${chunked}3\r\nabc\r\n`, "3\r\nabc\r\n", false],
    ["cut before the last chunk's end", `${chunked}0\r\n`, "0\r\n", false],
  ])("finds a body %s", (_, bytes, body, complete) => {
    expect(parseResponses(bytes).responses).toMatchObject([{ body, complete }]);
  });

  it("expects no body in a response to HEAD", () => {
    const { responses, rest } = parseResponses(ok.slice(0, -2) + ok, true);
    expect([...responses.map(({ body }) => body), rest]).toEqual(["", "ok", ""]);
  });
});

describe("an exchange", () => {
  let server: Server;
  let port = 0;
  /** What the server does after each chunk. */
  let react: (socket: Socket, received: string) => void;
  const chunks: string[] = [];

  beforeAll(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.setEncoding("latin1").on("error", () => undefined);
      socket.on("data", (chunk: string) => {
        chunks.push(chunk);
        react(socket, chunks.join(""));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as { port: number }).port;
  });
  afterAll(() => {
    server.close();
  });

  const respond = (socket: Socket): unknown => socket.end(ok);
  const wait = (): undefined => undefined;

  it.each<[string, typeof react, RawClient, number]>([
    ["closed", respond, {}, 1],
    ["closed", (socket) => socket.once("end", () => respond(socket)), { afterwards: "end" }, 1],
    ["closed", respond, { readAfterMs: 100 }, 1],
    ["reset", (socket) => socket.resetAndDestroy(), {}, 0],
    ["quiet", (socket) => socket.write(ok), { quietMs: 50 }, 1],
    ["late", wait, { quietMs: 10, timeoutMs: 100 }, 0],
    ["left", wait, { afterwards: "leave" }, 0],
  ])("is %s if the server does %s and the client %j", async (ended, reaction, client, count) => {
    react = reaction;
    const result = await exchange(port, "x", client);
    expect(result.ended).toBe(ended);
    expect(result.responses).toHaveLength(count);
    expect(result.ms).toBeGreaterThan((client.readAfterMs ?? 0) - 10);
  });

  it("is reset if no server listens", async () => {
    expect(await exchange(1, "x")).toMatchObject({ ended: "reset", responses: [] });
  });

  it("sends pieces one by one, each byte as it is, until the server closes", async () => {
    chunks.length = 0;
    react = (socket, received) => received.endsWith("!") && respond(socket);
    const pieces = ["a", "\xff\0", "!", ...Array<string>(500).fill("x")];
    const { ended } = await exchange(port, pieces, { pauseMs: 20 });
    expect(ended).toBe("closed");
    expect(chunks.slice(0, 3)).toEqual(["a", "\xff\0", "!"]);
    expect(chunks.length).toBeLessThan(10);
  });
});
