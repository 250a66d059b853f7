import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { type Answer, fetchAnswer } from "../../lib/http";
import { findDirectives } from "../../lib/nginx-conf";
import { attempt, run } from "../../lib/run";
import { waitUntil } from "../../lib/wait";
import {
  bareEnvironment,
  type ComposeModel,
  type ComposeService,
  judgeDangers,
  judgeStrayFile,
  tame,
} from "../compose-file";
import { type Check, deviates, type Finding, failed, holds, skipped } from "../point";
import { readText } from "../repository";
import { listenersOf, whyCutOff, whyNotBuilt } from "../sandbox";
import { findCommand, judgeBytes, judgeMeaning, missingCommand } from "../scale-command";
import {
  baseOf,
  copyOf,
  locateInProgram,
  type Role,
  readDockerfile,
  repositoryOf,
  roleOfContext,
  type StackSubject,
  type Subject,
  shown,
  type Up,
} from "../subject";
import { findProxyConf, listensIn, readConf } from "./conf";
import { judgePage } from "./front-end";
import { engineOf, errorIn, judgeHello } from "./images";

type StackCheck = Check<Subject>;

const fileNames = ["docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"];

const confInImage = "/etc/nginx/conf.d/default.conf";

const ports: Record<Role, number> = { "back-end": 5252, "front-end": 9000, proxy: 80 };

function stackOf({ stack }: Subject): StackSubject {
  if (stack === undefined) throw new Error("a check of the stack needs its compose file");
  return stack;
}

/** @returns The port of a role's container that leads to its server. */
function portOf(subject: Subject, role: Role): number {
  const listens = listensIn(subject, role).map(({ port }) => port);
  const own = serviceOf(subject, role).ports?.map(({ target }) => target) ?? [];
  if (listens.length === 0 || listens.includes(ports[role])) return ports[role];
  return own.find((target) => listens.includes(target)) ?? ports[role];
}

const serviceOf = (subject: Subject, role: Role): ComposeService =>
  stackOf(subject).model.services[stackOf(subject).services[role] ?? ""] ?? {};

/** @returns Where a key of the compose file stands. */
function locate(subject: Subject, ...keys: string[]): { file: string; line?: number } {
  const { file, text } = stackOf(subject);
  const lines = new LineCounter();
  let node: unknown = parseDocument(text, { lineCounter: lines, merge: true }).contents;
  let offset: number | undefined;
  for (const key of keys) {
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined;
    if (pair === undefined) break;
    offset = isScalar(pair.key) ? pair.key.range?.[0] : offset;
    node = pair.value;
  }
  const at = shown(subject, file);
  return offset === undefined ? { file: at } : { file: at, line: lines.linePos(offset).line };
}

/** Compose can read the file (spec, task 4). */
export const hasComposeFile: StackCheck = {
  id: "compose",
  title: "docker-compose.yml is a compose file",
  judge: async (subject) => {
    const { folder } = subject;
    const file = fileNames.find((name) => folder.entries.get(name) === "file");
    const wanted = shown(subject, "docker-compose.yml");
    if (file === undefined) {
      return failed("there is no docker-compose.yml", "Create it in this folder.", {
        file: wanted,
      });
    }
    const text = readText(folder, file) ?? "";
    if (subject.sandbox === undefined) return skipped("there is no Docker to read it with");
    const stray = judgeStrayFile(folder.path, file, shown(subject, file));
    if (stray !== undefined) return stray;
    const read = await attempt("docker", ["compose", "-f", file, "config", "--format=json"], {
      cwd: folder.path,
      env: { ...bareEnvironment(), COMPOSE_PROJECT_NAME: "graded" },
      timeoutMs: 30_000,
      maxOutputBytes: 4_000_000,
    });
    const at = { file: shown(subject, file) };
    if (!read.ok) {
      const stray = strayService(text);
      if (stray !== undefined) {
        const cause = `${stray.name}: stands outside services:`;
        return failed(cause, "Indent it as deep as the other services.", {
          ...at,
          line: stray.line,
        });
      }
      const [error] = parseDocument(text).errors;
      const yamlLine = error?.linePos?.[0].line;
      const said = read.stderr.split("\n").filter((line) => !/level=warning/.test(line));
      // Compose names the line where the block began
      const line = yamlLine ?? Number(/\bline (\d+)/.exec(read.stderr)?.[1]);
      const hint = "docker-compose config says the same. In YAML the indentation counts.";
      const cause =
        error === undefined
          ? (said.at(-1)?.replaceAll(`${folder.path}/`, "") ?? "Compose cannot read it")
          : `it is no YAML: ${error.message.split("\n")[0]?.replace(/ at line \d+.*$/, "")}`;
      return failed(cause, hint, { ...at, ...(line > 0 && { line }) });
    }
    const model = JSON.parse(read.stdout) as ComposeModel;
    subject.stack = { file, text, model, services: {} };
    subject.stack.services = findServices(subject, model);
    return file === "docker-compose.yml"
      ? undefined
      : deviates(`it is called ${file}`, "The text has docker-compose.yml.", at);
  },
};

