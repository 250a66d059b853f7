import { argv } from "../../lib/argv";
import type { Container } from "../../lib/compose";
import { type Answer, fetchAnswer } from "../../lib/http";
import { lastLine } from "../../lib/lines";
import { attempt } from "../../lib/run";
import { waitUntil } from "../../lib/wait";
import { hasStack, type Ids, perSubject, ports, rolesOf, runs } from "../check";
import { deviate, fail, type Place, raise } from "../point";
import { errorIn, listenersOf, publishedAt, start } from "../sandbox";
import { compose, containersOf, type Project, prepareProject, untilListening } from "../stack";
import type { Role, Subject } from "../subject";
import type { PointId } from "../titles";
import { ask, engineFailed, requireEngine, wasStopped } from "../trouble";
import { composeFileOf } from "./compose";
import { imageOf } from "./images";

/** A stack that has been started. */
interface Stack {
  project: Project;
  containers: readonly Container[];
}

/** The task's stack, built and started. */
export const stackOf = perSubject(async (subject): Promise<Stack> => {
  const { sandbox, folder } = subject;
  const composeFile = await composeFileOf(subject);
  const place = subject.at(composeFile.name);
  const project = await prepareProject(subject, composeFile.model);
  sandbox.report("starting");
  const { containers, error } = await startStack(subject, project);
  if (error !== undefined) {
    fail(error.replaceAll(project.name, folder.task), "Run docker-compose up.", place);
  }
  for (const { name } of rolesOf(subject).map((role) => composeFile.service(role))) {
    const container = containers.find(({ service }) => service === name);
    if (container?.state === "running") continue;
    const exit = container && `exits at once: ${await errorIn(container.id)}`;
    const hint = "Run docker-compose up and read its output.";
    fail(`${name} ${exit ?? "has no container"}`, hint, place);
  }
  return { project, containers };
});

/**
 * Starts a stack, and waits until its API listens.
 * @param args Further arguments for `up`.
 * @returns The stack, and the last line of Compose's output if it failed.
 */
export async function startStack(
  subject: Subject,
  project: Project,
  args: readonly string[] = [],
): Promise<Stack & { error: string | undefined }> {
  const up = ["up", "--detach", "--no-build", ...args];
  const outcome = await compose(project, up, 120_000);
  requireEngine(outcome);
  const { ok, stderr } = outcome;
  const api = (await composeFileOf(subject)).service("back-end").name;
  const replicas = ok ? await containersOf(project, api) : [];
  const ids = replicas.map(({ id }) => id);
  await untilListening(ids, subject.sandbox.signal);
  const containers = await containersOf(project);
  const error = ok ? undefined : lastLine(stderr);
  return { project, containers, error };
}

export const comesUp = (needs: Ids) =>
  runs("up", ["safe", "services", ...needs], async (subject) => {
    await stackOf(subject);
  });

/** A container that runs a role's program. */
export interface Server {
  role: Role;
  /** Its service, in a stack. */
  service?: string;
  container: string;
  /** The port on which it should listen in its container. */
  port: number;
  /** Where that port is on loopback, if it is published. */
  url: string | undefined;
}

/** The server of each role: from task4 on the stack's, before that a container of its own. */
export const serverOf = perSubject(async (subject, role: Role): Promise<Server> => {
  if (hasStack(subject)) return serverIn(subject, await stackOf(subject), role);
  const image = await imageOf(subject, role);
  const listens = subject.listens(role).map(({ port }) => port);
  const port = listens.includes(ports[role]) ? ports[role] : (listens[0] ?? ports[role]);
  const name = `${subject.folder.task}-${role}-container`;
  const { container, url } = await start(subject.sandbox, name, image, port);
  return { role, container, port, url };
});

/** Finds a role's server in a stack. */
export async function serverIn(subject: Subject, stack: Stack, role: Role): Promise<Server> {
  const composeFile = await composeFileOf(subject);
  const { name: service } = composeFile.service(role);
  const port = composeFile.portOf(role);
  const container = stack.containers.find((candidate) => candidate.service === service)?.id ?? "";
  return { role, service, container, port, url: await publishedAt(container, port) };
}

/**
 * Sends requests for up to 5 s until the server is ready, and again once it listens.
 * @returns The last response.
 */
