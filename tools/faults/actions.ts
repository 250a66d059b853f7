import { argv } from "../lib/argv";
import { type Container, compose } from "../lib/compose";
import { redeploy } from "../lib/redeploy";
import { type Experiment, shortName, versionVariable } from "./experiment";
import { isApiResponse } from "./measure";
import { api } from "./stacks";

/** Long enough for a DNS lookup, and for each server to be chosen many times. */
const downS = 2;
const idsOf = (servers: readonly Container[]): string[] => servers.map(({ id }) => id);

/** Runs a `docker` command on the last few servers, and another after some seconds. */
export async function doAndUndo(
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

export async function misbehave(experiment: Experiment, how: string): Promise<void> {
  const server = await experiment.lastServer();
  await experiment.docker(toggle(server), `${shortName(server)} ${how}`);
  await experiment.hold(4);
  await experiment.docker(toggle(server), `${shortName(server)} recovers`);
}

export async function restartAll(experiment: Experiment, waits: boolean): Promise<void> {
  for (const server of await experiment.servers()) {
    await experiment.docker(argv`restart ${server.id}`, `restart ${shortName(server)}`);
    if (waits) await experiment.waitForHealthy(server.id);
  }
}

export async function disconnect(experiment: Experiment): Promise<void> {
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

export async function rescale(experiment: Experiment): Promise<void> {
  const { stack, signal, report } = experiment;
  for (const count of [6, 1, 3]) {
    experiment.mark(`${count} server${count === 1 ? "" : "s"}`);
    const args = argv`up --detach --no-recreate --no-build --wait --scale=${api.service}=${count}`;
    await compose(stack, args, { signal, onLine: report.detail });
    await experiment.servers();
    if (count !== 3) await experiment.hold(downS);
  }
}

export async function replaceAll(experiment: Experiment): Promise<void> {
  const { stack, load, signal } = experiment;
  const mark = (line: string): void => experiment.mark(line);
  const report = Object.assign(mark, { detail: experiment.report.detail });
  const env = { ...stack.env, [versionVariable]: new Date().toISOString() };
  const url = `${load.origin}/api/hello`;
  await redeploy({ ...stack, env }, { service: api.service, url, signal, report });
  await experiment.servers();
}

export async function killFrontEnd(experiment: Experiment): Promise<void> {
  const frontEnd = `${experiment.stack.project}-front-end-1`;
  experiment.allowRejections("page");
  await experiment.docker(argv`kill ${frontEnd}`, "kill front-end");
  await experiment.hold(downS);
  await experiment.docker(argv`start ${frontEnd}`, "start front-end");
  await experiment.waitForHealthy(frontEnd);
  experiment.endRejections();
}

export async function reloadProxy(experiment: Experiment): Promise<void> {
  const reload = argv`exec ${`${experiment.stack.project}-proxy-1`} nginx -s reload`;
  for (let count = 0; count < 5; count += 1) {
    await experiment.docker(reload, "reload");
    await experiment.hold(0.7);
  }
}

export async function runOutOfMemory(experiment: Experiment): Promise<void> {
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

export async function stopAll(experiment: Experiment): Promise<void> {
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
