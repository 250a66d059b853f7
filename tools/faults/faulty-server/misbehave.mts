import { type IncomingMessage, Server, type ServerResponse } from "node:http";

/**
 * Loaded before a server's program. The first SIGUSR2 starts the misbehavior that FAULT names, the
 * next one ends it. Health checks succeed all the time, so that only the proxy can notice.
 */
type Fault = (request: IncomingMessage, response: ServerResponse, serve: () => void) => void;

const latencyMs = 500;
const chunkBytes = 2 ** 23;
/** Protects the machine if the container has no memory limit. */
const maxBytes = 2 ** 31;

const faults: Record<string, Fault> = {
  latency: (_request, _response, serve) => setTimeout(serve, latencyMs),
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
  if (misbehaves && FAULT === "memory") allocate([]);
});

function allocate(chunks: Buffer[]): void {
  if (chunks.length * chunkBytes >= maxBytes) return;
  // Filled, because Linux provides memory only when it is written to
  chunks.push(Buffer.alloc(chunkBytes, 1));
  setTimeout(allocate, 5, chunks);
}

const { emit } = Server.prototype;
Server.prototype.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
  const serve = (): boolean => Reflect.apply(emit, this, [event, ...args]) as boolean;
  const [request, response] = args as [IncomingMessage, ServerResponse];
  if (event !== "request" || !misbehaves || request.url === "/health") return serve();
  fault(request, response, serve);
  return true;
} as typeof emit;
