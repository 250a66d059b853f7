import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Answer, fetchAnswer } from "../../lib/http";
import { findDirectives } from "../../lib/nginx-conf";
import { attempt } from "../../lib/run";
import { waitUntil } from "../../lib/wait";
import { explainFailedBuild, explainStoppedBuild } from "../build";
import type { Build } from "../compose-model";
import { neutralize } from "../dockerfile-syntax";
import { dockerfileOf } from "../external-files";
import { bareEnvironment, isolate } from "../isolate";
import { type Check, type Finding, failed, skipped } from "../point";
import { readText } from "../repository";
import { isReachableAt } from "../sandbox";
import { locateInProgram, type Role, type Subject, shown, type Up } from "../subject";
import { findProxyConf, readConf } from "./conf";
import { judgePage } from "./front-end";
import { errorIn, judgeHello } from "./images";
import { addressOf, composeArgs, containersOf, locate, ports, serversIn, stackOf } from "./service";

type StackCheck = Check<Subject>;

/** The images build and the stack starts (spec, tasks 4 to 6). */
export function comesUp(roles: readonly Role[]): StackCheck {
  return {
    id: "up",
    isLive: true,
    title: "docker-compose up builds and starts every service",
    needs: [
      ...["safe", "services", "dockerfile", "front-end-dockerfile", "front-end-base", "conf"],
      ...(roles.includes("proxy") ? ["proxy-dockerfile", "proxy-base", "proxy-paths"] : []),
      ...(roles.includes("proxy") ? ["upstreams"] : []),
    ],
    judge: async (subject) => {
      const { sandbox } = subject;
      const { model, services, file: own } = stackOf(subject);
      const project = `${sandbox.prefix}-${subject.folder.task}`;
      const scratch = await mkdtemp(path.join(tmpdir(), `${project}-`));
      const file = path.join(scratch, "docker-compose.json");
      await writeFile(file, JSON.stringify(isolate(model, project)));
      const stack = { project, file };
      stackOf(subject).up = stack;
      const options = {
        // Not in the graded folder: Compose would obey its .env
        cwd: scratch,
        env: bareEnvironment(),
        signal: sandbox.signal,
        maxOutputBytes: 4_000_000,
        onLine: sandbox.report.detail,
      };
      for (const { build } of Object.values(model.services)) {
        if (build !== undefined && build.dockerfile_inline === undefined) await makeSafe(build);
      }
      sandbox.report("building");
      const built = await attempt("docker", [...composeArgs(stack), "build"], {
        ...options,
        timeoutMs: sandbox.buildTimeoutMs,
      });
      sandbox.signal.throwIfAborted();
      if (built.exitCode === undefined)
        return explainStoppedBuild(built.stderr, shown(subject, own));
      if (!built.ok)
        return explainFailedBuild(`${built.stdout}\n${built.stderr}`, shown(subject, own));
      sandbox.report("starting");
      const started = await attempt(
        "docker",
        [...composeArgs(stack), "up", "--detach", "--no-build"],
        {
          ...options,
          timeoutMs: 120_000,
        },
      );
      sandbox.signal.throwIfAborted();
      if (!started.ok) {
        const said = started.stderr.split("\n").filter(Boolean).at(-1) ?? "";
        return failed(said.replaceAll(project, subject.folder.task), "Run docker-compose up.", {
          file: shown(subject, own),
        });
      }
      await untilListening(subject);
      for (const role of roles) {
        const gone = await whyEnded(stack, services[role] ?? "");
        if (gone !== undefined)
          return failed(gone, "Run docker-compose up and read what it says.", {
            file: shown(subject, own),
          });
      }
      return undefined;
    },
  };
}

/** Takes the directives off a Dockerfile in the grader's copy. */
async function makeSafe(build: Build): Promise<void> {
  const file = dockerfileOf(build);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text !== undefined) await writeFile(file, neutralize(text));
}

