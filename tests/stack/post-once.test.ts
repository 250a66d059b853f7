import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { fetchAnswer } from "../../tools/lib/http";
import { freePort } from "../../tools/lib/ports";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { useParts } from "../lib/parts";
import { type Exchange, exchange } from "../lib/raw-http";
import {
  type Arrival,
  allArrivals,
  arrivalsAt,
  cutAnswers,
  failures,
  startRecorder,
} from "../lib/recorder";
import { describeOnEngine, ownName } from "../lib/stacks";

const restricted = '"~^(OPTIONS) /api" 0;';

/**
 * Lets POST through, and changes nothing else.
 * @throws {Error} when the methods are restricted in another way by now.
 */
function withPost(conf: string): string {
  const parts = conf.split(restricted);
  if (parts.length !== 2) throw new Error(`limits.conf has no line ${restricted}`);
  return parts.join(restricted.replace("OPTIONS", "OPTIONS|POST"));
}

describe("the change that lets POST through", () => {
  it("is one word", () => {
    expect(withPost(`map {\n  ${restricted}\n}`)).toBe('map {\n  "~^(OPTIONS|POST) /api" 0;\n}');
  });

  it("fails where the line that it changes is another one", () => {
    expect(() => withPost('"~^(PUT) /api" 0;')).toThrow("limits.conf has no line");
  });
});