/** @returns A service that was written beside `services:` instead of below it. */
function strayService(text: string): { name: string; line: number } | undefined {
  const lines = new LineCounter();
  const { contents, errors } = parseDocument(text, { lineCounter: lines });
  if (!isMap(contents) || errors.length > 0) return undefined;
  for (const { key, value } of contents.items) {
    if (!isScalar(key) || typeof key.value !== "string" || !isMap(value)) continue;
    if (/^(services|networks|volumes|configs|secrets|x-.*)$/.test(key.value)) continue;
    return { name: key.value, line: lines.linePos(key.range?.[0] ?? 0).line };
  }
  return undefined;
}

/** Tells the services' roles by their names, otherwise by what their images are built from. */
function findServices({ folder }: Subject, model: ComposeModel): StackSubject["services"] {
  const services: StackSubject["services"] = {};
  for (const role of ["back-end", "front-end", "proxy"] as const) {
    if (model.services[role] !== undefined) services[role] = role;
  }
  for (const [name, { build }] of Object.entries(model.services)) {
    if (Object.values(services).includes(name)) continue;
    const context = path.relative(folder.path, build?.context ?? "");
    services[roleOfContext(folder, context)] ??= name;
  }
  return services;
}

/** It asks for nothing that reaches beyond its containers. */
export const isSafe: StackCheck = {
  id: "safe",
  title: "the stack asks for nothing beyond its containers",
  needs: ["compose"],
  judge: (subject) => {
    const { model, file } = stackOf(subject);
    return judgeDangers(model, subject.folder.path, shown(subject, file));
  },
};

/** The services are there, under the text's names (spec, tasks 4 to 6). */
export function hasServices(roles: readonly Role[]): StackCheck {
  return {
    id: "services",
    title: `the services are ${roles.join(", ")}`,
    needs: ["compose"],
    judge: (subject) => {
      const { services, model } = stackOf(subject);
      const known = Object.keys(model.services).join(", ") || "none";
      const missing = roles.find((role) => services[role] === undefined);
      if (missing !== undefined) {
        const cause = `there is no service for the ${missing}; services are ${known}`;
        return failed(
          cause,
          `Add it below services: under the name ${missing}.`,
          locate(subject, "services"),
        );
      }
      const renamed = roles.find((role) => services[role] !== role);
      if (renamed === undefined) return undefined;
      const name = services[renamed] ?? "";
      const hint = `The text's checker expects ${renamed}.`;
      return deviates(`the ${renamed} is called ${name}`, hint, locate(subject, "services", name));
    },
  };
}

