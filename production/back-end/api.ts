import { createServer } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { hostname } from "node:os";
import type { Duplex } from "node:stream";
import cors from "cors";
import express from "express";

export const app = express();
// Match paths exactly, as Flask and nginx do: /api/hello/ and /API/hello are different paths
app.enable("strict routing");
app.enable("case sensitive routing");
app.disable("x-powered-by");
// An ETag lets a browser revalidate a cached response, which saves nothing for one of 13 bytes.
// https://expressjs.com/en/api.html#etag.options.table
app.disable("etag");

// For the health check; it comes before the log, which would otherwise fill with it
app.get("/health", (_request, response) => {
  response.type("text/plain").send("OK\n");
});

// Log one line for each request: the common log format, as morgan does in task6, and the ID that the
// proxy gave the request and logs, too
app.use((request, response, next) => {
  const { method, originalUrl, httpVersion } = request;
  const { remoteAddress } = request.socket;
  response.once("close", () => {
    const status = response.headersSent ? response.statusCode : "-";
    const size = response.get("Content-Length") ?? "-";
    const requestLine = escaped(`${method} ${originalUrl} HTTP/${httpVersion}`);
    const id = escaped(request.get("X-Request-ID") ?? "-");
    log(`${remoteAddress} - - [${logTime()}] "${requestLine}" ${status} ${size} ${id}`);
  });
  next();
});

// Let pages from other origins read the responses, and the header that names the server. Name the
// methods of your routes: by default, a preflight request is told that all are allowed.
// https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS
app.use(cors({ methods: ["GET", "HEAD"], exposedHeaders: "X-Served-By" }));

// In a container, the host name is the container's ID
const serverName = hostname();
app.use((_request, response, next) => {
  response.set("X-Served-By", serverName);
  next();
});

app.get("/api/hello", (_request, response) => {
  response.send("Hello, World!");
});

app.use((_request, response) => {
  response.status(404).type("text/plain").send("Not Found\n");
});

/** Escapes quotes and control characters, as nginx does: a path could otherwise forge a log line. */
function escaped(text: string): string {
  const toHex = (char: string): string =>
    `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  return text.replace(/[^\x20-\x7e]|["\\]/g, toHex);
}

/** The time in the log's format, formatted once a second. */
let clock = { second: 0, text: "" };

function logTime(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== clock.second) {
    const [, day, month, year, time] = new Date().toUTCString().split(" ");
    clock = { second, text: `${day}/${month}/${year}:${time} +0000` };
  }
  return clock.text;
}

const flushIntervalMs = 100;
const maxBufferedChars = 4_000;
let bufferedLines = "";
let flushTimer: NodeJS.Timeout | undefined;
process.once("exit", flushLog);

/**
 * Writes log lines in blocks, at most 100 ms late: each write passes through three processes of
 * Docker, which takes longer than the rest of a request.
 */
function log(line: string): void {
  bufferedLines += `${line}\n`;
  flushTimer ??= setTimeout(flushLog, flushIntervalMs);
  if (bufferedLines.length > maxBufferedChars) flushLog();
}

function flushLog(): void {
  clearTimeout(flushTimer);
  flushTimer = undefined;
  if (bufferedLines !== "") process.stdout.write(bufferedLines);
  bufferedLines = "";
}

/**
 * Milliseconds during which a server still accepts requests after SIGTERM, which Docker sends 10 s
 * before SIGKILL. The proxy resolves names every second, so until then it still sends requests here,
 * and the server that replaces this one may still be starting.
 */
const drainDelayMs = 1_000;

/** Serves until SIGINT or SIGTERM, then lets requests in flight finish. */
function serve(): void {
  const { HOST = "0.0.0.0", PORT = "5252" } = process.env;
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65535) {
    fail(`PORT must be a whole number from 0 to 65535, not "${PORT}"`);
  }

  // More than the 32 kB of headers that nginx accepts; Node.js's default is 16 kB
  const server = createServer({ maxHeaderSize: 40 * 1_024 }, app);
  server.once("error", ({ message }) => fail(`${message}; set PORT or HOST to another value`));
  server.listen(Number(PORT), HOST, () => {
    const { address, port } = server.address() as AddressInfo;
    console.log(`Listening on http://${isIPv6(address) ? `[${address}]` : address}:${port}`);
  });

  server.on("clientError", refuseMalformed);

  // nginx closes idle upstream connections after 60 s. Node.js must close them later: its default of
  // 5 s would reset requests that nginx sends at that moment.
  // https://nodejs.org/api/http.html#serverkeepalivetimeout
  server.keepAliveTimeout = 75_000;

  // Wait for requests in flight, but not for idle connections
  let inFlight = 0;
  let closing = false;
  const closeWhenIdle = (): void => {
    if (closing && inFlight === 0) server.closeAllConnections();
  };
  server.on("request", (_request, response) => {
    inFlight += 1;
    response.once("close", () => {
      inFlight -= 1;
      closeWhenIdle();
    });
  });

  const shutDown = (): void => {
    closing = true;
    server.close();
    closeWhenIdle();
  };
  process.once("SIGTERM", () => setTimeout(shutDown, drainDelayMs).unref());
  process.once("SIGINT", shutDown);
}

/**
 * Responds to what is not HTTP for Node.js, such as a header with control characters, which nginx
 * passes on. Node.js's own response has no text. https://nodejs.org/api/http.html#event-clienterror
 */
function refuseMalformed({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  const isTooLong = code === "HPE_HEADER_OVERFLOW";
  const reason = isTooLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const headers = "Content-Type: text/plain\r\nConnection: close\r\n\r\n";
  if (socket.writable) socket.end(`HTTP/1.1 ${reason}\r\n${headers}${reason}\n`);
}

function fail(reason: string): never {
  console.error(`Cannot start: ${reason}.`);
  process.exit(1);
}

// Listen only when run, not when a test imports `app`
if (require.main === module) serve();
