import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { fetchAnswer, waitUntilServed } from "../../tools/lib/http";
import { freePort } from "../../tools/lib/ports";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { useParts } from "../lib/parts";
import { type Exchange, exchange } from "../lib/raw-http";
import { type Arrival, allArrivals, cutAnswers, failures, startRecorder } from "../lib/recorder";
import { describeOnEngine, ownName } from "../lib/stacks";

const restricted = '"~^(OPTIONS) /api" 0;';

/** Allows POST in limits.conf, and changes nothing else. */
function withPost(conf: string): string {
  if (!conf.includes(restricted)) throw new Error(`limits.conf has no line ${restricted}`);
  return conf.replace(restricted, restricted.replace("OPTIONS", "OPTIONS|POST"));
}

const network = ownName("post-once");
const proxy = `${network}-proxy`;
const recorders = [`${network}-1`, `${network}-2`];
const refusing = `${network}-refusing`;
const parts = useParts("production");
const proxies: string[] = [];
let nodeImage = "";
let port = 0;

/**
 * Builds production's proxy with POST allowed, and starts it.
 * @returns Its port on the host.
 */
const startProxy = async (
  name: string,
  changeFailover = (conf: string) => conf,
): Promise<number> => {
  const scratch = await mkdtemp(path.join(tmpdir(), network));
  const edit = async (file: string, change: (conf: string) => string): Promise<void> => {
    const conf = path.join(scratch, file);
    await writeFile(conf, change(await readFile(conf, "utf8")));
  };
  await cp(path.join(root, "production/proxy"), scratch, { recursive: true });
  await edit("limits.conf", withPost);
  await edit("failover.conf", changeFailover);
  proxies.push(name);
  await run("docker", argv`build --tag ${name} ${scratch}`);
  await rm(scratch, { recursive: true });

  const hostPort = await freePort();
  const options = argv`--detach --name=${name} --network=${network} --publish=${hostPort}:80`;
  await run("docker", argv`run ${options} ${name}`);
  // Once the proxy finds its servers
  await waitUntilServed(`http://127.0.0.1:${hostPort}/api/well/ready`, { timeoutMs: 20_000 });
  return hostPort;
};

const get = (target: string, method = "GET") =>
  fetchAnswer(`http://127.0.0.1:${port}${target}`, { method });
const post = (target: string, at = port): Promise<Exchange> =>
  exchange(
    at,
    `POST ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`,
  );
const newId = (): string => randomBytes(6).toString("hex");
const arrivals = (): Promise<Arrival[]> =>
  allArrivals(recorders, `/api/marker/${newId()}`, (target) => get(target));
const times = (list: readonly Arrival[], method: string, target: string): number =>
  list.filter((arrival) => arrival.method === method && arrival.url === target).length;

beforeAll(async () => {
  nodeImage = await parts.build("./back-end");
  await run("docker", argv`network create ${network}`);
  for (const name of recorders) await startRecorder(name, network, nodeImage);
  port = await startProxy(proxy);
  await arrivals();
});
afterAll(async () => {
  await attempt("docker", argv`rm --force ${proxies} ${refusing} ${recorders}`);
  await attempt("docker", argv`network rm ${network}`);
  await attempt("docker", argv`image rm ${proxies}`);
});

