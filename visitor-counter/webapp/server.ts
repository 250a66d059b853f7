import type { Server } from "node:http";
import { type AddressInfo, isIPv6, Server as NetServer } from "node:net";
import { createApp } from "./app";
import { Store } from "./store";

/** Milliseconds after a signal in which nginx may still use a connection that it has kept open. */
const linger = 500;

/** Milliseconds after a signal in which every request has its answer. */
const end = 2_000;

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

  const server = createApp(store).listen(port, HOST, (error) => {
    if (error) fail(`${error.message}; set PORT or HOST to another one`);
    const { address, port } = server.address() as AddressInfo;
    console.log(`Listening on http://${isIPv6(address) ? `[${address}]` : address}:${port}`);
  });
  // nginx closes idle connections to an upstream after 60 s. If Node closed them first, a request
  // could meet a connection that is just going away.
  server.keepAliveTimeout = 75_000;
  server.once("close", () => store.close());

  const shutDown = (): void => shutDownGently(server);
  process.off("SIGTERM", exit).once("SIGTERM", shutDown);
  process.off("SIGINT", exit).once("SIGINT", shutDown);
}

/**
 * Takes no new connections, but serves those that are open until they are idle. To close them at
 * once would be to drop a visit that is on its way, and nginx must not send it elsewhere: it cannot
 * know that it was not counted.
 */
function shutDownGently(server: Server): void {
  // HTTP's own close() closes idle connections as well
  NetServer.prototype.close.call(server);
  server.prependListener("request", (_request, response) => {
    response.setHeader("Connection", "close");
  });
  const timers = [
    setTimeout(() => server.closeIdleConnections(), linger),
    setTimeout(() => server.closeAllConnections(), end),
  ];
  server.once("close", () => timers.forEach(clearTimeout));
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
