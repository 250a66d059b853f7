import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countServed, listContainers, newMarker } from "../../tools/lib/compose";
import { type Answer, fetchAnswer, fetchMany } from "../../tools/lib/http";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import {
  type Attack,
  attacksOf,
  groupNames,
  outcomeOf,
  pipelined,
  problemsOf,
  servedPaths,
  smuggled,
} from "../lib/attacks";
import { type Bystander, startBystander } from "../lib/bystander";
import { exchange } from "../lib/raw-http";
import { slowClients, type Usage, usage } from "../lib/slow-clients";
import { bringUp, describeOnEngine, type TestStack, useStack } from "../lib/stacks";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";

const site = "production/front-end/softy-pinko-front-end";
const services = ["back-end", "front-end", "proxy"];

/** Requests at once from one address: limit_conn in production/proxy/limits.conf. */
const most = 360;

/** Everything that the site may answer with 200, each byte one character. */
async function pagesOf(origin: string): Promise<Set<string>> {
  const files = await listRepositoryFiles(site);
  const scripts = await listRepositoryFiles("production/front-end/scripts");
  const built = [
    "jquery.min.js",
    ...scripts.map((file) => `scripts/${file.replace(".ts", ".js")}`),
  ];
  const answers = await Promise.all(built.map((file) => fetchAnswer(`${origin}/${file}`)));
  expect(answers.map(({ status }) => status)).toEqual(built.map(() => 200));
  const texts = files.map((file) => readRepositoryFile(site, file));
  return new Set(
    [...texts, ...answers.map(({ body }) => body), "Hello, World!", "OK\n"].map((text) =>
      Buffer.from(text).toString("latin1"),
    ),
  );
}

/** What changes when a container is replaced, or restarts by itself. */
async function lives(stack: TestStack): Promise<string[]> {
  const ids = (await listContainers(stack)).map(({ id }) => id);
  const format = "{{.Name}} {{.Id}} {{.State.StartedAt}} {{.RestartCount}} {{.State.OOMKilled}}";
  return (await run("docker", ["inspect", `--format=${format}`, ...ids])).split("\n");
}

/** Does something for each of a list, so many at a time. */
async function forEach<T>(
  list: readonly T[],
  width: number,
  what: (one: T) => Promise<void>,
): Promise<void> {
  const queue = list.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const one of queue) await what(one);
    }),
  );
}

