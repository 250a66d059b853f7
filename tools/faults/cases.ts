import { argv } from "../lib/argv";
import { type Container, compose } from "../lib/compose";
import { UserError } from "../lib/errors";
import { redeploy } from "../lib/redeploy";
import { type Experiment, shortName, versionVariable } from "./experiment";
import { isApiResponse } from "./measure";
import type { Target } from "./report";
import { api, type StackName } from "./stacks";

/** A fault that the lab injects. */
export interface FaultCase {
  name: string;
  /** What is done, in a sentence. */
  about: string;
  /** How the third server misbehaves, if the fault needs a faulty one; see faulty-server. */
  faulty?: "latency" | "error" | "reset" | "memory";
  /** A feature that only production has. */
  needs?: "error pages" | "memory limits" | "X-Served-By headers";
  target?: Partial<Target>;
  /** Injects the fault, keeps it for a while, and restores the stack. */
  run(experiment: Experiment): Promise<void>;
}

/** Long enough for a DNS lookup, and for each server to be chosen many times. */
const downS = 2;
const idsOf = (servers: readonly Container[]): string[] => servers.map(({ id }) => id);

/** Runs a `docker` command on the last few servers, and another after some seconds. */
async function doAndUndo(
  experiment: Experiment,
  count: number,
  [fault, restore]: [string, string],
  seconds = downS,
): Promise<void> {
  const servers = (await experiment.servers()).slice(-count);
  const names = servers.map(shortName).join(" and ");
  await experiment.docker(argv`${fault} ${idsOf(servers)}`, `${fault} ${names}`);
  await experiment.hold(seconds);
  await experiment.docker(argv`${restore} ${idsOf(servers)}`, `${restore} ${names}`);
}

/** Not `docker kill --signal`: Docker would take a later exit for a requested stop. */
const toggle = ({ id }: Container): string[] => argv`exec ${id} sh -c ${"kill -USR2 1"}`;

async function misbehave(experiment: Experiment, how: string): Promise<void> {
  const server = await experiment.lastServer();
  await experiment.docker(toggle(server), `${shortName(server)} ${how}`);
  await experiment.hold(4);
  await experiment.docker(toggle(server), `${shortName(server)} recovers`);
}

async function restartAll(experiment: Experiment, waits: boolean): Promise<void> {
  for (const server of await experiment.servers()) {
    await experiment.docker(argv`restart ${server.id}`, `restart ${shortName(server)}`);
    if (waits) await experiment.waitForHealthy(server.id);
  }
}

async function disconnect(experiment: Experiment): Promise<void> {
  const server = await experiment.lastServer();
  const format = "{{range $name, $network := .NetworkSettings.Networks}}{{$name}}{{end}}";
  const network = await experiment.docker(argv`inspect --format=${format} ${server.id}`);
  const connection = [network, server.id];
  const name = shortName(server);
  await experiment.docker(argv`network disconnect ${connection}`, `disconnect ${name}`);
  await experiment.hold(3);
  const connect = argv`network connect --alias=${api.service} ${connection}`;
  await experiment.docker(connect, `connect ${name}`);
}

async function rescale(experiment: Experiment): Promise<void> {
  const { stack, signal, report } = experiment;
  for (const count of [6, 1, 3]) {
    experiment.mark(`${count} server${count === 1 ? "" : "s"}`);
    const args = argv`up --detach --no-recreate --no-build --wait --scale=${api.service}=${count}`;
    await compose(stack, args, { signal, onLine: report.detail });
    await experiment.servers();
    if (count !== 3) await experiment.hold(downS);
  }
}

async function replaceAll(experiment: Experiment): Promise<void> {
  const { stack, origin, signal } = experiment;
  const mark = (line: string): void => experiment.mark(line);
  const report = Object.assign(mark, { detail: experiment.report.detail });
  const env = { ...stack.env, [versionVariable]: new Date().toISOString() };
  const url = `${origin}/api/hello`;
  await redeploy({ ...stack, env }, { service: api.service, url, signal, report });
  await experiment.servers();
}

async function killFrontEnd(experiment: Experiment): Promise<void> {
  const frontEnd = `${experiment.stack.project}-front-end-1`;
  experiment.allowRejections("page");
  await experiment.docker(argv`kill ${frontEnd}`, "kill front-end");
  await experiment.hold(downS);
  await experiment.docker(argv`start ${frontEnd}`, "start front-end");
  await experiment.waitForHealthy(frontEnd);
  experiment.endRejections();
}

async function reloadProxy(experiment: Experiment): Promise<void> {
  const reload = argv`exec ${`${experiment.stack.project}-proxy-1`} nginx -s reload`;
  for (let count = 0; count < 5; count += 1) {
    await experiment.docker(reload, "reload");
    await experiment.hold(0.7);
  }
}

