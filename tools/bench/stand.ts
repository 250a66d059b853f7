import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Container, compose, listContainers, newMarker, takeDown } from "../lib/compose";
import { fetchAnswer } from "../lib/http";
import { freePort } from "../lib/ports";
import type { Report } from "../lib/progress";
import { attempt, run } from "../lib/run";
import { waitUntil } from "../lib/wait";
import {
  benchLabel,
  type Contender,
  loadService,
  projectFile,
  stackOf,
  versionIn,
} from "./contenders";
import { measureImages } from "./images";
import { sendExactly, type Target } from "./load";
import type { ImageSize } from "./report";

/** What every server of every contender says, and at which path. */
const greeting = "Hello, World!";
const greetingPath = "/api/hello";

/** A contender's stack under a name of its own, which can be started and ended over and over. */
export interface Stand {
  contender: Contender;
  /** Where it greets, once it is up. */
  url: string;
  /** @returns How large the images are. */
  build(report: Report): Promise<ImageSize[]>;
  /**
   * Starts it with so many servers, as `docker-compose up` does.
   * @returns Seconds until the first right answer.
   */
  start(servers: number, report: Report): Promise<number>;
  /** Changes the number of servers, and waits until each of them takes part. */
  scale(servers: number, report: Report): Promise<void>;
  /** Where a load over so many connections comes from and goes to. */
  target(connections: number): Promise<Target>;
  /**
   * Sends so many requests and counts who answered, by the servers' own logs.
   * @returns Answered requests of each server.
   * @throws {Error} for a wrong answer.
   */
  shares(requests: number, connections: number): Promise<number[]>;
  /** Those of the contender itself, without the load generator. */
  containers(): Promise<Container[]>;
  /** @returns What makes the difference, such as `nginx 1.30.0, Node.js 24.11.1`. */
  versions(): Promise<string>;
  /** Ends it; the images stay. */
  stop(): Promise<void>;
  /** Removes all of it, images too. */
  close(): Promise<void>;
}

/**
 * Prepares a stand; nothing is built or started yet.
 * @param project The name of the Compose project, this stand's alone.
 */