/** @returns Why a service's container does not run; undefined where it does. */
async function whyEnded(stack: Up, service: string): Promise<string | undefined> {
  const [container] = await containersOf(stack, service);
  if (container === undefined) return `${service} has no container`;
  const state = await attempt("docker", ["inspect", "--format={{.State.Status}}", container]);
  if (state.stdout === "running") return undefined;
  const said = await errorIn(container);
  return `${service} ends at once: ${said || "it printed nothing"}`;
}

/** Waits until every API server listens somewhere or has ended: until then the proxy fails. */
export async function untilListening(subject: Subject): Promise<void> {
  const stack = subject.stack?.up;
  if (stack === undefined) return;
  const name = stackOf(subject).services["back-end"] ?? "";
  for (const container of await containersOf(stack, name)) {
    await waitUntil(
      async () => {
        const state = ["inspect", "--format={{.State.Running}}", container];
        if ((await attempt("docker", state)).stdout !== "true") return true;
        return (await serversIn(container, `${stack.project}-${name}`)).length > 0;
      },
      { for: "the API to listen", timeoutMs: 20_000, signal: subject.sandbox.signal },
    ).catch(() => subject.sandbox.signal.throwIfAborted());
  }
}

/** Asks through a published port, until the service is up. */
export async function askUntilServed(
  subject: Subject,
  url: string,
  isServed: (answer: Answer) => boolean,
): Promise<Answer> {
  let answer = await fetchAnswer(url);
  await waitUntil(
    async () => {
      answer = await fetchAnswer(url);
      return isServed(answer);
    },
    { for: "an answer", timeoutMs: 5_000, signal: subject.sandbox.signal },
  ).catch(() => subject.sandbox.signal.throwIfAborted());
  return answer;
}

/** The API answers through a service's port on the host (spec, tasks 4 to 6). */
export function answersHello(through: Role): StackCheck {
  return {
    id: "hello",
    isLive: true,
    title: `GET /api/hello answers Hello, World! through the ${through}'s port`,
    needs: ["up", "ports"],
    judge: async (subject) => {
      const address = await addressOf(subject, through);
      const at = locate(subject, "services", stackOf(subject).services[through] ?? "", "ports");
      if (address === undefined) return failed("its port leads nowhere", "See ports.", at);
      const { status, body, error } = await askUntilServed(
        subject,
        `${address}/api/hello`,
        ({ status }) => status !== undefined && status < 500,
      );
      if (status === undefined) return whyNobodyListens(subject, through, error);
      if (through === "proxy" && isGatewayError(status)) {
        return whyNoUpstream(subject, "back-end", status);
      }
      return judgeHello(status, body, locateInProgram(subject, /Hello|\/hello/i));
    },
  };
}

/** The site answers through a service's port on the host (spec, tasks 4 to 6). */
export function answersPage(through: Role): StackCheck {
  return {
    id: "page",
    isLive: true,
    title: `GET / answers with the front page through the ${through}'s port`,
    needs: ["up", "ports", "site"],
    judge: async (subject) => {
      const address = await addressOf(subject, through);
      const at = locate(subject, "services", stackOf(subject).services[through] ?? "", "ports");
      if (address === undefined) return failed("its port leads nowhere", "See ports.", at);
      const { status, body, error } = await askUntilServed(
        subject,
        `${address}/`,
        ({ status }) => status !== undefined && status < 500,
      );
      if (status === undefined) {
        // Through the proxy, that is why there is no API either
        return through === "proxy"
          ? skipped("needs: an answer of the proxy")
          : whyNobodyListens(subject, through, error);
      }
      return through === "proxy" && isGatewayError(status)
        ? whyNoUpstream(subject, "front-end", status)
        : judgePage(subject, status, body);
    },
  };
}

const isGatewayError = (status: number): boolean => [502, 503, 504].includes(status);