/** Each service is built, from a context and a Dockerfile (spec, task 4). */
export function namesBuilds(roles: readonly Role[]): StackCheck {
  return {
    id: "build-keys",
    title: "each service has a build with context and dockerfile",
    needs: ["services"],
    judge: (subject) => {
      const { services, text } = stackOf(subject);
      const written = parseDocument(text, { merge: true }).toJS() as {
        services?: Record<string, { build?: string | { context?: string; dockerfile?: string } }>;
      };
      for (const role of roles) {
        const name = services[role] ?? "";
        const at = locate(subject, "services", name, "build");
        const build = written.services?.[name]?.build;
        if (build === undefined) {
          return failed(`${name} is not built`, "Add build: with context and dockerfile.", at);
        }
        const lacking = ["context", "dockerfile"].filter(
          (key) => typeof build === "string" || !(key in build),
        );
        if (lacking.length > 0) {
          const hint = "The text asks for both keys.";
          return deviates(`${name}'s build has no ${lacking.join(" and no ")}`, hint, at);
        }
      }
      return undefined;
    },
  };
}

/** Each image has a name of its own, which is not a base image's (spec, task 4). */
export function namesImages(roles: readonly Role[]): StackCheck {
  return {
    id: "images",
    title: "each service names the image that it builds",
    needs: ["services"],
    judge: (subject) => {
      const { services } = stackOf(subject);
      for (const role of roles) {
        const name = services[role] ?? "";
        const { image, build } = serviceOf(subject, role);
        const at = locate(subject, "services", name, "image");
        const wanted = `softy-pinko-${role}:${subject.folder.task}`;
        if (image === undefined) {
          return deviates(`${name} has no image`, `Write image: ${wanted}.`, at);
        }
        const base = readDockerfile(subject, role);
        const isBase = ["nginx", "ubuntu", base && repositoryOf(baseOf(base.stages))].includes(
          repositoryOf(image),
        );
        if (build !== undefined && isBase) {
          const cause = `image: ${image} overwrites the base image of that name`;
          return failed(cause, `Write image: ${wanted}.`, at);
        }
        if (image !== wanted)
          return deviates(`${name}'s image is ${image}`, `The text has ${wanted}.`, at);
      }
      return undefined;
    },
  };
}

/** A host port leads to each service that the text publishes, and to no other (spec, tasks 4 to 6). */
export function publishes(roles: readonly Role[]): StackCheck {
  const wanted = roles.map((role) => `${ports[role]}:${ports[role]}`).join(" and ");
  return {
    id: "ports",
    title: `the host's ports are ${wanted}${roles.length === 1 ? ", and no other" : ""}`,
    needs: ["services"],
    judge: (subject) => {
      const { services, model } = stackOf(subject);
      for (const role of roles) {
        const name = services[role] ?? "";
        const own = model.services[name]?.ports ?? [];
        const at = locate(subject, "services", name, "ports");
        const hint = `Write "${ports[role]}:${ports[role]}": the host's port, then the container's.`;
        if (own.length === 0) return failed(`${name} publishes no port`, hint, at);
        const inside = portOf(subject, role);
        const toPort = own.find(({ target }) => target === inside);
        const listens = listensIn(subject, role);
        const list = own
          .map(({ published = "any", target }) => `${published}→${target}`)
          .join(", ");
        const [listen] = listens;
        if (listen !== undefined && !listens.some(({ port }) => port === toPort?.target)) {
          const targets = own.map(({ target }) => target).join(", ");
          const cause = `published ${list}, but nothing listens on ${targets} in the container; nginx listens on ${listen.port} (${listen.file}:${listen.line})`;
          return failed(cause, hint, at);
        }
        if (toPort === undefined) {
          return failed(`${name} publishes ${list}, not ${ports[role]}→${ports[role]}`, hint, at);
        }
        if (inside !== ports[role]) {
          return deviates(`${name} listens on ${inside} in its container`, hint, at);
        }
        if (toPort.published !== String(ports[role])) {
          const cause = `${name} is at ${toPort.published ?? "any free port"} on the host`;
          return deviates(cause, hint, at);
        }
      }
      const open = Object.entries(model.services).find(
        ([name, { ports: own = [] }]) =>
          own.some(({ published }) => published !== undefined) &&
          !roles.some((role) => services[role] === name),
      );
      if (open === undefined) return undefined;
      const [name, { ports: own = [] }] = open;
      const isScaled = subject.folder.task === "task6" && services["back-end"] === name;
      const cause = `${name} publishes ${own.map(({ published }) => published).join(", ")} on the host${isScaled ? ", so a second one cannot start" : ""}`;
      const hint =
        "Only the proxy is to be reached from outside: write the container's port alone, or expose.";
      const at = locate(subject, "services", name, "ports");
      return isScaled ? failed(cause, hint, at) : deviates(cause, hint, at);
    },
  };
}