export async function request(subject: Subject, server: Server, path: string): Promise<Answer> {
  const { signal } = subject.sandbox;
  const url = `${server.url}${path}`;
  let response = await fetchAnswer(url);
  const isReady = async (): Promise<boolean> => {
    if (response.status !== undefined && response.status < 500) return true;
    response = await fetchAnswer(url);
    return false;
  };
  const wait = { for: "a response", timeoutMs: 5_000, signal };
  await waitUntil(isReady, wait).catch(() => signal.throwIfAborted());
  if (response.status !== undefined) return response;
  await untilListening([server.container], signal);
  return fetchAnswer(url);
}

export const isReachable = (id: PointId, role: Role, needs: Ids) =>
  runs(id, needs, async (subject) => {
    const server = await serverOf(subject, role);
    const path = role === "back-end" ? "/api/hello" : "/";
    const { status, error } = await request(subject, server, path);
    if (status === undefined) await explainSilence(subject, server, { error });
    if (server.port === ports[role]) return;
    const hint = `The text recommends ${ports[role]}.`;
    deviate(`it listens on port ${server.port}`, hint, subject.listens(role)[0]?.place);
  });

/**
 * Explains why a server does not respond: its program has exited, it listens on another port or on an
 * address that only its own container can reach, or it hangs.
 * @param options The port on which it should listen, the error of the request, the beginning of the
 *   cause, and the place that has a wrong port (by default the program).
 * @throws {Judgement}
 */
export async function explainSilence(
  subject: Subject,
  server: Server,
  options: { port?: number; error?: string | undefined; prefix?: string; portPlace?: Place },
): Promise<never> {
  const { port = server.port, error = "no response", prefix = "", portPlace } = options;
  const { role, service, container } = server;
  const place = subject.at(subject.contexts[role]);
  const readLog = service ? "Read docker-compose logs." : "Run it by hand and read its output.";
  const listeners = (await listenersOf(container)) ?? [];
  if (listeners.length === 0) {
    const message = await errorIn(container);
    const inConf = /\[emerg\] [\d#: ]*(.*) in \/etc\/nginx\/conf\.d\/\S+:(\d+)$/.exec(message);
    if (inConf !== null && role !== "back-end") {
      const conf = subject.at(subject.conf(role).file, Number(inConf[2]));
      fail(`nginx does not start: ${inConf[1]}`, "See nginx's documentation.", conf);
    }
    const owner = service ? `${service}'s` : "the";
    fail(`${prefix}nothing listens in ${owner} container: ${message}`, readLog, place);
  }
  const atCode = (pattern: RegExp): Place =>
    role === "back-end" ? subject.atProgram(pattern) : place;
  const atPort = listeners.filter((listener) => listener.port === port);
  const it = `${prefix}${service ?? "it"} listens on`;
  if (atPort.some(({ isLoopback }) => !isLoopback)) {
    fail(`${it} port ${port}, but does not respond: ${error}`, readLog, place);
  }
  if (atPort.length > 0) {
    const cause = `${it} 127.0.0.1:${port}, which only its own container can reach`;
    fail(cause, "Listen on 0.0.0.0.", atCode(/127\.0\.0\.1|localhost/));
  }
  const others = [...new Set(listeners.map((listener) => listener.port))];
  const code = portPlace ?? atCode(new RegExp(`\\b${others[0]}\\b`));
  const hint = `The text has port ${ports[role]}, in the server and in proxy.conf.`;
  fail(`${it} port ${others.join(", ")}, not ${port}`, hint, code);
}

export const endsOnInterrupt = runs("interrupt", ["port"], async (subject) => {
  const { container } = await serverOf(subject, "back-end");
  await ask(argv`kill --signal=SIGINT ${container}`);
  const ended = await attempt("docker", ["wait", container], { timeoutMs: 5_000 });
  if (ended.ok) return;
  if (!wasStopped(ended)) raise(engineFailed(ended.stderr));
  await attempt("docker", argv`rm --force ${container}`);
  const cause =
    "it still runs after 5 s: PID 1 of a container ignores signals that it does not handle, and a shell does not forward them";
  const hint = 'Write CMD in exec form, CMD ["…"], and handle SIGINT and SIGTERM in the program.';
  deviate(cause, hint, subject.at(subject.contexts["back-end"]));
});
