import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { compose, listContainers, type Stack, takeDown } from "../lib/compose";
import { root } from "../lib/course";
import { fetchAnswer } from "../lib/http";
import { freePort } from "../lib/ports";
import type { Report } from "../lib/progress";
import { attempt } from "../lib/run";
import { waitUntil } from "../lib/wait";
import { type FaultCase, targetOf } from "./cases";
import { Load } from "./load";
import { evenFrom } from "./measure";
import type { Profile } from "./profiles";
import type { CaseReport } from "./report";
import { faultyService, Scene, versionVariable } from "./scene";
import { summarize } from "./summarize";

/** Servers that share the load, the faulty one among them. */
const serverCount = 3;
/** A case goes on until it has sent as many requests. */
const fewestRequests = 5_000;
/** Seconds of load before a fault; and, where nothing tells whose turn it is, after it. */
const baseline = 1;
const aftermath = 3;
/** Seconds; sharing that is not even by then is not going to be. */
const mostRecovery = 20;

/** A stack under its own name, on which one fault after the other is tried. */
export interface Lab {
  /** Builds the stack. */
  build(cases: readonly FaultCase[], report: Report): Promise<void>;
  /** Tries one fault. Leaves all servers running, unless it throws. */
  tryOut(fault: FaultCase, round: number, report: Report): Promise<CaseReport>;
  /** Removes all of it: containers, networks, volumes, images. */
  close(): Promise<void>;
}

/**
 * Prepares a lab; nothing is built or started yet.
 * @param connections How many load the stack.
 */
export async function openLab(
  profile: Profile,
  connections: number,
  signal: AbortSignal,
): Promise<Lab> {
  const project = `softy-pinko-faults-${randomBytes(3).toString("hex")}`;
  const scratch = await mkdtemp(path.join(tmpdir(), `${project}-`));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const images = path.join(scratch, "images.yml");
  const faulty = path.join(scratch, "faulty-server.yml");

  const stackWith = (...files: string[]): Stack => ({
    folder: path.join(root, profile.name),
    project,
    env: {
      COMPOSE_FILE: ["docker-compose.yml", ...files].join(":"),
      [profile.proxy.portVariable]: String(port),
    },
  });
  const plain = stackWith(images);
  const withFaulty = stackWith(images, faulty);
  const faultyStack = (fault: FaultCase): Stack => ({
    ...withFaulty,
    env: { ...withFaulty.env, FAULT: fault.faulty ?? "" },
  });

  async function build(cases: readonly FaultCase[], report: Report): Promise<void> {
    const options = { signal, onLine: report.detail };
    report(`building ${project}`);
    await writeFile(images, imagesFile(profile, project));
    await compose(plain, ["build"], options);
    const example = cases.find((fault) => fault.faulty !== undefined);
    if (example === undefined) return;
    await writeFile(faulty, await faultyFile(profile, project, plain));
    await compose(faultyStack(example), ["build", faultyService], options);
  }

  /** Brings up what a fault starts from, if it is not there: three servers, all well. */
  async function arrange(fault: FaultCase, report: Report): Promise<Stack> {
    const stack = fault.faulty === undefined ? plain : faultyStack(fault);
    const own = serverCount - (fault.faulty === undefined ? 0 : 1);
    report(`${serverCount} servers`);
    // Docker calls a container that was paused unhealthy until its next probe, and Compose gives up
    // on one that is
    await waitUntil(
      async () => (await listContainers(stack)).every(({ health }) => health !== "unhealthy"),
      { for: "every container to be healthy", timeoutMs: 30_000, signal },
    );
    await compose(
      stack,
      [
        ...["up", "--detach", "--no-build", "--wait", "--remove-orphans"],
        ...["--scale", `${profile.servers.service}=${own}`],
      ],
      { signal, onLine: report.detail },
    );
    // Every fault meets a proxy that remembers nothing of the one before
    await compose(stack, ["restart", profile.proxy.service], { signal, onLine: report.detail });
    for (const { path: ask, isRight } of profile.asks) {
      await waitUntil(async () => isRight((await fetchAnswer(`${url}${ask}`)).body), {
        ...{ for: `${ask} to be served`, timeoutMs: 30_000, signal },
      });
    }
    return stack;
  }

  async function tryOut(fault: FaultCase, round: number, report: Report): Promise<CaseReport> {
    const stack = await arrange(fault, report);
    const load = new Load(url, profile.asks, connections);
    const scene = new Scene(stack, profile, load, url, report, signal);
    try {
      await scene.servers();
      await scene.hold(baseline);
      await sharesEvenly(scene, 0);
      const fromMs = load.now();
      await fault.run(scene);
      const toMs = load.now();
      report("recovering");
      const evenMs = await sharesEvenly(scene, toMs);
      await scene.until(`${fewestRequests} requests`, () => load.samples.length >= fewestRequests);
      // A little of what is well again, to be seen on the timeline
      await scene.hold(baseline);
      await load.stop();
      const target = targetOf(fault);
      return summarize(scene, { fault, target, round, fromMs, toMs, evenMs });
    } finally {
      await load.stop();
    }
  }

  /** Waits until the servers share evenly; gives up after a while, as the load must end once. */
  async function sharesEvenly(scene: Scene, fromMs: number): Promise<number | undefined> {
    const { samples } = scene.load;
    if (!samples.some(({ server }) => server !== undefined)) {
      await scene.hold(aftermath);
      return undefined;
    }
    // All that there should be: one that did not return is missing, not excused
    const expected = (await scene.servers()).map(({ id }) => id.slice(0, 12));
    if (expected.length < serverCount) return undefined;
    let even: number | undefined;
    const end = scene.load.now() + mostRecovery * 1_000;
    await scene.until("even shares", () => {
      even = evenFrom(samples, fromMs, expected);
      return even !== undefined || scene.load.now() > end;
    });
    return even;
  }

  async function close(): Promise<void> {
    // Compose 2.26 waits in vain for a container that is paused
    for (const { id, state } of await listContainers(plain)) {
      if (state === "paused") await attempt("docker", ["unpause", id], { detached: true });
    }
    await takeDown(plain, ["--volumes", "--timeout=2"]);
    await removeImages();
    await rm(scratch, { recursive: true, force: true });
  }

  /** Those with a name of the lab's, and those that lost it to a newer version. */
  async function removeImages(): Promise<void> {
    const nameOrId = '{{if eq .Repository "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}';
    const listed = await attempt(
      "docker",
      ["image", "ls", `--format=${nameOrId}`, `--filter=label=${labLabel}=${project}`],
      { detached: true },
    );
    // An image may have other names too, which are not ours to take
    const isOwn = (name: string): boolean => name.startsWith(project) || !name.includes(":");
    const own = listed.stdout.split("\n").filter((name) => name !== "" && isOwn(name));
    if (own.length > 0) await attempt("docker", ["image", "rm", ...own], { detached: true });
  }

  return { build, tryOut, close };
}

