import { createServer } from "node:net";
import { UserError } from "./errors";

/**
 * Finds a port that nothing listens on, by letting the system choose one and giving it back.
 * @returns A port on the host. Someone else may take it before it is used; that is seldom.
 */
export async function freePort(): Promise<number> {
  const taken = await listenBriefly(0);
  if (taken === undefined) throw new Error("the system has no free port");
  return taken;
}

/**
 * Makes sure that nothing listens on a port, before a half-started stack finds out.
 * @param variable The environment variable that moves the port, for the advice.
 * @throws {UserError} when the port is taken.
 */
export async function requireFreePort(port: number, variable: string): Promise<void> {
  if ((await listenBriefly(port)) === undefined) {
    throw new UserError(
      `port ${port} is in use: stop what listens there, or choose another with ${variable}=8080.`,
    );
  }
}

/** @returns The port that could be listened on, or undefined where it is taken or not allowed. */
function listenBriefly(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}
