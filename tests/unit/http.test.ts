import { once } from "node:events";
import { Agent } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchAnswer, type Request } from "../../tools/lib/http";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok";
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const earlyHints = "HTTP/1.1 103 Early Hints\r\n\r\n";
const switching = "HTTP/1.1 101 Switching Protocols\r\n";

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
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** Sends a text, and another again and again as fast as the client reads it. */
const flood =
  (start: string, text: string) =>
  (socket: Socket): void => {
    const many = text.repeat(Math.ceil(100_000 / text.length));
    const write = (): void => {
      if (socket.writable && socket.write(many)) setImmediate(write);
    };
    socket.write(start);
    socket.on("drain", write);
    write();
  };

/** The same slowly. */
const drip =
  (start: string, text: string) =>
  (socket: Socket): void => {
    socket.write(start);
    const timer = setInterval(() => socket.write(text), 10);
    socket.on("close", () => clearInterval(timer));
  };

type Response = string | ((socket: Socket) => void);

function ask(response: Response, options: Request = {}): ReturnType<typeof fetchAnswer> {
  respond = typeof response === "string" ? (socket) => socket.end(response) : response;
  // A shared agent could use a connection that the server is about to close
  return fetchAnswer(url, { agent: new Agent(), ...options });
}

describe("a response is read", () => {
  it("with its status, headers and body", async () => {
    const { ms, ...answer } = await ask(ok);
    const headers = { "content-length": "2", "x-a": "b" };
    expect(answer).toEqual({ status: 200, headers, body: "ok" });
    expect(ms).toBeGreaterThan(0);
  });

  it("that ends with the connection", async () => {
    expect(await ask("HTTP/1.1 200 OK\r\n\r\nto the end")).toMatchObject({ body: "to the end" });
  });

  it.each([
    ["in chunks", `${chunked}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`, 200, "abcde"],
    ["without a body", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""],
    ["after an informational one", `${earlyHints}${ok}`, 200, "ok"],
    ["after 100 Continue", `HTTP/1.1 100 Continue\r\n\r\n${ok}`, 200, "ok"],
    ["with another after it", `${ok}${ok}`, 200, "ok"],
    ["to upgrade", `${switching}Connection: Upgrade\r\nUpgrade: x\r\n\r\nrest`, 101, ""],
    ["to upgrade, without a protocol", `${switching}\r\nrest`, 101, ""],
  ])("%s, whether or not the server closes the connection", async (_, text, status, body) => {
    for (const response of [text, (socket: Socket) => void socket.write(text)]) {
      const answer = await ask(response, { timeoutMs: 5_000 });
      expect(answer).toMatchObject({ status, body });
      expect(answer.error).toBeUndefined();
    }
  });

  it("and its connection is reused", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = connections;
    for (let count = 0; count < 3; count += 1) await ask((socket) => socket.write(ok), { agent });
    agent.destroy();
    expect(connections - before).toBe(1);
  });

  it("and an upgraded connection is closed", async () => {
    await ask((socket) => socket.write(`${switching}\r\n`));
    await expect.poll(() => sockets.size).toBe(0);
  });
});

describe("an error is returned", () => {
  const closed = /closed|aborted|hang up|ECONNRESET/;
  const late = /^timed out after 0.3 s$/;
  const malformed = /^Parse Error/;
  it.each<[string, Response, RegExp]>([
    ["the server closes the connection", "", closed],
    ["the server resets the connection", (socket) => socket.resetAndDestroy(), closed],
    ["a body is cut off", ok.slice(0, -1), closed],
    ["the last chunk is missing", `${chunked}3\r\nabc\r\n`, closed],
    ["the only response is informational", earlyHints, closed],
    ["it is not HTTP", "220 ready\r\n", malformed],
    ["a chunk is malformed", `${chunked}zz\r\n`, malformed],
    ["there is no response", () => undefined, late],
    ["headers are endless", flood("HTTP/1.1 200 OK\r\n", "X-A: b\r\n"), /Header overflow/],
    ["trailers are endless", flood(`${chunked}0\r\n`, "X-A: b\r\n"), malformed],
    ["the body is endless", flood("HTTP/1.1 200 OK\r\n\r\n", "x"), /^the body has more than 5 MB$/],
    ["informational responses are endless", flood("", earlyHints), /^too many informational/],
    ["informational responses are slow", drip("", earlyHints), /^too many informational/],
    ["headers are slow", drip("HTTP/1.1 200 OK\r\nX-A: ", "x"), late],
    ["the body is slow", drip("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "x"), late],
  ])("if %s", async (_, response, error) => {
    const failed = await ask(response, { timeoutMs: error === late ? 300 : 5_000 });
    expect(failed).toMatchObject({ status: undefined, headers: {} });
    expect(failed.error).toMatch(error);
  });

  it.each<[string, string, RegExp, Request?]>([
    ["an invalid URL", "what?", /Invalid URL/],
    ["an invalid port", "http://127.0.0.1:99999", /Invalid URL/],
    ["another protocol", "ftp://127.0.0.1/", /Protocol "ftp:" not supported/],
    ["a port without a server", "http://127.0.0.1:1", /ECONNREFUSED/],
    ["a name with two addresses and no server", "http://localhost:1", /ECONNREFUSED/],
    ["an unknown name", "http://no-such-name.invalid", /ENOTFOUND|EAI_AGAIN/],
    ["an invalid method", "http://127.0.0.1:1", /Method/, { method: "G T" }],
    ["an invalid header", "http://127.0.0.1:1", /Header name/, { headers: { "a b": "c" } }],
    ["an invalid value", "http://127.0.0.1:1", /Invalid char/, { headers: { a: "b\r\nc" } }],
  ])("for %s", async (_, address, error, options) => {
    const failed = await fetchAnswer(address, { timeoutMs: 5_000, ...options });
    expect(failed).toMatchObject({ status: undefined, headers: {}, body: "" });
    expect(failed.error).toMatch(error);
  });
});