/** On every image of a lab: its name. */
const labLabel = "softy-pinko.lab";

/**
 * Gives the images names of the lab's own: those of the course stay what they are. Each gets a label
 * from the environment, so that there can be a new version of it.
 */
function imagesFile({ built }: Profile, project: string): string {
  const labels = { [labLabel]: project, version: `\${${versionVariable}:-1}` };
  const services = built.map((name) => [name, { image: `${project}-${name}`, build: { labels } }]);
  return JSON.stringify({ services: Object.fromEntries(services) });
}

interface Config {
  services: Record<string, { networks?: Record<string, unknown> }>;
}

/** A server of the stack's own, with all its limits, that answers to the same name. */
async function faultyFile(
  { name, servers }: Profile,
  project: string,
  stack: Stack,
): Promise<string> {
  const config = JSON.parse(await compose(stack, ["config", "--format=json"])) as Config;
  const networks = Object.keys(config.services[servers.service]?.networks ?? { default: null });
  const service = {
    extends: { file: path.join(root, name, "docker-compose.yml"), service: servers.service },
    image: `${project}-${faultyService}`,
    build: {
      context: path.join(__dirname, faultyService),
      args: { SERVER: `${project}-${servers.service}` },
    },
    command: ["node", "--import=/misbehave.mts", ...servers.command],
    // Its value is the environment's
    environment: ["FAULT"],
    networks: Object.fromEntries(
      networks.map((network) => [network, { aliases: [servers.service] }]),
    ),
  };
  return JSON.stringify({ services: { [faultyService]: service } });
}
