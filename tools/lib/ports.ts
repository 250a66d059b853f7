import { connect, createServer } from "node:net";
import { UserError } from "./errors";

/**
 * Finds a port that nothing listens on, by letting the system choose one and giving it back.
 * @returns A port on the host. Someone else may take it before it is used; that is seldom.
 */
export async function freePort(): Promise<number> {
  const { port } = await listenBriefly(0);
  if (port === undefined) throw new Error("the system has no free port");
  return port;
}

/**
 * Makes sure that nothing listens on a port, before a half-started stack finds out.
 * @param variable The environment variable that moves the port, for the advice.
 * @throws {UserError} when the port is taken.
 */
export async function requireFreePort(port: number, variable: string): Promise<void> {
  const { refused } = await listenBriefly(port);
  // Below 1024 we may not be allowed to listen, though the engine is
  if (refused === "EADDRINUSE" || (refused === "EACCES" && (await answers(port)))) {
    throw new UserError(
      `port ${port} is in use: stop what listens there, or choose another with ${variable}=8080.`,
    );
  }
}

/** @returns The port that could be listened on, or the system's code for why it could not. */
function listenBriefly(port: number): Promise<{ port?: number; refused?: string | undefined }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve({ refused: code }));
    server.listen(port, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address : {}));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "localhost");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
