import { argv } from "../../tools/lib/argv";
import { listContainers } from "../../tools/lib/compose";
import { run } from "../../tools/lib/run";
import type { RawClient } from "./raw-http";
import type { TestStack } from "./stacks";

/** A slow client, and how the proxy must end its connection before the client's timeout. */
export interface SlowClient {
  name: string;
  pieces: string[];
  client: RawClient;
  /** A pattern for the result of `outcomeOf`. */
  expected: string;
}

/** Longer than all timeouts of the proxy. */
const timeoutMs = 25_000;

const head = (line: string, ...headers: string[]): string =>
  [`${line} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");

/** Sends a start, and then a piece every 500 ms for 30 s. */
const drip = (name: string, expected: string, start: string, piece = "x"): SlowClient => ({
  name,
  pieces: [start, ...Array.from({ length: 60 }, () => piece)],
  client: { timeoutMs, pauseMs: 500 },
  expected,
});

/**
 * 79 MB in responses, more than all buffers between hold: two kernels grant a receiver up to 32 MB
 * each. The proxy accepts at most 1,000 requests on a connection.
 */
const pages = 900;

const host = "Host: localhost\r\n";

/** One of each kind. */
export const slowClients: readonly SlowClient[] = [
  { name: "sends nothing", pieces: [""], client: { timeoutMs }, expected: "nothing" },
  drip("sends the request line byte by byte", "408|nothing", "GET /"),
  drip("sends a header byte by byte", "408|nothing", `GET / HTTP/1.1\r\n${host}X: `),
  drip("sends headers one by one", "408|nothing", `GET / HTTP/1.1\r\n${host}`, "X: x\r\n"),
  {
    name: "announces a body and sends none",
    pieces: [head("GET /api/hello", "Content-Length: 1")],
    client: { timeoutMs },
    expected: "408|413|nothing",
  },
  drip("sends a body byte by byte", "413", head("GET /api/hello", "Content-Length: 1000")),
  drip("sends a POST byte by byte", "405", head("POST /api/hello", "Content-Length: 1000")),
  drip(
    "sends the extension of a chunk byte by byte",
    "411",
    `${head("GET /api/hello", "Transfer-Encoding: chunked")}1;x=`,
  ),
  drip("sends chunks one by one", "411", head("GET /", "Transfer-Encoding: chunked"), "1\r\nx\r\n"),
  {
    // After 20 s it finds the beginning of the responses and no end. The proxy's 10 s start once the
    // buffers are full, which takes some seconds on a busy machine
    name: "reads no response",
    pieces: [head("GET /jquery.min.js").repeat(pages)],
    client: { timeoutMs: 32_000, readAfterMs: 20_000 },
    expected: `(200 ){0,${pages - 2}}200( cut)?( reset)?`,
  },
];

/** @returns The memory of each container of a stack, and its TCP connections that are not closed. */
export async function usage(stack: TestStack) {
  const containers = await listContainers(stack);
  const ids = containers.map(({ id }) => id);
  const format = "{{.ID}} {{.MemUsage}}";
  const memory = await run("docker", argv`stats --no-stream --no-trunc --format=${format} ${ids}`);
  return Promise.all(
    containers.map(async ({ id }) => {
      const [, size, unit = ""] = new RegExp(`^${id} ([\\d.]+)(\\wi?B)`, "m").exec(memory) ?? [];
      const perUnit = { B: 1 / 2 ** 20, KiB: 1 / 1024, MiB: 1, GiB: 1024 }[unit];
      // The states of connections: 01 is established, 08 is closed by the other side alone
      const sockets = await run("docker", argv`exec ${id} cat /proc/net/tcp /proc/net/tcp6`);
      const connections = sockets.match(/^ *\d+: \S+ \S+ 0[18] /gm)?.length ?? 0;
      return { megabytes: Number(size) * (perUnit ?? Number.NaN), connections };
    }),
  );
}
