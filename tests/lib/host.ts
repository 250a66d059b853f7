import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll } from "vitest";

/** A server on all addresses of the host, as a database might be. */
export function useHostServer(): () => number {
  let server: Server;
  beforeAll(async () => {
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  });
  afterAll(() => {
    server.close();
  });
  return () => (server.address() as { port: number }).port;
}

/** @returns The host's addresses, those in the networks of containers among them. */
export function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
}
