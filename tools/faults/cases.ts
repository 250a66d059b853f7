import type { Container } from "../lib/compose";
import { UserError } from "../lib/errors";
import { redeploy } from "../lib/redeploy";
import type { Ability, Profile } from "./profiles";
import type { Target } from "./report";
import { type Scene, shortName, versionVariable } from "./scene";

/** A fault, or one way of it. */
export interface FaultCase {
  /** A fault with several cases has a colon in each: `crash:500`. */
  name: string;
  /** What is done, in a sentence. */
  about: string;
  /** How the faulty server misbehaves, where the third server is one; see faulty-server. */
  faulty?: "slow" | "error" | "reset" | "memory";
  /** What the stack must have. */
  needs?: Ability;
  target?: Partial<Target>;
  /** Brings it about, leaves it for a while, and restores. */
  run(scene: Scene): Promise<void>;
}

/** Seconds: long enough for a look-up of DNS and for every server's turn many times. */
const whileDown = 2;

/** Those of the servers that a fault is about, by how many. */
async function some(scene: Scene, count: number): Promise<Container[]> {
  const servers = await scene.servers();
  return servers.slice(-count);
}

const namesOf = (servers: readonly Container[]): string => servers.map(shortName).join(" and ");
const idsOf = (servers: readonly Container[]): string[] => servers.map(({ id }) => id);

/** Ends servers in some way and starts them again. */
async function downAndUp(
  scene: Scene,
  count: number,
  verb: string,
  end: readonly string[],
): Promise<void> {
  const servers = await some(scene, count);
  scene.say(`${verb} ${namesOf(servers)}`);
  await scene.docker(...end, ...idsOf(servers));
  await scene.hold(whileDown);
  scene.say(`start ${namesOf(servers)}`);
  await scene.docker("start", ...idsOf(servers));
}

/** Not `docker kill --signal`: after it, Docker takes a container's end for wanted. */
async function toggle(scene: Scene, id: string): Promise<void> {
  await scene.docker("exec", id, "sh", "-c", "kill -USR2 1");
}

/** Has the faulty server misbehave for some seconds. */
async function misbehave(scene: Scene, how: string): Promise<void> {
  const [server] = await some(scene, 1);
  if (server === undefined) return;
  scene.say(`${shortName(server)} ${how}`);
  await toggle(scene, server.id);
  await scene.hold(4);
  scene.say("as before");
  await toggle(scene, server.id);
}

async function restartAll(scene: Scene, waiting: boolean): Promise<void> {
  for (const server of await scene.servers()) {
    scene.say(`restart ${shortName(server)}`);
    await scene.docker("restart", server.id);
    if (waiting) await scene.untilHealthy(server.id);
  }
}

async function cut(scene: Scene): Promise<void> {
  const [server] = await some(scene, 1);
  if (server === undefined) return;
  const settings = "{{json .NetworkSettings.Networks}}";
  const networks = Object.entries(
    JSON.parse(await scene.docker("inspect", `--format=${settings}`, server.id)) as Record<
      string,
      { Aliases: string[] | null }
    >,
  );
  scene.say(`cut ${shortName(server)} off`);
  for (const [network] of networks) {
    await scene.docker("network", "disconnect", network, server.id);
  }
  await scene.hold(3);
  scene.say(`join ${shortName(server)} again`);
  for (const [network, { Aliases }] of networks) {
    const aliases = (Aliases ?? []).map((alias) => `--alias=${alias}`);
    await scene.docker("network", "connect", ...aliases, network, server.id);
  }
}

async function rescale(scene: Scene): Promise<void> {
  for (const count of [6, 1, 3]) {
    scene.say(`${count} server${count === 1 ? "" : "s"}`);
    await scene.compose(
      ...["up", "--detach", "--no-recreate", "--no-build", "--wait"],
      ...["--scale", `${scene.profile.servers.service}=${count}`],
    );
    if (count !== 3) await scene.hold(whileDown);
  }
}

/** By the means of `npm run redeploy`. */
async function replaceAll(scene: Scene): Promise<void> {
  const { stack, profile, url, signal, report } = scene;
  const say = Object.assign((line: string) => scene.say(line), { detail: report.detail });
  await redeploy(
    { ...stack, env: { ...stack.env, [versionVariable]: new Date().toISOString() } },
    { service: profile.servers.service, url: `${url}/api/hello`, signal, report: say },
  );
  await scene.servers();
}

async function killFrontEnd(scene: Scene): Promise<void> {
  const { id } = await scene.container(scene.profile.pages ?? "");
  const close = scene.mayTurnAway("page");
  scene.say("kill front-end");
  await scene.docker("kill", id);
  await scene.hold(whileDown);
  scene.say("start front-end");
  await scene.docker("start", id);
  await scene.untilHealthy(id);
  close(3);
}

async function reloadProxy(scene: Scene): Promise<void> {
  const { id } = await scene.container(scene.profile.proxy.service);
  for (let time = 0; time < 5; time += 1) {
    scene.say("reload");
    await scene.docker("exec", id, "nginx", "-s", "reload");
    await scene.hold(0.7);
  }
}

/** Restarts of a container by its own policy; `docker start` does not count. */
const restarts = async (scene: Scene, id: string): Promise<number> =>
  Number(await scene.docker("inspect", "--format={{.RestartCount}}", id));

