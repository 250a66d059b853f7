import { connect, createServer } from "node:net";
import { UserError } from "./errors";

/** @returns A port that nothing listens on. Another program can take it before it is used. */
export async function freePort(): Promise<number> {
  const { port } = await tryToListen(0);
  if (port === undefined) throw new Error("the system has no free port");
  return port;
}

/**
 * Makes sure that nothing listens on a port, before a stack is half started.
 * @param variable The environment variable that sets the port, for the message.
 * @throws {UserError} if the port is in use.
 */
export async function requireFreePort(port: number, variable: string): Promise<void> {
  const { errorCode } = await tryToListen(port);
  // A user may not listen below 1024, but the engine may
  if (errorCode === "EADDRINUSE" || (errorCode === "EACCES" && (await isListening(port)))) {
    throw new UserError(
      `port ${port} is in use: stop the program that listens there, or set ${variable}=8080.`,
    );
  }
}

/** @returns The port, or the system's error code. */
function tryToListen(port: number): Promise<{ port?: number; errorCode?: string | undefined }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve({ errorCode: code }));
    server.listen(port, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address : {}));
    });
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "localhost");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy() && resolve(true));
  });
}
