import { type AddressInfo, isIPv6 } from "node:net";
import { hostname } from "node:os";
import cors from "cors";
import express from "express";

export const app = express();
app.disable("x-powered-by");
// A browser that has an answer may ask whether it still holds; for one this small that saves nothing
app.disable("etag");

// Asked by the health check every few seconds, so it stands before the log
app.get("/health", (_request, response) => {
  response.type("text/plain").send("OK\n");
});

// One line for each request, in the common log format
app.use((request, response, next) => {
  const { method, originalUrl, httpVersion } = request;
  const { remoteAddress } = request.socket;
  response.once("close", () => {
    const status = response.headersSent ? response.statusCode : "-";
    const size = response.get("Content-Length") ?? "-";
    log(
      `${remoteAddress} - - [${logTime()}] "${method} ${originalUrl} HTTP/${httpVersion}" ${status} ${size}`,
    );
  });
  next();
});

// A browser shows our answers to a page from another origin, such as another port, only if we agree
app.use(cors({ exposedHeaders: "X-Served-By" }));

// Tells the servers apart: in a container, its id
const name = hostname();
app.use((_request, response, next) => {
  response.set("X-Served-By", name);
  next();
});

app.get("/api/hello", (_request, response) => {
  response.send("Hello, World!");
});

app.use((_request, response) => {
  response.status(404).type("text/plain").send("Not Found\n");
});

/** The time as the log has it, made anew once a second. */
let clock = { second: 0, text: "" };

function logTime(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== clock.second) {
    const [, day, month, year, time] = new Date().toUTCString().split(" ");
    clock = { second, text: `${day}/${month}/${year}:${time} +0000` };
  }
  return clock.text;
}

/** Lines of the log that are still to be written, and when they will be. */
let lines = "";
let writing: NodeJS.Timeout | undefined;
process.once("exit", writeLines);

/**
 * Writes lines of the log together, a tenth of a second late at most. Each write goes through three
 * processes of Docker's: one for every line would take longer than all the rest of an answer.
 */
function log(line: string): void {
  lines += `${line}\n`;
  writing ??= setTimeout(writeLines, 100);
  if (lines.length > 4_000) writeLines();
}

function writeLines(): void {
  clearTimeout(writing);
  writing = undefined;
  if (lines !== "") process.stdout.write(lines);
  lines = "";
}

/** Milliseconds in which a server that Docker is about to end goes on serving. */
const farewell = 1_000;

/** Serves until SIGINT, or a moment longer than SIGTERM, then lets the requests in flight finish. */
function serve(): void {
  const { HOST = "0.0.0.0", PORT = "5252" } = process.env;
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65535) {
    fail(`PORT must be a whole number from 0 to 65535, not "${PORT}"`);
  }

  const server = app.listen(Number(PORT), HOST, (error) => {
    if (error) fail(`${error.message}; set PORT or HOST to another one`);
    const { address, port } = server.address() as AddressInfo;
    console.log(`Listening on http://${isIPv6(address) ? `[${address}]` : address}:${port}`);
  });

  // nginx closes idle connections to an upstream after 60 s. If Node closed them first, a request
  // could meet a connection that is just going away.
  server.keepAliveTimeout = 75_000;

  // Browsers keep connections open that carry no request; only requests are worth waiting for
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
  // Whoever is to take over may still be starting, for instance when all servers are restarted in
  // turn; and the proxy does not know yet
  process.once("SIGTERM", () => setTimeout(shutDown, farewell).unref()).once("SIGINT", shutDown);
}

function fail(reason: string): never {
  console.error(`Cannot start: ${reason}.`);
  process.exit(1);
}

// Serve only when run, not when a test imports `app`
if (require.main === module) serve();
