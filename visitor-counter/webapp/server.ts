import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { createApp } from "./app";
import { Store } from "./store";

/** Milliseconds that requests in flight get to finish. nginx waits 3 s for a response. */
const shutdownTimeoutMs = 3_500;

/** Serves until SIGTERM or SIGINT. */
async function serve(): Promise<void> {
  const { REDIS_HOST } = process.env;
  if (!REDIS_HOST) fail("REDIS_HOST must be the name or address of the Redis server");
  const redisPort = portFrom("REDIS_PORT");
  const port = portFrom("PORT", "5000");

  const store = await Store.open(REDIS_HOST, redisPort);
  const app = createApp(store);
  let isClosing = false;
  // More than the 32 kB of headers that nginx accepts; Node.js's default is 16 kB
  const server = createServer({ maxHeaderSize: 40 * 1_024 }, (request, response) => {
    if (isClosing) response.setHeader("Connection", "close");
    app(request, response);
  });
  server.on("clientError", refuseMalformed);
  server.once("error", ({ message }) => fail(`${message}; set PORT to another value`));
  server.listen(port, "0.0.0.0", () => {
    const { port } = server.address() as AddressInfo;
    console.log(`Listening on http://0.0.0.0:${port}`);
  });

  // nginx closes idle upstream connections after 60 s. Node.js must close them later: with its default
  // of 5 s it would reset requests that nginx sends at that moment.
  // https://nodejs.org/api/http.html#serverkeepalivetimeout
  server.keepAliveTimeout = 75_000;

  const shutDown = (): void => {
    isClosing = true;
    server.close(() => store.close());
    setTimeout(() => server.closeAllConnections(), shutdownTimeoutMs).unref();
  };
  process.once("SIGTERM", shutDown).once("SIGINT", shutDown);
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

/** Reads a port number from the environment. */
function portFrom(variable: string, defaultValue = ""): number {
  const value = process.env[variable] ?? defaultValue;
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65535) {
    fail(`${variable} must be a whole number from 0 to 65535, not "${value}"`);
  }
  return Number(value);
}

function fail(reason: string): never {
  console.error(`Cannot start: ${reason}.`);
  process.exit(1);
}

serve().catch(({ message }: Error) => fail(message));