/** Services start in an order (spec, task 4). */
export function ordersStart(role: Role): StackCheck {
  return {
    id: "order",
    title: `the ${role} starts after what it needs (depends_on)`,
    needs: ["services"],
    judge: (subject) => {
      const { services } = stackOf(subject);
      const name = services[role] ?? "";
      if (Object.keys(serviceOf(subject, role).depends_on ?? {}).length > 0) return undefined;
      const at = locate(subject, "services", name);
      return deviates(`${name} has no depends_on`, "Name the services that it needs.", at);
    },
  };
}

/** Nothing stands in the way of a second API server (spec, task 6). */
export const canScale: StackCheck = {
  id: "scalable",
  title: "nothing forbids a second API server",
  needs: ["services"],
  judge: (subject) => {
    const name = stackOf(subject).services["back-end"] ?? "";
    if (serviceOf(subject, "back-end").container_name === undefined) return undefined;
    const cause = `container_name on ${name} forbids scaling: two containers cannot have one name`;
    return failed(cause, "Remove it.", locate(subject, "services", name, "container_name"));
  },
};

/** The proxy's conf leads to services of the stack (spec, task 5). */
export const routesToServices: StackCheck = {
  id: "upstreams",
  title: "proxy.conf leads only to services of the stack, without cutting the path",
  needs: ["services"],
  judge: (subject) => {
    const { services, model } = stackOf(subject);
    const conf = findProxyConf(subject);
    const file = shown(
      subject,
      conf ?? path.posix.join(subject.contexts.proxy ?? "", "proxy.conf"),
    );
    if (conf === undefined) return failed("there is no proxy.conf", "Create it.", { file });
    const read = readConf(readText(subject.folder, conf) ?? "", file);
    if ("verdict" in read) return read;
    const known = Object.keys(model.services);
    const upstreams = findDirectives(read.directives, "upstream");
    const names = upstreams.map(({ args }) => args[0] ?? "");
    const hosts = [
      ...upstreams.flatMap(({ block = [] }) => block.filter(({ name }) => name === "server")),
      ...findDirectives(read.directives, "proxy_pass"),
    ];
    for (const { name, args, line } of hosts) {
      const target = args[0] ?? "";
      const host = target.replace(/^https?:\/\//, "").replace(/[:/].*$/, "");
      if (host.startsWith("$") || known.includes(host)) continue;
      if (name === "proxy_pass" && names.includes(host)) continue;
      const what = name === "server" ? "upstream" : "proxy_pass";
      const cause = `${what} \`${host}\` is no service here; services are ${known.join(", ")}`;
      return failed(cause, "Use the service's name.", { file, line });
    }
    const api = findDirectives(read.directives, "location").find(({ args }) =>
      /\/api/.test(args.at(-1) ?? ""),
    );
    if (api === undefined) {
      const cause = "no location is for /api, so all goes to the front-end";
      return failed(cause, `Add location /api with proxy_pass to ${services["back-end"]}.`, {
        file,
      });
    }
    const pass = api?.block?.find(({ name }) => name === "proxy_pass");
    const uri = /^https?:\/\/[^/]+(\/.*)$/.exec(pass?.args[0] ?? "")?.[1];
    if (uri !== undefined && !uri.startsWith(api?.args.at(-1)?.replace(/\/$/, "") ?? "/api")) {
      const cause = `\`proxy_pass\` ends in \`${uri}\`, which strips ${api?.args.at(-1)} from the path`;
      return failed(cause, `Write proxy_pass without a path behind ${services["back-end"]}.`, {
        file,
        ...(pass && { line: pass.line }),
      });
    }
    return path.posix.basename(conf) === "proxy.conf"
      ? undefined
      : deviates(`it is called ${path.posix.basename(conf)}`, "The text has proxy.conf.", { file });
  },
};

/** Runs Compose on the tamed stack. */
const composeArgs = ({ project, file }: Up): string[] => [
  ...["compose", "--progress=plain", "--project-name", project, "--file", file],
];

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
      const sandbox = engineOf(subject);
      const { model, services, file: own } = stackOf(subject);
      const project = `${sandbox.prefix}-${subject.folder.task}`;
      const scratch = await mkdtemp(path.join(tmpdir(), `${project}-`));
      const file = path.join(scratch, "docker-compose.json");
      await writeFile(file, JSON.stringify(tame(model, project)));
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
      sandbox.report("building");
      const built = await attempt("docker", [...composeArgs(stack), "build"], {
        ...options,
        timeoutMs: sandbox.buildTimeoutMs,
      });
      sandbox.signal.throwIfAborted();
      if (built.exitCode === undefined) return whyCutOff(built.stderr, shown(subject, own));
      if (!built.ok) return whyNotBuilt(`${built.stdout}\n${built.stderr}`, shown(subject, own));
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

/** @returns Why a service's container does not run; undefined where it does. */
async function whyEnded(stack: Up, service: string): Promise<string | undefined> {
  const [container] = await containersOf(stack, service);
  if (container === undefined) return `${service} has no container`;
  const state = await attempt("docker", ["inspect", "--format={{.State.Status}}", container]);
  if (state.stdout === "running") return undefined;
  const said = await errorIn(container);
  return `${service} ends at once: ${said || "it printed nothing"}`;
}

/** Addresses within a container on which it serves; Docker's own DNS listens on a high port. */
const serversIn = async (container: string, image: string) =>
  (await listenersOf(container, image)).filter(({ port }) => port < 32_768);

/** Waits until every API server listens somewhere or has ended: until then the proxy fails. */
async function untilListening(subject: Subject): Promise<void> {
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
      { for: "the API to listen", timeoutMs: 20_000, signal: engineOf(subject).signal },
    ).catch(() => engineOf(subject).signal.throwIfAborted());
  }
}