async function runOutOfMemory(experiment: Experiment): Promise<void> {
  const server = await experiment.lastServer();
  // Restarts by the container's restart policy; `docker start` is not counted
  const inspect = argv`inspect --format={{.RestartCount}} ${server.id}`;
  const before = await experiment.docker(inspect);
  await experiment.docker(toggle(server), `${shortName(server)} allocates memory`);
  const isRestarted = async (): Promise<boolean> => (await experiment.docker(inspect)) !== before;
  await experiment.waitFor("the kernel to kill the server and Docker to restart it", isRestarted);
  experiment.mark("killed and restarted");
  await experiment.waitForHealthy(server.id);
}

async function stopAll(experiment: Experiment): Promise<void> {
  const { load } = experiment;
  const [first = "", ...others] = idsOf(await experiment.servers());
  experiment.allowRejections("api");
  await experiment.docker(argv`stop ${first} ${others}`, "stop every server");
  await experiment.hold(downS);
  await experiment.docker(argv`start ${first}`, "start the first server");
  const { length } = load.samples;
  const startMs = load.now();
  experiment.endRejections();
  const served = await experiment.waitFor("an API response", () =>
    load.samples.slice(length).find(isApiResponse),
  );
  experiment.servedAgainS = (served.startMs + served.latencyMs - startMs) / 1_000;
  await experiment.docker(argv`start ${others}`, "served again: start the others");
}

/** Every fault, in the order in which they are injected. */
export const cases: readonly FaultCase[] = [
  {
    name: "kill",
    about: "kill one server (SIGKILL), and start it again after 2 s",
    run: (experiment) => doAndUndo(experiment, 1, ["kill", "start"]),
  },
  {
    name: "stop",
    about: "stop one server (SIGTERM), and start it again after 2 s",
    run: (experiment) => doAndUndo(experiment, 1, ["stop", "start"]),
  },
  {
    name: "kill-two",
    about: "kill two of three servers at once, and start them again after 2 s",
    run: (experiment) => doAndUndo(experiment, 2, ["kill", "start"]),
  },
  {
    name: "pause",
    about: "pause one server for 5 s: it accepts connections, but does not respond",
    target: { worstMs: 1_100 },
    run: (experiment) => doAndUndo(experiment, 1, ["pause", "unpause"], 5),
  },
  {
    name: "latency",
    about: "delay each response of one server by 500 ms, for 4 s",
    faulty: "latency",
    run: (experiment) => misbehave(experiment, "delays responses by 500 ms"),
  },
  {
    name: "disconnect",
    about: "disconnect one server from the network for 3 s",
    target: { worstMs: 1_100 },
    run: disconnect,
  },
  {
    name: "http-500",
    about: "have one server respond to every request with status 500, for 4 s",
    faulty: "error",
    run: (experiment) => misbehave(experiment, "responds with 500"),
  },
  {
    name: "reset-peer",
    about: "have one server reset every connection that brings a request, for 4 s",
    faulty: "reset",
    run: (experiment) => misbehave(experiment, "resets connections"),
  },
  {
    name: "rescale",
    about: "scale from three servers to six, to one, and back to three",
    run: rescale,
  },
  {
    name: "rolling-restart",
    about: "restart one server after the other, each when the last one is healthy",
    run: (experiment) => restartAll(experiment, true),
  },
  {
    name: "rolling-no-wait",
    about: "restart one server after the other without waiting for health checks",
    run: (experiment) => restartAll(experiment, false),
  },
  {
    name: "redeploy",
    about: "replace every server by one of a new image, as npm run redeploy does",
    // The redeployment waits until each new server has named itself in a response
    needs: "X-Served-By headers",
    run: replaceAll,
  },
  {
    name: "kill-front-end",
    about: "kill the only front-end, and start it again after 2 s; pages may be rejected",
    needs: "error pages",
    run: killFrontEnd,
  },
  {
    name: "proxy-reload",
    about: "reload the proxy's configuration five times",
    run: reloadProxy,
  },
  {
    name: "out-of-memory",
    about: "have one server exceed its memory limit; Docker restarts it",
    faulty: "memory",
    needs: "memory limits",
    run: runOutOfMemory,
  },
  {
    name: "stop-all",
    about: "stop every server, and start them again after 2 s; API requests may be rejected",
    needs: "error pages",
    target: { turnedAwayMs: 1_000, servedAgainS: 3 },
    run: stopAll,
  },
];

/**
 * Selects the cases to run.
 * @param names All that the stack can run if there are none.
 * @throws {UserError} for a fault that needs more than the stack has.
 */
export function chooseCases(names: readonly string[], stack: StackName): FaultCase[] {
  return cases.filter(({ name, needs }) => {
    const isPossible = needs === undefined || stack === "production";
    const isNamed = names.includes(name);
    if (isNamed && !isPossible) {
      throw new UserError(`${stack} has no ${needs}: run the fault ${name} on production.`);
    }
    return names.length === 0 ? isPossible : isNamed;
  });
}