/** Why nginx has no answer of a server behind it: its conf and that server do not agree. */
async function whyNoUpstream(subject: Subject, role: Role, status: number): Promise<Finding> {
  const stack = subject.stack?.up;
  const name = stackOf(subject).services[role] ?? "";
  const [container = ""] = stack === undefined ? [] : await containersOf(stack, name);
  const ended = stack === undefined ? undefined : await whyEnded(stack, name);
  const place = shown(subject, subject.contexts[role] ?? role);
  if (ended !== undefined) {
    return failed(`it answers ${status}: ${ended}`, "Read docker-compose logs.", { file: place });
  }
  const found = await serversIn(container, `${stack?.project}-${name}`);
  const asked = portAskedFor(subject, name);
  if (asked === undefined || found.some(isReachableAt(asked.port))) {
    return failed(`it answers ${status}`, "Read docker-compose logs.", { file: place });
  }
  if (found.some(({ port }) => port === asked.port)) {
    const cause = `it answers ${status}: ${name} listens on 127.0.0.1:${asked.port}, which only its own container can reach`;
    const where =
      role === "back-end" ? locateInProgram(subject, /127\.0\.0\.1|localhost/) : { file: place };
    return failed(cause, "Listen on 0.0.0.0.", where);
  }
  const others = [...new Set(found.map(({ port }) => port))].join(", ") || "no port";
  const cause = `it answers ${status}: nothing listens on ${asked.port} in ${name}'s container; it listens on ${others}`;
  const hint = `The text has port ${ports[role]}, in the server and in proxy.conf.`;
  return failed(cause, hint, { file: asked.file, line: asked.line });
}

/** The port at which the proxy's conf asks a service. */
function portAskedFor(
  subject: Subject,
  service: string,
): { port: number; file: string; line: number } | undefined {
  const conf = findProxyConf(subject);
  const file = shown(subject, conf ?? "");
  const read = readConf(readText(subject.folder, conf ?? "") ?? "", file);
  if ("verdict" in read) return undefined;
  for (const name of ["server", "proxy_pass"]) {
    for (const { args, line } of findDirectives(read.directives, name)) {
      const [, host, port = "80"] =
        /^(?:https?:\/\/)?([^:/]+)(?::(\d+))?/.exec(args[0] ?? "") ?? [];
      if (host === service) return { port: Number(port), file, line };
    }
  }
  return undefined;
}

async function whyNobodyListens(
  subject: Subject,
  role: Role,
  error: string | undefined,
): Promise<Finding> {
  const stack = subject.stack?.up;
  const name = stackOf(subject).services[role] ?? "";
  const at = locate(subject, "services", name, "ports");
  const [container] = stack === undefined ? [] : await containersOf(stack, name);
  const image = `${stack?.project}-${name}`;
  const ended = stack === undefined ? undefined : await whyEnded(stack, name);
  if (ended !== undefined) return failed(ended, "Read docker-compose logs.", at);
  const found = container === undefined ? [] : await serversIn(container, image);
  const own = found.map(({ port }) => port);
  if (found.some(isReachableAt(ports[role]))) {
    const cause = `${name} listens on ${ports[role]}, but does not respond: ${error ?? "no response"}`;
    return failed(cause, "Read docker-compose logs.", at);
  }
  const cause =
    own.length === 0
      ? `nothing listens in ${name}'s container (${error ?? "no answer"})`
      : `nothing listens on ${ports[role]} in ${name}'s container; it listens on ${[...new Set(own)].join(", ")}`;
  return failed(cause, `Let it listen on ${ports[role]}.`, at);
}

/** Ends a stack and removes its scratch folder. Comes to its end even after Ctrl-C. */
export async function takeDownStack(subject: Subject): Promise<void> {
  const stack = subject.stack?.up;
  if (stack === undefined) return;
  await attempt(
    "docker",
    [...composeArgs(stack), "down", "--volumes", "--remove-orphans", "--timeout=2"],
    { detached: true },
  );
  await rm(path.dirname(stack.file), { recursive: true, force: true });
}