describeOnEngine("production's proxy with POST allowed, before failing servers", () => {
  it.each([...failures, ...cutAnswers])(
    "sends a POST once, to one server, and reports its failure: %s",
    async (fault) => {
      const paths = Array.from({ length: 4 }, () => `/api/${fault}/${newId()}`);
      for (const target of paths) {
        const { responses, ended } = await post(target);
        expect(ended).toBe("closed");
        expect(responses.filter(({ status, complete }) => status < 500 && complete)).toEqual([]);
      }
      const list = await arrivals();
      expect(paths.map((target) => times(list, "POST", target))).toEqual([1, 1, 1, 1]);
    },
  );

  it.each(failures.flatMap((fault) => [`GET ${fault}`, `HEAD ${fault}`]))(
    "sends a %s to one server after the other until one succeeds",
    async (methodAndFault) => {
      const [method = "", fault] = methodAndFault.split(" ");
      const paths = Array.from({ length: 2 }, () => `/api/${fault}/${newId()}`);
      for (const target of paths) {
        const { status, body } = await get(target, method);
        expect({ status, body }).toEqual({ status: 200, body: method === "GET" ? "good" : "" });
      }
      const list = await arrivals();
      for (const target of paths) expect(times(list, method, target)).toBeGreaterThan(1);
    },
  );

  it.each(cutAnswers)("cuts the response to a GET target the server did: %s", async (fault) => {
    const target = `/api/${fault}/${newId()}`;
    expect((await get(target)).status).toBeUndefined();
    expect(times(await arrivals(), "GET", target)).toBe(1);
  });

  it("sends a POST to the next server if it could not connect", async () => {
    // A third server, on whose port no program listens
    const options = argv`--detach --network=${network} --network-alias=back-end --entrypoint=sleep`;
    await run("docker", argv`run --name=${refusing} ${options} ${nodeImage} infinity`);
    const paths: string[] = [];
    await waitUntil(
      async () => {
        const target = `/api/well/${newId()}`;
        paths.push(target);
        expect((await post(target)).responses.map(({ status }) => status)).toEqual([200]);
        const { stderr } = await attempt("docker", argv`logs ${proxy}`);
        const refused = stderr.match(/connect\(\) failed \(111: [^\n]*"POST \/api\/well/g) ?? [];
        return refused.length >= 3;
      },
      { for: "POSTs to the server that refuses connections", timeoutMs: 30_000 },
    );
    const list = await arrivals();
    expect(paths.filter((target) => times(list, "POST", target) !== 1)).toEqual([]);
    await run("docker", argv`rm --force ${refusing}`);
  });
});

describeOnEngine("the proxy tells the servers about a client", () => {
  const headersOf = async (...headers: string[]): Promise<Record<string, string[]>> => {
    const target = `/api/well/${newId()}`;
    const lines = [`GET ${target} HTTP/1.1`, "Host: localhost", ...headers, "", ""];
    await exchange(port, lines.join("\r\n"), { quietMs: 50 });
    const requests = (await arrivals()).filter(({ url }) => url === target);
    expect(requests).toHaveLength(1);
    return requests[0]?.headers ?? {};
  };
  /** The address from which the proxy sees this test. */
  let address = "";
  beforeAll(async () => {
    address = (await headersOf())["x-forwarded-for"]?.join() ?? "";
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  });

  it.each([
    ["X-Forwarded-For: 9.9.9.9"],
    ["X-Forwarded-For: 9.9.9.9, 127.0.0.1"],
    ["x-forwarded-for: 9.9.9.9", "X-Forwarded-For: 8.8.8.8"],
    ["X-Real-IP: 9.9.9.9"],
    ["Forwarded: for=9.9.9.9;proto=https;host=foreign.example"],
    ["X-Forwarded-Host: foreign.example"],
    ["X-Forwarded-Proto: https"],
    ["X_Forwarded_For: 9.9.9.9"],
    ["Connection: X-Forwarded-For"],
    // Of the connection to the proxy
    ["Keep-Alive: timeout=99"],
    ["Upgrade: websocket"],
    ["TE: trailers"],
    ["Connection: Upgrade"],
    ["Connection: keep-alive, X-Forwarded-For, Host"],
    ["Expect: 100-continue"],
  ])("its address, host and scheme, and nothing of %s", async (...headers) => {
    const arrived = await headersOf(...headers);
    expect(arrived).toMatchObject({
      host: ["localhost"],
      "x-forwarded-for": [address],
      "x-forwarded-host": ["localhost"],
      "x-forwarded-proto": ["http"],
    });
    expect(JSON.stringify(arrived)).not.toMatch(/9\.9\.9\.9|8\.8\.8\.8|foreign\.example|https/);
    for (const name of ["connection", "expect", "keep-alive", "te", "upgrade"]) {
      expect(arrived).not.toHaveProperty(name);
    }
  });
});

describeOnEngine("a careless proxy", () => {
  it("sends a POST twice with non_idempotent, which these tests notice", async () => {
    const careless = await startProxy(`${network}-careless`, (conf) =>
      conf.replace(/proxy_next_upstream (?=\w)/g, "proxy_next_upstream non_idempotent "),
    );
    const paths = Array.from({ length: 4 }, () => `/api/reset/${newId()}`);
    for (const target of paths) await post(target, careless);
    const list = await arrivals();
    expect(Math.max(...paths.map((target) => times(list, "POST", target)))).toBeGreaterThan(1);
  });
});