/** @returns The ids of a service's containers, all of them or those that run. */
async function containersOf({ project }: Up, service: string): Promise<string[]> {
  const listed = await run("docker", [
    ...["ps", "--all", "--quiet", `--filter=label=com.docker.compose.project=${project}`],
    `--filter=label=com.docker.compose.service=${service}`,
  ]);
  return listed.split("\n").filter(Boolean);
}

/** @returns Where a service's port is on loopback; undefined where it is not published. */
export async function addressOf(subject: Subject, role: Role): Promise<string | undefined> {
  const stack = subject.stack?.up;
  if (stack === undefined) return undefined;
  const [container = ""] = await containersOf(stack, stackOf(subject).services[role] ?? "");
  const published = await attempt("docker", [
    ...["port", container, `${portOf(subject, role)}/tcp`],
  ]);
  const address = published.stdout.split("\n")[0];
  return published.ok && address ? `http://${address}` : undefined;
}

/** Asks through a published port, until the service is up. */
async function askUntilServed(
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
    { for: "an answer", timeoutMs: 5_000, signal: engineOf(subject).signal },
  ).catch(() => engineOf(subject).signal.throwIfAborted());
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
  const listening = found.filter(({ port }) => port === asked?.port);
  if (asked === undefined || listening.some(({ isLoopback }) => !isLoopback)) {
    return failed(`it answers ${status}`, "Read docker-compose logs.", { file: place });
  }
  if (listening.length > 0) {
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

/** The proxy's conf is copied to where nginx reads it (spec, task 5). */
export const copiesProxyConf: StackCheck = {
  id: "proxy-paths",
  title: `proxy.conf is copied to ${confInImage}`,
  needs: ["proxy-dockerfile"],
  judge: (subject) => {
    const name = path.posix.basename(findProxyConf(subject) ?? "proxy.conf");
    const { file = "", text = "" } = readDockerfile(subject, "proxy") ?? {};
    const copy = copyOf(subject, "proxy", name);
    // It may come there in other ways, by a folder or by a template; whether it does is seen later
    if (copy === undefined || copy.to === confInImage) return undefined;
    if (path.posix.basename(copy.to) !== name && copy.to === path.posix.dirname(confInImage)) {
      return undefined;
    }
    const hint = `Write COPY ./${name} ${confInImage}.`;
    const at = { file: shown(subject, file), line: copy.line };
    const isWhole = /^\/etc\/nginx\/(nginx\.conf|templates\/.*)$/.test(copy.to);
    const isBeside = /^\/etc\/nginx\/conf\.d\/[^/]*\.conf$/.test(copy.to);
    if (isWhole || (isBeside && /\brm\b.*default\.conf/.test(text))) {
      return deviates(`${name} is copied to ${copy.to}`, hint, at);
    }
    const cause = isBeside
      ? `${name} is copied to ${copy.to}, but nginx's own default.conf beside it answers first`
      : `${name} is copied to ${copy.to}, where nginx does not read it`;
    return failed(cause, hint, at);
  },
};

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
  const cause =
    own.length === 0
      ? `nothing listens in ${name}'s container (${error ?? "no answer"})`
      : `nothing listens on ${ports[role]} in ${name}'s container; it listens on ${[...new Set(own)].join(", ")}`;
  return failed(cause, `Let it listen on ${ports[role]}.`, at);
}

