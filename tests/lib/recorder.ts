import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";

/** What a recorder can do to a request, after it has noted it, without a word of an answer. */
export const failures = [
  ...["reset", "close", "hang", "500", "502", "503", "504", "half-a-header"],
] as const;
/** What it can do when an answer, of a kind, has begun; that cannot be taken back. */
export const cutAnswers = ["half-a-body", "half-a-chunk", "no-status-line"] as const;

/** A request, as it arrived at a server behind the proxy. */
export interface Arrival {
  method: string;
  url: string;
  /** Names in lower case; each value that came. */
  headers: Record<string, string[]>;
  body: string;
}

/**
 * Runs in a container, in Node.js without a package. A request for `/…/FAULT/ID` meets the fault
 * when its method and ID come to this server for the first time, and a good answer afterwards.
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
  let body = "";
  for await (const chunk of request) body += chunk;
  console.log(JSON.stringify({ method, url, headers, body }));
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

/** Starts a server that notes what arrives, under the names that the proxy knows. */
export async function startRecorder(name: string, network: string, image: string): Promise<void> {
  await run("docker", [
    ...["run", "--detach", "--init", `--name=${name}`, `--network=${network}`],
    ...["--network-alias=back-end", "--network-alias=front-end"],
    ...["--entrypoint=node", image, "-e", program],
  ]);
}

/** @returns What arrived at a recorder so far, in order. */
export async function arrivalsAt(name: string): Promise<Arrival[]> {
  const { stdout } = await attempt("docker", ["logs", name]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Arrival);
}

/**
 * Reads what arrived at some recorders, once their logs are complete.
 * @param ask Sends a GET for a path through the proxy, to whichever server.
 * @param marker A path of its own.
 */
export async function allArrivals(
  names: readonly string[],
  marker: string,
  ask: (path: string) => Promise<unknown>,
): Promise<Arrival[]> {
  return waitUntil(
    async () => {
      await ask(marker);
      const arrivals = await Promise.all(names.map(arrivalsAt));
      const areComplete = arrivals.every((list) => list.some(({ url }) => url === marker));
      return areComplete ? arrivals.flat().filter(({ url }) => url !== marker) : undefined;
    },
    { for: "every server to have told of a request", timeoutMs: 10_000 },
  );
}