describeOnEngine("production under attack", () => {
  const stack = useStack("production", services);
  const origin = (): string => `http://127.0.0.1:${stack.ports.proxy}`;
  const id = randomBytes(3).toString("hex");
  let pages = new Set<string>();
  let before: string[] = [];
  let bystander: Bystander;

  const logOf = async (service: string): Promise<string> => {
    const logs = (await listContainers(stack, service)).map((container) =>
      attempt("docker", ["logs", container.id]),
    );
    return (await Promise.all(logs)).map(({ stdout, stderr }) => `${stdout}\n${stderr}`).join("\n");
  };
  const expectSameLives = async (): Promise<void> => {
    expect(await lives(stack)).toEqual(before);
    // A worker process that crashed would have been replaced, without a restart of its container
    for (const service of ["proxy", "front-end"]) {
      expect((await logOf(service)).match(/.*\[(?:alert|crit|emerg)\].*/g) ?? []).toEqual([]);
    }
  };

  beforeAll(async () => {
    await bringUp(stack, ["--scale", "back-end=2"]);
    pages = await pagesOf(origin());
    before = await lives(stack);
    const page = readRepositoryFile(site, "index.html");
    bystander = startBystander(origin(), { "/": page, "/api/hello": "Hello, World!" });
  });
  afterAll(() => bystander?.leave());

  describe("by malformed and hostile requests", () => {
    const all = groupNames.flatMap((group) => attacksOf(group, id));

    it("are more than a thousand, each with a name of its own", () => {
      expect(all.length).toBeGreaterThan(1_000);
      expect(new Set(all.map((attack) => attack.id)).size).toBe(all.length);
    });

    it.each(groupNames)("answers each as it should: %s", async (group) => {
      const problems: string[] = [];
      await forEach(attacksOf(group, id), 16, async (attack: Attack) => {
        const made = await exchange(stack.ports.proxy, attack.pieces, attack.client);
        problems.push(...problemsOf(attack, made, pages));
      });
      expect(problems).toEqual([]);
    });

    it("lets no request through to an API server that the proxy has not seen as one", async () => {
      // The logs are complete once both servers have told of these
      const marker = newMarker();
      await fetchMany(`${origin()}/api/hello?${marker}`, { count: 20, connections: 2 });
      await countServed(stack, "back-end", marker, 20);
      const log = await logOf("back-end");
      expect(servedPaths(log, smuggled)).toEqual([]);
      expect(servedPaths(await logOf("front-end"), smuggled)).toEqual([]);
      const piped = new Set(servedPaths(log, pipelined));
      const due = all.flatMap((attack) => attack.pipelined);
      expect(due.length).toBeGreaterThan(10);
      expect(due.filter((path) => !piped.has(path))).toEqual([]);
    });

    it("stops, restarts or replaces no container", expectSameLives);
  });

  it("ends 200 slow clients at once, and keeps nothing of them", async () => {
    const url = `${origin()}/api/hello`;
    await fetchMany(url, { count: 3_000, connections: 64 });
    await fetchMany(`${origin()}/`, { count: 1_000, connections: 64 });
    const rest: Usage[] = await usage(stack);

    const clients = slowClients(200);
    expect(clients).toHaveLength(200);
    const ended = await Promise.all(
      clients.map(async ({ name, expected, pieces, client }) => {
        const made = await exchange(stack.ports.proxy, pieces, client);
        const outcome = outcomeOf(made);
        const isGood = new RegExp(`^(?:${expected})$`).test(outcome);
        return isGood ? [] : [`${name}: ${outcome} after ${Math.round(made.ms)} ms`];
      }),
    );
    expect(ended.flat()).toEqual([]);
    await waitUntil(
      async () => {
        const now = await usage(stack);
        return now.every(({ megabytes, connections }, index) => {
          const then = rest[index];
          return (
            then !== undefined &&
            megabytes < then.megabytes * 1.25 + 4 &&
            connections <= then.connections + 4
          );
        });
      },
      { for: "memory and connections to be what they were", timeoutMs: 30_000 },
    );
    await expectSameLives();
  });

  it("served every ordinary request all the while", async () => {
    const { sent, failures } = await bystander.leave();
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(1_000);
  });

  it.each([
    ["256 connections at full speed", 256, 4_000],
    ["60 browsers with six connections each", most, 4_000],
  ])("refuses nothing to %s, from one address", async (_, connections, count) => {
    for (const path of ["/", "/api/hello"]) {
      const answers = await fetchMany(`${origin()}${path}`, { count, connections });
      const failures = answers.filter(({ status }) => status !== 200);
      const told = failures.map(
        ({ status, error, ms }) => `${path}: ${status ?? error} in ${ms} ms`,
      );
      expect(told.slice(0, 5)).toEqual([]);
      expect(answers).toHaveLength(count);
    }
    await expectSameLives();
  });

  it("refuses more requests at once from one address than that, and says when to come again", async () => {
    const servers = (await listContainers(stack, "back-end")).map((container) => container.id);
    // A request is under way for as long as the proxy waits for servers that hang
    await run("docker", ["pause", ...servers]);
    let answers: Answer[];
    try {
      answers = await fetchMany(`${origin()}/api/hello`, { count: 600, connections: 600 });
    } finally {
      await run("docker", ["unpause", ...servers]);
    }
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(100);
    expect(refused.length).toBeLessThanOrEqual(600 - most);
    expect(new Set(refused.map(({ headers }) => headers["retry-after"]))).toEqual(new Set(["1"]));
    await waitUntil(async () => (await fetchAnswer(`${origin()}/api/hello`)).status === 200, {
      for: "the API to be back",
      timeoutMs: 10_000,
    });
  });
});
