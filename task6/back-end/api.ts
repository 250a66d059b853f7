import { type AddressInfo, isIPv6 } from "node:net";
import { hostname } from "node:os";
import cors from "cors";
import express from "express";
import morgan from "morgan";

export const app = express();
app.disable("x-powered-by");

// Asked by the health check every few seconds, so it stands before the log
app.get("/health", (_request, response) => {
  response.type("text/plain").send("OK\n");
});

// One line for each request, in the common log format
app.use(morgan("common"));

// A browser shows our answers to a page from another origin, such as another port, only if we agree
app.use(cors({ exposedHeaders: "X-Served-By" }));

// Tells the servers apart: in a container, its id
app.use((_request, response, next) => {
  response.set("X-Served-By", hostname());
  next();
});

app.get("/api/hello", (_request, response) => {
  response.send("Hello, World!");
});

app.use((_request, response) => {
  response.status(404).type("text/plain").send("Not Found\n");
});

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