const textFile = "2-api-servers.txt";
const textOf = ({ folder }: Subject): string | undefined => readText(folder, textFile);

/** `2-api-servers.txt` is there (spec, task 6). */
export const hasCommandFile: StackCheck = {
  id: "command-file",
  title: "2-api-servers.txt is there",
  judge: (subject) =>
    textOf(subject) === undefined ? missingCommand(shown(subject, textFile)) : undefined,
};

/** `2-api-servers.txt` is the text's command, byte by byte (spec, task 6). */
export const hasExactCommand: StackCheck = {
  id: "command-bytes",
  title: "2-api-servers.txt is the exact command and one newline",
  needs: ["command-file", "command-meaning"],
  judge: (subject) => judgeBytes(textOf(subject) ?? "", shown(subject, textFile)),
};

/** What `2-api-servers.txt` says starts two API servers (spec, task 6). */
export const commandMeansTwo: StackCheck = {
  id: "command-meaning",
  title: "the command in 2-api-servers.txt scales the API's service to two",
  needs: ["command-file", "services"],
  judge: (subject) => {
    const { services, model } = stackOf(subject);
    const api = services["back-end"] ?? "back-end";
    const file = shown(subject, textFile);
    return judgeMeaning(textOf(subject) ?? "", api, Object.keys(model.services), file);
  },
};