async function runIntoLimit(scene: Scene): Promise<void> {
  const [server] = await some(scene, 1);
  if (server === undefined) return;
  const before = await restarts(scene, server.id);
  scene.say(`${shortName(server)} eats memory`);
  await toggle(scene, server.id);
  await scene.until(
    "the kernel to kill it and Docker to start it again",
    async () => (await restarts(scene, server.id)) > before,
  );
  scene.say("killed and started again");
  await scene.untilHealthy(server.id);
}

async function stopAll(scene: Scene): Promise<void> {
  const servers = await scene.servers();
  const [first, ...others] = idsOf(servers);
  if (first === undefined) return;
  const close = scene.mayTurnAway("api");
  scene.say("stop every server");
  await scene.docker("stop", first, ...others);
  await scene.hold(whileDown);
  scene.say("start the first");
  await scene.docker("start", first);
  close(3);
  const fromMs = scene.load.now();
  await scene.until(
    "an API answer",
    () =>
      scene.load.samples.some(
        ({ ask, outcome, startMs }) =>
          startMs >= fromMs && ask.kind === "api" && outcome === "served",
      ),
    10,
  );
  scene.servedAgainS = (scene.load.now() - fromMs) / 1_000;
  scene.say("served again");
  await scene.docker("start", ...others);
}

/** Every case, in the order in which they are tried. */
export const cases: readonly FaultCase[] = [
  {
    name: "kill",
    about: "one server is killed (SIGKILL), and started again after 2 s",
    run: (scene) => downAndUp(scene, 1, "kill", ["kill"]),
  },
  {
    name: "stop",
    about: "one server is stopped (SIGTERM), and started again after 2 s",
    run: (scene) => downAndUp(scene, 1, "stop", ["stop"]),
  },
  {
    name: "kill-two",
    about: "two servers of three are killed at once, and started again after 2 s",
    run: (scene) => downAndUp(scene, 2, "kill", ["kill"]),
  },
  {
    name: "hang",
    about: "one server hangs (docker pause) for 5 s",
    target: { worstMs: 1_100 },
    run: async (scene) => {
      const servers = await some(scene, 1);
      scene.say(`pause ${namesOf(servers)}`);
      await scene.docker("pause", ...idsOf(servers));
      await scene.hold(5);
      scene.say(`unpause ${namesOf(servers)}`);
      await scene.docker("unpause", ...idsOf(servers));
    },
  },
  {
    name: "slow",
    about: "one server takes 500 ms for each answer, for 4 s",
    faulty: "slow",
    run: (scene) => misbehave(scene, "answers after 500 ms"),
  },
  {
    name: "cut",
    about: "one server is cut from the network for 3 s",
    target: { worstMs: 1_100 },
    run: cut,
  },
  {
    name: "crash:500",
    about: "one server answers every request with 500, for 4 s",
    faulty: "error",
    run: (scene) => misbehave(scene, "answers 500"),
  },
  {
    name: "crash:reset",
    about: "one server resets every connection that brings a request, for 4 s",
    faulty: "reset",
    run: (scene) => misbehave(scene, "resets connections"),
  },
  {
    name: "rescale",
    about: "three servers become six, one, and three again",
    run: rescale,
  },
  {
    name: "rolling:waiting",
    about: "every server is restarted in turn, each when the one before is healthy",
    run: (scene) => restartAll(scene, true),
  },
  {
    name: "rolling:at-once",
    about: "every server is restarted in turn, without waiting",
    run: (scene) => restartAll(scene, false),
  },
  {
    name: "redeploy",
    about: "a new version of the image replaces every server, as npm run redeploy does it",
    // It waits until each new server has named itself in a response
    needs: "X-Served-By headers",
    run: replaceAll,
  },
  {
    name: "front-end",
    about: "the front-end is killed, and started again after 2 s; pages may be turned away",
    needs: "error pages",
    run: killFrontEnd,
  },
  {
    name: "proxy-reload",
    about: "the proxy reads its configuration again, five times",
    run: reloadProxy,
  },
  {
    name: "limits",
    about: "one server runs into its memory limit, is killed and returns by itself",
    faulty: "memory",
    needs: "memory limits",
    run: runIntoLimit,
  },
  {
    name: "all-down",
    about: "every server is stopped, and started again after 2 s; API requests are turned away",
    needs: "error pages",
    target: { turnedAwayMs: 1_000, servedAgainS: 3 },
    run: stopAll,
  },
];

const usual: Target = { worstMs: 500, evenS: 3 };

/** @returns What a case should reach. */
export const targetOf = (fault: FaultCase): Target => ({ ...usual, ...fault.target });

/**
 * Picks the cases to try.
 * @param names Of cases, or of faults with all their cases; all cases without any.
 * @throws {UserError} for a name that is none, and for a fault that the stack cannot be asked.
 */
export function chooseCases(names: readonly string[], profile: Profile): FaultCase[] {
  const isPossible = ({ needs }: FaultCase): boolean =>
    needs === undefined || profile.has.includes(needs);
  if (names.length === 0) return cases.filter(isPossible);
  const matches = (name: string) => (one: FaultCase) =>
    one.name === name || one.name.startsWith(`${name}:`);
  for (const name of names) {
    const meant = cases.filter(matches(name));
    if (meant.length === 0) {
      throw new UserError(`no fault "${name}": choose one of those that --list shows.`);
    }
    const missing = meant.find((one) => !isPossible(one))?.needs;
    if (missing !== undefined) {
      throw new UserError(`${profile.name} has no ${missing}: the fault ${name} asks for them.`);
    }
  }
  return cases.filter((one) => names.some((name) => matches(name)(one)));
}
