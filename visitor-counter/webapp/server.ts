import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { createApp } from "./app";
import { Store } from "./store";

/** Milliseconds in which a server that is about to end sends its visitors elsewhere. */
const farewell = 500;

/** Milliseconds after which nobody can be waiting for an answer. */
const end = 2_500;

/** Serves until SIGTERM or SIGINT. */
async function serve(): Promise<void> {
  const { HOST = "0.0.0.0", REDIS_HOST } = process.env;
  if (!REDIS_HOST) fail("REDIS_HOST must be the name or address of the Redis server");
  const redisPort = portIn("REDIS_PORT");
  const port = portIn("PORT", "5000");

  // Until there is anything to shut down
  const exit = (): never => process.exit();
  process.once("SIGTERM", exit).once("SIGINT", exit);
  const store = await Store.open(REDIS_HOST, redisPort);

  const app = createApp(store);
  let isEnding = false;
  const server = createServer((request, response) => {
    if (isEnding) sendElsewhere(response);
    else app(request, response);
  });
  server.once("close", () => store.close());
  server.once("error", ({ message }) => fail(`${message}; set PORT or HOST to another one`));
  server.listen(port, HOST, () => {
    const { address, port } = server.address() as AddressInfo;
    console.log(`Listening on http://${isIPv6(address) ? `[${address}]` : address}:${port}`);
  });
  // nginx closes idle connections to an upstream after 60 s. If Node closed them first, a request
  // could meet a connection that is just going away.
  server.keepAliveTimeout = 75_000;

  const shutDown = (): void => {
    isEnding = true;
    // To close at once would cut off visits that are on their way, and nginx could not know whether
    // they have been counted
    setTimeout(() => server.close(), farewell);
    setTimeout(() => server.closeAllConnections(), end).unref();
  };
  process.off("SIGTERM", exit).once("SIGTERM", shutDown);
  process.off("SIGINT", exit).once("SIGINT", shutDown);
}

/**
 * Tells nginx to ask another replica, with the one status that it takes for such a sign and that
 * means nothing else here. See nginx.conf.
 */
function sendElsewhere(response: ServerResponse): void {
  response.writeHead(429, { Connection: "close" }).end();
}

/** Reads a port number from the environment. */
function portIn(variable: string, otherwise = ""): number {
  const value = process.env[variable] ?? otherwise;
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
