import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exchange, parseAnswers } from "../lib/raw-http";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b: c\r\n\r\nok";

describe("bytes are read as answers", () => {
  it("with their status, headers and body", () => {
    expect(parseAnswers(ok)).toEqual({
      answers: [
        {
          status: 200,
          headers: { "content-length": "2", "x-a": "b: c" },
          body: "ok",
          complete: true,
        },
      ],
      rest: "",
    });
  });

  it.each([
    ["several", ok + ok + ok, [200, 200, 200], ""],
    ["an error after a good one", `${ok}HTTP/1.1 400 Bad Request\r\n\r\n`, [200, 400], ""],
    ["one without a reason", "HTTP/1.0 404\r\n\r\n", [404], ""],
    ["one to continue", `HTTP/1.1 100 Continue\r\n\r\n${ok}`, [100, 200], ""],
    ["one without a body", `HTTP/1.1 304 Not Modified\r\n\r\n${ok}`, [304, 200], ""],
    ["none", "", [], ""],
    ["HTTP/0.9", "<html></html>", [], "<html></html>"],
    ["what follows the last", `${ok}what?`, [200], "what?"],
    ["another version", "HTTP/2.0 200 OK\r\n\r\n", [], "HTTP/2.0 200 OK\r\n\r\n"],
    ["a beginning", "HTTP/1.1 200 OK\r\nConte", [], "HTTP/1.1 200 OK\r\nConte"],
  ])("%s", (_, bytes, statuses, rest) => {
    const read = parseAnswers(bytes);
    expect(read.answers.map(({ status }) => status)).toEqual(statuses);
    expect(read.rest).toBe(rest);
  });

  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  it.each([
    ["by its length", ok, "ok", true],
    ["by the connection's end", "HTTP/1.1 200 OK\r\n\r\nto the end", "to the end", true],
    ["in chunks", `${chunked}3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n`, "abc0123456789", true],
    ["cut", ok.slice(0, -1), "o", false],
    ["cut in a chunk", `${chunked}3\r\nab`, "ab", false],
    ["cut between chunks", `${chunked}3\r\nabc\r\n`, "abc", false],
    ["cut before the last chunk's end", `${chunked}3\r\nabc\r\n0\r\n`, "abc", false],
  ])("the body %s", (_, bytes, body, complete) => {
    expect(parseAnswers(bytes).answers).toMatchObject([{ body, complete }]);
  });

  it("the first of them to HEAD", () => {
    const toHead = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    const { answers, rest } = parseAnswers(toHead + ok, 1);
    expect(answers.map(({ body }) => body)).toEqual(["", "ok"]);
    expect(rest).toBe("");
  });
});

describe("an exchange", () => {
  let server: Server;
  let port = 0;
  const received: string[] = [];
  /** What the server does with the bytes that it got so far. */
  let react: (socket: Socket, bytes: string) => void;
  let serverEnded: Promise<unknown> = Promise.resolve();

  beforeAll(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => {
      let bytes = "";
      socket.setEncoding("latin1").on("error", () => undefined);
      serverEnded = new Promise((resolve) => socket.once("end", resolve).once("close", resolve));
      socket.on("data", (chunk: string) => {
        bytes += chunk;
        received.push(chunk);
        react(socket, bytes);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(() => {
    server.close();
  });

  it("ends when the server closes the connection", async () => {
    react = (socket) => socket.end(ok);
    expect(await exchange(port, "x")).toMatchObject({ ended: "closed", answers: [{ body: "ok" }] });
  });

  it("ends when the server resets the connection", async () => {
    react = (socket) => socket.resetAndDestroy();
    expect(await exchange(port, "x")).toMatchObject({ ended: "reset", answers: [] });
  });

  it("ends when the server falls silent", async () => {
    react = (socket) => socket.write(ok);
    expect(await exchange(port, "x", { quietMs: 50 })).toMatchObject({
      ended: "quiet",
      answers: [{ body: "ok" }],
    });
  });

  it("ends when its time is over", async () => {
    react = () => undefined;
    const { ended, ms } = await exchange(port, "x", { quietMs: 10, timeoutMs: 100 });
    expect(ended).toBe("late");
    expect(ms).toBeLessThan(5_000);
  });

  it("ends when nobody listens", async () => {
    expect(await exchange(1, "x")).toMatchObject({ ended: "reset", answers: [] });
  });

  it("sends its pieces one by one, each byte as it is", async () => {
    received.length = 0;
    react = (socket, bytes) => bytes.endsWith("!") && socket.end(ok);
    await exchange(port, ["a", "\xff\0", "!"], { pauseMs: 20 });
    expect(received).toEqual(["a", "\xff\0", "!"]);
  });

  it("sends no more once the server has closed", async () => {
    received.length = 0;
    react = (socket) => socket.end(ok);
    const { ended, ms } = await exchange(port, Array(1_000).fill("x"), { pauseMs: 20 });
    expect(ended).toBe("closed");
    expect(ms).toBeLessThan(5_000);
    expect(received.length).toBeLessThan(10);
  });

  it("can end its own side and wait for the answer", async () => {
    react = (socket) => socket.once("end", () => socket.end(ok));
    expect(await exchange(port, "x", { afterwards: "end" })).toMatchObject({
      ended: "closed",
      answers: [{ body: "ok" }],
    });
  });

  it("can leave without reading", async () => {
    react = () => undefined;
    expect(await exchange(port, "x", { afterwards: "leave" })).toMatchObject({
      ended: "left",
      received: "",
    });
    await serverEnded;
  });

  it("can look at the answer late", async () => {
    react = (socket) => socket.end(ok);
    const { answers, ms } = await exchange(port, "x", { readAfterMs: 200 });
    expect(answers).toHaveLength(1);
    expect(ms).toBeGreaterThan(190);
  });
});
