import { type IncomingMessage, Server, type ServerResponse } from "node:http";

/**
 * Loaded before a server's own program, in the faulty server's image. SIGUSR2 begins what FAULT
 * says, the next SIGUSR2 ends it; before and after, it is a server like any other. (SIGUSR1 would
 * open Node's inspector.) The health check is answered all the while: this is the server that looks
 * well from where Docker stands, so nobody but the proxy can save its visitors.
 */
type Serve = () => void;
type Fault = (request: IncomingMessage, response: ServerResponse, serve: Serve) => void;

/** Milliseconds. */
const slowness = 500;
/** Bytes: without a limit it would take all that the machine has. */
const mostMemory = 2 ** 31;
const piece = 2 ** 23;

const hoard: Buffer[] = [];

const faults: Record<string, Fault> = {
  slow: (_request, _response, serve) => setTimeout(serve, slowness),
  error: (_request, response) => response.writeHead(500).end("Internal Server Error\n"),
  reset: (request) => request.socket.resetAndDestroy(),
  memory: (_request, _response, serve) => serve(),
};

const { FAULT = "" } = process.env;
const fault = faults[FAULT];
if (fault === undefined) throw new Error(`FAULT must be one of ${Object.keys(faults)}`);

let misbehaves = false;
process.on("SIGUSR2", () => {
  misbehaves = !misbehaves;
  if (misbehaves && FAULT === "memory") eatMemory();
});

function eatMemory(): void {
  if (hoard.length * piece >= mostMemory) {
    console.error("Nobody limits this container's memory");
    hoard.length = 0;
    return;
  }
  // Filled, because memory that was never written to is not there
  hoard.push(Buffer.alloc(piece, 1));
  setTimeout(eatMemory, 5);
}

const { emit } = Server.prototype;
Server.prototype.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
  const serve = (): boolean => Reflect.apply(emit, this, [event, ...args]) as boolean;
  const [request, response] = args as [IncomingMessage, ServerResponse];
  if (event !== "request" || !misbehaves || request.url === "/health") return serve();
  fault(request, response, serve);
  return true;
} as typeof emit;
