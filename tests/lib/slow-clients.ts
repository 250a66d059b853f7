import { listContainers } from "../../tools/lib/compose";
import { run } from "../../tools/lib/run";
import type { RawClient } from "./raw-http";
import type { TestStack } from "./stacks";

/** A client that takes its time, and what must come of it before its patience ends. */
export interface SlowClient {
  name: string;
  pieces: string[];
  client: RawClient;
  /** A pattern for what `outcomeOf` says. */
  expected: string;
}

/** Longer than any time that the proxy grants; who still has a connection then was not ended. */
const patience = { timeoutMs: 25_000 };

const begin = (line: string, ...headers: string[]): string =>
  [`${line} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");

/** Byte by byte, for half a minute. */
const drip = (start: string, byte = "x"): string[] => [
  start,
  ...Array.from({ length: 60 }, () => byte),
];
const slowly: RawClient = { ...patience, pauseMs: 500 };

/**
 * 79 MB: more than the buffers on the way hold, of which a new kernel grants a receiver up to 32 MB,
 * and there are two of them. The proxy takes no more than 1,000 requests on a connection.
 */
const pages = 900;

const kinds: readonly SlowClient[] = [
  { name: "says nothing", pieces: [""], client: patience, expected: "nothing" },
  {
    name: "sends the request line byte by byte",
    pieces: drip("GET /"),
    client: slowly,
    expected: "408|nothing",
  },
  {
    name: "sends a header byte by byte",
    pieces: drip("GET / HTTP/1.1\r\nHost: localhost\r\nX: "),
    client: slowly,
    expected: "408|nothing",
  },
  {
    name: "sends headers one by one",
    pieces: drip("GET / HTTP/1.1\r\nHost: localhost\r\n", "X: x\r\n"),
    client: slowly,
    expected: "408|nothing",
  },
  {
    name: "keeps back the body it announced",
    pieces: [begin("GET /api/hello", "Content-Length: 1")],
    client: patience,
    expected: "408|413|nothing",
  },
  {
    name: "sends a body byte by byte",
    pieces: drip(begin("GET /api/hello", "Content-Length: 1000")),
    client: slowly,
    expected: "413",
  },
  {
    name: "sends the body of a POST byte by byte",
    pieces: drip(begin("POST /api/hello", "Content-Length: 1000")),
    client: slowly,
    expected: "405",
  },
  {
    name: "sends the extension of a chunk byte by byte",
    pieces: drip(`${begin("GET /api/hello", "Transfer-Encoding: chunked")}1;x=`),
    client: slowly,
    expected: "411",
  },
  {
    name: "sends chunks one by one",
    pieces: drip(begin("GET /", "Transfer-Encoding: chunked"), "1\r\nx\r\n"),
    client: slowly,
    expected: "411",
  },
  {
    // When it looks at last, it finds the beginning and no end. The proxy's 10 s begin when the
    // buffers are full, which takes a busy machine some seconds
    name: "reads no answer",
    pieces: [begin("GET /jquery.min.js").repeat(pages)],
    client: { timeoutMs: 32_000, readAfterMs: 20_000 },
    expected: `(200 ){0,${pages - 2}}200( cut)?( reset)?`,
  },
];

/** @returns So many slow clients, of each kind as many. */
export function slowClients(count: number): SlowClient[] {
  return Array.from({ length: count }, (_, index) => kinds[index % kinds.length]).filter(
    (kind) => kind !== undefined,
  );
}

/** What a container takes. */
export interface Usage {
  service: string;
  megabytes: number;
  /** TCP connections that are not closed. */
  connections: number;
}

/** Measures each container of a stack, in the order of their names. */
export async function usage(stack: TestStack): Promise<Usage[]> {
  const containers = await listContainers(stack);
  const ids = containers.map(({ id }) => id);
  const memory = await run("docker", [
    ...["stats", "--no-stream", "--no-trunc", "--format={{.ID}} {{.MemUsage}}", ...ids],
  ]);
  return Promise.all(
    containers.map(async ({ id, service }) => {
      const used = new RegExp(`^${id} ([\\d.]+)(\\wi?B)`, "m").exec(memory);
      const unit = { B: 1 / 2 ** 20, KiB: 1 / 1024, MiB: 1, GiB: 1024 }[used?.[2] ?? ""];
      // State 01 is "established", 08 is closed by the other side alone
      const sockets = await run("docker", ["exec", id, "cat", "/proc/net/tcp", "/proc/net/tcp6"]);
      const connections = sockets.match(/^ *\d+: \S+ \S+ 0[18] /gm)?.length ?? 0;
      return { service, megabytes: Number(used?.[1]) * (unit ?? Number.NaN), connections };
    }),
  );
}
