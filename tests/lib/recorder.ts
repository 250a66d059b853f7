import { argv } from "../../tools/lib/argv";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";

/** What a recorder can do with a request that it has logged, instead of a response. */
export const failures = argv`reset close hang 500 502 503 504 half-a-header`;
/** What it can do after a response has started: the proxy cannot take that back. */
export const cutAnswers = argv`half-a-body half-a-chunk no-status-line`;

/** A request as it arrived at an upstream server. */
export interface Arrival {
  method: string;
  url: string;
  /** All values by the name in lower case. */
  headers: Record<string, string[]>;
}

/**
 * Runs in a container. The first request for `/…/FAULT/ID` with a method meets the fault; the same
 * request gets a good response from then on.
 */
const program = `
const { createServer } = require("node:http");
const seen = new Set();
const misbehave = {
  reset: (socket) => socket.resetAndDestroy(),
  close: (socket) => socket.end(),
  hang: () => undefined,
  "no-status-line": (socket) => socket.end("what?\\r\\n\\r\\n"),
  "half-a-header": (socket) => socket.end("HTTP/1.1 200 OK\\r\\nContent-Le"),
  "half-a-body": (socket) => socket.end("HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nhalf"),
  "half-a-chunk": (socket) =>
    socket.end("HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n64\\r\\nhalf"),
};
const serve = async (request, response) => {
  const { method, url, headersDistinct: headers } = request;
  for await (const _ of request);
  console.log(JSON.stringify({ method, url, headers }));
  const [fault] = url.split("/").slice(-2);
  const isFirst = !seen.has(method + url);
  seen.add(method + url);
  if (isFirst && fault in misbehave) return misbehave[fault](request.socket);
  response.statusCode = isFirst && /^5\\d\\d$/.test(fault) ? Number(fault) : 200;
  response.end("good");
};
for (const port of [5252, 9000]) createServer(serve).listen(port);
process.once("SIGTERM", () => process.exit(0));
`;

/** Starts a server that logs requests, as the proxy's back-end and front-end. */
export async function startRecorder(name: string, network: string, image: string): Promise<void> {
  const aliases = ["--network-alias=back-end", "--network-alias=front-end"];
  const start = argv`run --detach --init --name=${name} --network=${network} ${aliases}`;
  await run("docker", argv`${start} --entrypoint=node ${image} -e ${program}`);
}

/** @returns The requests that have arrived at a recorder, in order. */
async function arrivalsAt(name: string): Promise<Arrival[]> {
  const { stdout } = await attempt("docker", argv`logs ${name}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Arrival);
}

/**
 * Reads the requests of some recorders once their logs are complete.
 * @param get Sends a GET request for a path through the proxy.
 * @param marker A path that no other request has.
 */
export async function allArrivals(
  names: readonly string[],
  marker: string,
  get: (path: string) => Promise<unknown>,
): Promise<Arrival[]> {
  return waitUntil(
    async () => {
      await get(marker);
      const arrivals = await Promise.all(names.map(arrivalsAt));
      const areComplete = arrivals.every((list) => list.some(({ url }) => url === marker));
      return areComplete ? arrivals.flat().filter(({ url }) => url !== marker) : undefined;
    },
    { for: "a request in the log of every server", timeoutMs: 10_000 },
  );
}