describeOnEngine("production's proxy, were POST allowed, before API servers that misbehave", () => {
  const network = ownName("post-once");
  const proxy = `${network}-proxy`;
  const recorders = [`${network}-1`, `${network}-2`];
  const refusing = `${network}-refusing`;
  const parts = useParts("production");
  let image = "";
  let port = 0;
  const built: string[] = [];

  /**
   * Builds production's proxy with POST let through, and starts it.
   * @returns Its port on the host.
   */
  const startProxy = async (
    name: string,
    change: (conf: string) => string = (conf) => conf,
  ): Promise<number> => {
    const scratch = await mkdtemp(path.join(tmpdir(), network));
    try {
      await cp(path.join(root, "production/proxy"), scratch, { recursive: true });
      for (const [file, edit] of [
        ["limits.conf", withPost],
        ["failover.conf", change],
      ] as const) {
        const conf = path.join(scratch, file);
        await writeFile(conf, edit(await readFile(conf, "utf8")));
      }
      await run("docker", ["build", "--tag", name, scratch]);
    } finally {
      await rm(scratch, { recursive: true });
    }
    built.push(name);
    const hostPort = await freePort();
    await run("docker", [
      ...["run", "--detach", `--name=${name}`, `--network=${network}`, `-p=${hostPort}:80`, name],
    ]);
    await waitUntil(
      async () => (await fetchAnswer(`http://127.0.0.1:${hostPort}/api/well/ready`)).status === 200,
      { for: "the proxy to find its servers", timeoutMs: 20_000 },
    );
    return hostPort;
  };

  const get = (where: string, method = "GET") =>
    fetchAnswer(`http://127.0.0.1:${port}${where}`, { method });
  const send = (line: string, ...headers: string[]): Promise<Exchange> =>
    exchange(port, [line, "Host: localhost", ...headers, "", ""].join("\r\n"), { quietMs: 50 });
  const post = (where: string, at = port): Promise<Exchange> =>
    exchange(
      at,
      `POST ${where} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`,
    );
  const newId = (): string => randomBytes(6).toString("hex");
  const arrivals = (): Promise<Arrival[]> =>
    allArrivals(recorders, `/api/marker/${newId()}`, (where) => get(where));
  const times = (list: readonly Arrival[], method: string, where: string): number =>
    list.filter((arrival) => arrival.method === method && arrival.url === where).length;

  beforeAll(async () => {
    image = await parts.build("./back-end");
    await run("docker", ["network", "create", network]);
    for (const name of recorders) await startRecorder(name, network, image);
    port = await startProxy(proxy);
    await arrivals();
  });
  afterAll(async () => {
    await attempt("docker", ["rm", "--force", ...built, refusing, ...recorders]);
    await attempt("docker", ["network", "rm", network]);
    await attempt("docker", ["image", "rm", ...built]);
  });

  it.each([...failures, ...cutAnswers])(
    "sends a POST to one server, once, and does not hide that it failed: %s",
    async (fault) => {
      const paths = Array.from({ length: 4 }, () => `/api/${fault}/${newId()}`);
      for (const where of paths) {
        const { answers, ended } = await post(where);
        expect(ended).toBe("closed");
        expect(answers.filter(({ status, complete }) => status < 500 && complete)).toEqual([]);
      }
      const list = await arrivals();
      expect(paths.map((where) => times(list, "POST", where))).toEqual([1, 1, 1, 1]);
    },
  );

  it.each(failures.flatMap((fault) => [`GET ${fault}`, `HEAD ${fault}`]))(
    "sends a %s to one server after the other until one answers well",
    async (what) => {
      const [method = "", fault] = what.split(" ");
      const paths = Array.from({ length: 2 }, () => `/api/${fault}/${newId()}`);
      for (const where of paths) {
        const { status, body } = await get(where, method);
        expect({ status, body }).toEqual({ status: 200, body: method === "GET" ? "good" : "" });
      }
      const list = await arrivals();
      for (const where of paths) expect(times(list, method, where)).toBeGreaterThan(1);
    },
  );

  it.each(cutAnswers)("shows the client of a GET that its answer is cut: %s", async (fault) => {
    const where = `/api/${fault}/${newId()}`;
    expect((await get(where)).status).toBeUndefined();
    expect(times(await arrivals(), "GET", where)).toBe(1);
  });

  it("sends a POST to the next server when no connection came about", async () => {
    // A third server, at whose port nobody listens
    await run("docker", [
      ...["run", "--detach", `--name=${refusing}`, `--network=${network}`],
      ...["--network-alias=back-end", "--entrypoint=sleep", image, "infinity"],
    ]);
    const paths: string[] = [];
    await waitUntil(
      async () => {
        const where = `/api/well/${newId()}`;
        paths.push(where);
        expect((await post(where)).answers.map(({ status }) => status)).toEqual([200]);
        const { stderr } = await attempt("docker", ["logs", proxy]);
        const refused = stderr.match(/connect\(\) failed \(111: [^\n]*"POST \/api\/well/g) ?? [];
        return refused.length >= 3;
      },
      { for: "POSTs that met the server that refuses", timeoutMs: 30_000 },
    );
    const list = await arrivals();
    expect(paths.filter((where) => times(list, "POST", where) !== 1)).toEqual([]);
    await run("docker", ["rm", "--force", refusing]);
  });

  describe("of what a client says about itself", () => {
    const headersOf = async (...headers: string[]): Promise<Record<string, string[]>> => {
      const where = `/api/well/${newId()}`;
      await send(`GET ${where} HTTP/1.1`, ...headers);
      const found = (await arrivals()).filter(({ url }) => url === where);
      expect(found).toHaveLength(1);
      return found[0]?.headers ?? {};
    };
    /** The address from which the proxy sees this test. */
    let address = "";
    beforeAll(async () => {
      address = (await headersOf())["x-forwarded-for"]?.join() ?? "";
    });

    it("knows its address, host and scheme by the proxy", async () => {
      expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(await headersOf()).toMatchObject({
        host: ["localhost"],
        "x-forwarded-for": [address],
        "x-forwarded-host": ["localhost"],
        "x-forwarded-proto": ["http"],
      });
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
    ])("believes nothing: %s", async (...headers) => {
      const seen = await headersOf(...headers);
      expect(seen).toMatchObject({
        "x-forwarded-for": [address],
        "x-forwarded-host": ["localhost"],
        "x-forwarded-proto": ["http"],
      });
      expect(JSON.stringify(seen)).not.toMatch(/9\.9\.9\.9|8\.8\.8\.8|foreign\.example|https/);
    });

    it.each([
      "Keep-Alive: timeout=99",
      "Upgrade: websocket",
      "TE: trailers",
      "Connection: Upgrade",
      "Connection: keep-alive, X-Forwarded-For, Host",
      "Expect: 100-continue",
    ])("passes on nothing that is meant for the proxy alone: %s", async (header) => {
      const [name = ""] = header.toLowerCase().split(":");
      const seen = await headersOf(header);
      expect(seen).toMatchObject({ host: ["localhost"], "x-forwarded-for": [address] });
      expect(seen[name] ?? []).toEqual([]);
    });
  });

  it("would be seen to send a POST twice, were it told that it may", async () => {
    const careless = await startProxy(`${network}-careless`, (conf) =>
      conf.replace(/proxy_next_upstream (?=\w)/g, "proxy_next_upstream non_idempotent "),
    );
    const paths = Array.from({ length: 4 }, () => `/api/reset/${newId()}`);
    for (const where of paths) await post(where, careless);
    const list = await arrivals();
    expect(Math.max(...paths.map((where) => times(list, "POST", where)))).toBeGreaterThan(1);
  });

  it("records what it is shown", async () => {
    const where = `/api/well/${newId()}`;
    await post(where);
    await arrivals();
    const found = (await Promise.all(recorders.map(arrivalsAt))).flat();
    expect(found.filter(({ url }) => url === where)).toMatchObject([
      { method: "POST", body: "x", headers: { "content-length": ["1"] } },
    ]);
  });
});