export async function openStand(
  contender: Contender,
  project: string,
  signal: AbortSignal,
): Promise<Stand> {
  const { servers: service, up, entry } = contender;
  const scratch = await mkdtemp(path.join(tmpdir(), `${project}-`));
  const file = path.join(scratch, "project.yml");
  await writeFile(file, projectFile(contender, project));
  const port = await freePort();
  const stack = stackOf(contender, project, file, port);
  const url = `http://127.0.0.1:${port}${greetingPath}`;

  async function build(report: Report): Promise<ImageSize[]> {
    const own = Object.entries(contender.bases);
    const services = own.map(([name]) => name);
    await compose(stack, ["build", ...services, loadService], { signal, onLine: report.detail });
    return measureImages(
      own.map(([name, base]) => ({ service: name, image: `${project}-${name}`, base })),
    );
  }

  async function start(servers: number, report: Report): Promise<number> {
    const begin = performance.now();
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const started = entryStarted(either);
    const upped = compose(stack, ["up", "--detach", "--no-build", ...scaled(servers), ...up], {
      signal,
      onLine: report.detail,
    }).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
    const answered = started.then(() => firstAnswer(either));
    await Promise.all([answered, upped]);
    await settle(servers, report);
    return ((await answered) - begin) / 1_000;
  }

  /**
   * Waits until the entry's container runs. A request before that would delay its own answer: to the
   * kernel the address does not exist yet, and it looks again only after a second.
   */
  async function entryStarted(either: AbortSignal): Promise<void> {
    const seen = new AbortController();
    await attempt(
      "docker",
      [
        ...["events", `--since=${Math.floor(Date.now() / 1_000)}`, "--format={{.ID}}"],
        ...["--filter=event=start", `--filter=label=com.docker.compose.project=${project}`],
        `--filter=label=com.docker.compose.service=${entry.service}`,
      ],
      { signal: AbortSignal.any([either, seen.signal]), onLine: () => seen.abort() },
    );
    either.throwIfAborted();
  }

  /** Asks every hundredth of a second, whether the answers before are there or not. */
  async function firstAnswer(either: AbortSignal): Promise<number> {
    let at: number | undefined;
    const ask = async (): Promise<void> => {
      const { status, body } = await fetchAnswer(url, { timeoutMs: 2_000 });
      if (status === 200 && body === greeting) at ??= performance.now();
    };
    return waitUntil(
      () => {
        void ask();
        return at;
      },
      {
        ...{ for: `${contender.title} to answer`, timeoutMs: 60_000, intervalMs: 10 },
        signal: either,
      },
    );
  }

  const scaled = (servers: number): string[] => ["--scale", `${service}=${servers}`];

  async function scale(servers: number, report: Report): Promise<void> {
    await compose(stack, ["up", "--detach", "--no-build", "--no-recreate", ...scaled(servers)], {
      signal,
      onLine: report.detail,
    });
    // The original's proxy asks for the servers' addresses only when it starts
    if (entry.service !== service) {
      await compose(stack, ["restart", entry.service], { signal, onLine: report.detail });
    }
    await settle(servers, report);
  }

  /** Waits until all is healthy, the load generator too, and every server takes part. */
  async function settle(servers: number, report: Report): Promise<void> {
    await compose(
      stack,
      [
        ...["up", "--detach", "--no-build", "--no-recreate", "--wait"],
        ...[...scaled(servers), ...up, loadService],
      ],
      { signal, onLine: report.detail },
    );
    await waitUntil(
      async () => {
        const parts = await shares(20 * servers, servers).catch(() => []);
        return parts.length === servers && parts.every((part) => part > 0);
      },
      { for: `${servers} servers of ${contender.title} to answer`, timeoutMs: 60_000, signal },
    );
  }

  async function target(connections: number): Promise<Target> {
    const [loader] = await listContainers(stack, loadService);
    if (loader === undefined) throw new Error(`${contender.title} has no load generator`);
    const origin = `http://${entry.service}:${entry.port}`;
    return { loader: loader.id, url: `${origin}${greetingPath}`, connections };
  }

  async function shares(requests: number, connections: number): Promise<number[]> {
    const marker = newMarker();
    // The engine's clock and ours may differ a little, where it runs in a virtual machine
    const since = new Date(Date.now() - 10_000).toISOString();
    const { url: plain, ...rest } = await target(connections);
    const sent = await sendExactly({ ...rest, url: `${plain}?${marker}` }, requests, signal);
    if (sent.failed > 0) throw new Error(`${contender.title} failed ${sent.failed} requests`);
    if (sent.bodyBytes !== requests * greeting.length) {
      throw new Error(`${contender.title} answers something else than "${greeting}"`);
    }
    const servers = await listContainers(stack, service);
    return waitUntil(
      async () => {
        const parts = await Promise.all(
          servers.map(async ({ id }) => {
            const { stdout, stderr } = await attempt("docker", ["logs", "--since", since, id]);
            return `${stdout}${stderr}`.split(marker).length - 1;
          }),
        );
        return parts.reduce((sum, part) => sum + part, 0) >= requests && parts;
      },
      { for: `${requests} requests in the logs of ${contender.title}`, timeoutMs: 10_000, signal },
    );
  }

  const containers = async (): Promise<Container[]> =>
    (await listContainers(stack)).filter((container) => container.service !== loadService);

  async function versions(): Promise<string> {
    const all = await containers();
    const said = contender.programs.map(async ({ name, service: where, versionCommand }) => {
      const container = all.find((candidate) => candidate.service === where);
      const asked = await attempt("docker", ["exec", container?.id ?? "", ...versionCommand]);
      return `${name} ${versionIn(asked.stdout + asked.stderr) ?? "of unknown version"}`;
    });
    return (await Promise.all(said)).join(", ");
  }

  const stop = (): Promise<void> => takeDown(stack, ["--volumes", "--timeout=2"]);

  async function close(): Promise<void> {
    await stop();
    const label = `--filter=label=${benchLabel}=${project}`;
    const own = await run("docker", ["image", "ls", "--quiet", label], { detached: true });
    const ids = [...new Set(own.split("\n").filter((id) => id !== ""))];
    if (ids.length > 0) await attempt("docker", ["image", "rm", ...ids], { detached: true });
    await rm(scratch, { recursive: true, force: true });
  }

  return { contender, url, build, start, scale, target, shares, containers, versions, stop, close };
}
