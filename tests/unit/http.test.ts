import { Agent } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchAnswer, type Request } from "../../tools/lib/http";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok";
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

let server: Server;
let url = "";
let connections = 0;
const sockets = new Set<Socket>();
/** What the server does with each request. */
let respond: (socket: Socket) => void;

beforeAll(async () => {
  server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.on("data", () => respond(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** Writes the same again and again, as fast as it is read. */
function flood(socket: Socket, text: string): void {
  const many = text.repeat(Math.ceil(100_000 / text.length));
  const write = (): void => {
    if (socket.writable && socket.write(many)) setImmediate(write);
  };
  socket.on("drain", write);
  write();
}

/** Writes the same again and again, slowly. */
function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 10);
  socket.on("close", () => clearInterval(timer));
}

function ask(
  answer: string | ((socket: Socket) => void),
  options: Request = {},
): ReturnType<typeof fetchAnswer> {
  respond = typeof answer === "string" ? (socket) => socket.end(answer) : answer;
  // Without an agent, the next request could meet a connection that the server is about to close
  return fetchAnswer(url, { agent: new Agent(), ...options });
}

describe("a response is read", () => {
  it("with its status, headers and body", async () => {
    const { ms, ...answer } = await ask(ok);
    expect(answer).toEqual({
      status: 200,
      headers: { "content-length": "2", "x-a": "b" },
      body: "ok",
    });
    expect(ms).toBeGreaterThan(0);
  });

  it.each([
    ["that ends with the connection", "HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end"],
    ["in chunks", `${chunked}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`, 200, "abcde"],
    ["without a body", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""],
    ["after an informational one", `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok}`, 200, "ok"],
    ["after 100 Continue", `HTTP/1.1 100 Continue\r\n\r\n${ok}`, 200, "ok"],
    ["with another after it", `${ok}${ok}`, 200, "ok"],
    [
      "to switch protocols",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nrest",
      101,
      "",
    ],
    ["to switch protocols, to which?", "HTTP/1.1 101 Switching Protocols\r\n\r\nrest", 101, ""],
  ])("%s", async (_, text, status, body) => {
    const start = performance.now();
    const answer = await ask(text);
    expect(answer).toMatchObject({ status, body });
    expect(answer.error).toBeUndefined();
    // If the server keeps the connection open, nothing waits for it
    const keepsOpen = !text.endsWith("to the end");
    if (keepsOpen)
      expect(await ask((socket) => socket.write(text))).toMatchObject({ status, body });
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it("and its connection used again", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = connections;
    for (let count = 0; count < 3; count += 1) {
      expect((await ask((socket) => socket.write(ok), { agent })).status).toBe(200);
    }
    agent.destroy();
    expect(connections - before).toBe(1);
  });

  it("and a switched connection closed", async () => {
    await ask((socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    const [socket] = [...sockets].slice(-1);
    if (socket !== undefined) await new Promise((resolve) => socket.once("close", resolve));
  });
});

describe("an exchange fails", () => {
  const closed = /closed|aborted|hang up|ECONNRESET/;
  const late = /^timed out after 0.3 s$/;
  const malformed = /^Parse Error/;
  it.each<[string, string | ((socket: Socket) => void), RegExp]>([
    ["if the server closes the connection", "", closed],
    ["if the server resets the connection", (socket) => socket.resetAndDestroy(), closed],
    ["if headers are cut off", "HTTP/1.1 200 OK\r\nConte", closed],
    ["if a body is cut off", ok.slice(0, -1), closed],
    ["if chunks are cut off", `${chunked}3\r\nab`, closed],
    ["if the last chunk is missing", `${chunked}3\r\nabc\r\n`, closed],
    ["after an informational response only", "HTTP/1.1 103 Early Hints\r\n\r\n", closed],
    ["if it is not HTTP", "220 ready\r\n", malformed],
    ["if a header is malformed", "HTTP/1.1 200 OK\r\na b\r\n\r\n", malformed],
    ["if a chunk is malformed", `${chunked}zz\r\n`, malformed],
    ["if its length is malformed", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", malformed],
    ["if it has two lengths", ok.replace("X-A: b", "Content-Length: 3"), malformed],
    ["in silence", () => undefined, late],
    ["if headers never end", (socket) => flood(socket, "X-A: b\r\n"), malformed],
    [
      "if it has endless headers",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\n");
        flood(socket, "X-A: b\r\n");
      },
      /^Parse Error: Header overflow/,
    ],
    [
      "if it has endless trailers",
      (socket) => {
        socket.write(`${chunked}0\r\n`);
        flood(socket, "X-A: b\r\n");
      },
      malformed,
    ],
    [
      "if the body is endless",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        flood(socket, "x".repeat(10_000));
      },
      /^the body has more than 5 MB$/,
    ],
    [
      "if informational responses are endless",
      (socket) => flood(socket, "HTTP/1.1 103 Early Hints\r\n\r\n"),
      /^too many informational responses$/,
    ],
    [
      "if they come slowly",
      (socket) => drip(socket, "HTTP/1.1 103 Early Hints\r\n\r\n"),
      /^(timed out after 0.3 s|too many informational responses)$/,
    ],
    [
      "if headers come slowly",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nX-A: ");
        drip(socket, "x");
      },
      late,
    ],
    [
      "if the body comes slowly",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        drip(socket, "x");
      },
      late,
    ],
  ])("%s", async (_, answer, error) => {
    const failed = await ask(answer, { timeoutMs: 300 });
    expect(failed).toMatchObject({ status: undefined, headers: {} });
    expect(failed.error).toMatch(error);
    expect(failed.ms).toBeLessThan(2_000);
  });

  it.each([
    ["no address", "what?", /Invalid URL/],
    ["an empty one", "", /Invalid URL/],
    ["a port that there is not", "http://127.0.0.1:99999", /Invalid URL/],
    ["another protocol", "ftp://127.0.0.1/", /Protocol "ftp:" not supported/],
    ["a port without a server", "http://127.0.0.1:1", /ECONNREFUSED/],
    ["a name with two addresses and no server", "http://localhost:1", /ECONNREFUSED/],
    ["a name that there is not", "http://no-such-name.invalid", /ENOTFOUND|EAI_AGAIN/],
  ])("at %s", async (_, address, error) => {
    const failed = await fetchAnswer(address, { timeoutMs: 5_000 });
    expect(failed).toMatchObject({ status: undefined, headers: {}, body: "" });
    expect(failed.error).toMatch(error);
  });

  it.each<[string, Request]>([
    ["method", { method: "G T" }],
    ["header", { headers: { "a b": "c" } }],
    ["header's value", { headers: { a: "b\r\nc" } }],
  ])("with a %s that cannot be sent", async (_, options) => {
    expect((await fetchAnswer(url, options)).error).toMatch(/./);
  });
});