/** The command does start two (spec, task 6). */
export const commandStartsTwo: StackCheck = {
  id: "two-servers",
  isLive: true,
  title: "run, the command starts two API servers",
  needs: ["command-meaning", "scalable", "ports", "hello"],
  judge: async (subject) => {
    const stack = subject.stack?.up;
    if (stack === undefined) return undefined;
    const { services } = stackOf(subject);
    const scale = Object.entries(findCommand(textOf(subject) ?? "")?.scale ?? {});
    engineOf(subject).report("scaling");
    // As at first, all at once: an nginx without `resolve` asks Docker's DNS only when it starts
    await attempt("docker", [...composeArgs(stack), "down", "--timeout=2"], { detached: true });
    const started = await attempt(
      "docker",
      [
        ...[...composeArgs(stack), "up", "--detach", "--no-build"],
        ...scale.flatMap(([name, replicas]) => ["--scale", `${name}=${Math.min(replicas, 4)}`]),
      ],
      {
        cwd: path.dirname(stack.file),
        env: bareEnvironment(),
        timeoutMs: 120_000,
        maxOutputBytes: 4_000_000,
        signal: engineOf(subject).signal,
      },
    );
    const name = services["back-end"] ?? "";
    await untilListening(subject);
    const containers = await containersOf(stack, name);
    if (started.ok && containers.length >= 2) return undefined;
    const said = started.stderr.split("\n").filter(Boolean).at(-1) ?? "";
    return failed(
      `${containers.length} of ${name} came up: ${said}`,
      "Run the command and read what it says.",
      { file: shown(subject, textFile) },
    );
  },
};

const sample = 40;

/** Every request goes on to the next server (spec, task 6). */
export const takesTurns: StackCheck = {
  id: "turns",
  isLive: true,
  title: `${sample} requests: every one goes to the next API server`,
  needs: ["two-servers"],
  judge: async (subject) => {
    const stack = subject.stack?.up;
    const address = await addressOf(subject, "proxy");
    if (stack === undefined || address === undefined) return undefined;
    const url = `${address}/api/hello`;
    await askUntilServed(subject, url, (answer) => answer.status === 200);
    const containers = await containersOf(stack, stackOf(subject).services["back-end"] ?? "");
    const marker = `turn=${Date.now().toString(36)}`;
    const order: number[] = [];
    let before = await countMarks(containers, marker);
    for (let sent = 1; sent <= sample; sent += 1) {
      const { status } = await fetchAnswer(`${url}?${marker}`);
      if (status !== 200) {
        return failed(
          `request ${sent} of ${sample} is answered ${status ?? "by nobody"}`,
          "Read docker-compose logs.",
          locate(subject, "services"),
        );
      }
      if (sent > 8 && order.length === 8) continue;
      const now = await waitUntil(
        async () => {
          const counts = await countMarks(containers, marker);
          return counts.some((count, index) => count > (before[index] ?? 0)) && counts;
        },
        { for: "the request in a log", timeoutMs: 3_000, intervalMs: 20 },
      ).catch(() => undefined);
      if (now === undefined)
        return skipped("the API logs no requests, so nobody can see who served them");
      order.push(now.findIndex((count, index) => count > (before[index] ?? 0)));
      before = now;
    }
    const served = await waitUntil(
      async () => {
        const counts = await countMarks(containers, marker);
        return counts.reduce((sum, count) => sum + count, 0) >= sample && counts;
      },
      { for: "all requests in the logs", timeoutMs: 5_000 },
    ).catch(() => before);
    const file = shown(subject, findProxyConf(subject) ?? "proxy/proxy.conf");
    if (served.some((count) => count === 0)) {
      const cause = `one API server gets every request (${served.join(", ")})`;
      return failed(cause, "The proxy must know all of them: use the service's name.", { file });
    }
    const isStrict = order.every((server, index) => server !== order[index + 1]);
    if (isStrict && Math.max(...served) - Math.min(...served) <= 1) {
      return holds(`${served.length} servers, which served ${served.join(" and ")}`);
    }
    const hint =
      "nginx has several worker processes; a zone in the upstream lets them take turns as one.";
    return deviates(
      `the servers share the requests ${served.join(" to ")}, but not strictly in turn`,
      hint,
      { file },
    );
  },
};

async function countMarks(containers: readonly string[], marker: string): Promise<number[]> {
  const logs = await Promise.all(
    containers.map((id) => attempt("docker", ["logs", id], { maxOutputBytes: 8_000_000 })),
  );
  return logs.map(({ stdout, stderr }) => `${stdout}\n${stderr}`.split(marker).length - 1);
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
