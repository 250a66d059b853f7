import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll } from "vitest";
import { argv } from "../../tools/lib/argv";
import type { Container } from "../../tools/lib/compose";
import { run } from "../../tools/lib/run";

/** @returns The addresses that a project's networks reserve for the host, used or not. */
export async function gatewaysOf(project: string): Promise<string[]> {
  const filter = `--filter=label=com.docker.compose.project=${project}`;
  const networks = (await run("docker", argv`network ls --quiet ${filter}`)).split("\n");
  const format = "--format={{range .IPAM.Config}}{{.Gateway}} {{end}}";
  const gateways = await run("docker", argv`network inspect ${format} ${networks}`);
  return gateways.split(/\s+/).filter(Boolean);
}

/** @param format A template for `docker inspect`. */
export const inspect = (container: string, format: string): Promise<string> =>
  run("docker", argv`inspect ${`--format=${format}`} ${container}`);

/** @returns The names of a container's networks. */
export async function networksOf({ id }: Container): Promise<string[]> {
  const networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
  return (await inspect(id, networks)).trim().split(" ");
}

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
