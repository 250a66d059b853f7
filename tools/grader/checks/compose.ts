import path from "node:path";
import { isMap, isScalar } from "yaml";
import { argv } from "../../lib/argv";
import type { ComposeModel } from "../../lib/compose-model";
import { baseOf, repositoryOf } from "../../lib/dockerfile";
import { attempt } from "../../lib/run";
import { type Ids, perSubject, ports, reads, rolesOf } from "../check";
import { deviate, fail, raise, settle } from "../point";
import { readOrFail, readYaml, rejectOddCharacters, type Yaml } from "../read";
import { decodeByMark, readText } from "../repository";
import { ComposeFile, fileNames } from "../stack";
import { type Role, roleOfContext, roles, type Subject } from "../subject";
import type { PointId } from "../titles";
import { engineFailed } from "../trouble";
import { unsafeSettings } from "../unsafe-settings";

/** What Docker's client prints if Compose is missing or cannot work. */
const ofMachine = /is not a docker command|Docker daemon|no space left on device|unknown .*flag/;

/** The task's compose file. */
export const composeFileOf = perSubject(async (subject): Promise<ComposeFile> => {
  const { folder } = subject;
  const name = fileNames.find((file) => folder.entries.get(file) === "file");
  if (name === undefined) {
    const place = subject.at("docker-compose.yml");
    fail("there is no docker-compose.yml", "Create it in this folder.", place);
  }
  const file = subject.pathOf(name);
  const hint = "The course needs a few lines of YAML, in which the indentation counts.";
  const yaml = readOrFail(file, hint, () => readYaml(readText(folder, name, decodeByMark)));
  const config = await attempt("docker", argv`compose --file ${name} config --format=json`, {
    cwd: folder.path,
    env: { COMPOSE_PROJECT_NAME: "graded" },
    timeoutMs: 30_000,
    maxOutputBytes: 4_000_000,
  });
  if (!config.ok) {
    if (ofMachine.test(config.stderr)) raise(engineFailed(config.stderr));
    explainInvalid(subject, name, yaml, config.stderr);
  }
  const model = JSON.parse(config.stdout) as ComposeModel;
  return new ComposeFile(subject, name, yaml, model, findServices(subject, model));
});

/** @param message What Compose printed when it read the file. */
function explainInvalid(subject: Subject, name: string, yaml: Yaml, message: string): never {
  const outside = findOutside(yaml);
  if (outside !== undefined) {
    const hint = "Indent it as deep as the other services.";
    fail(`${outside.name}: is outside services:`, hint, subject.at(name, outside.line));
  }
  const text = readText(subject.folder, name, decodeByMark) ?? "";
  readOrFail(subject.pathOf(name), "Type it again.", () => rejectOddCharacters(text));
  const errors = message.split("\n").filter((line) => !/level=warning/.test(line));
  const cause = errors.at(-1)?.replaceAll(`${subject.folder.path}/`, "");
  // Compose names the line where the block began
  const line = Number(/\bline (\d+)/.exec(message)?.[1]) || undefined;
  const hint = "docker-compose config prints the same. In YAML the indentation counts.";
  fail(cause ?? "Compose cannot read it", hint, subject.at(name, line));
}

/** @returns A service that is next to `services:` instead of below it. */
function findOutside({ documents, lines }: Yaml): { name: string; line: number } | undefined {
  const contents = documents[0]?.contents;
  if (!isMap(contents)) return undefined;
  for (const { key, value } of contents.items) {
    if (!isScalar(key) || typeof key.value !== "string" || !isMap(value)) continue;
    if (/^(services|networks|volumes|configs|secrets|x-.*)$/.test(key.value)) continue;
    return { name: key.value, line: lines.linePos(key.range?.[0] ?? 0).line };
  }
  return undefined;
}

/** Finds the role of each service by its name, otherwise by its build context. */
function findServices({ folder }: Subject, model: ComposeModel): ComposeFile["services"] {
  const services: ComposeFile["services"] = {};
  for (const role of roles) {
    if (model.services[role] !== undefined) services[role] = role;
  }
  for (const [name, { build }] of Object.entries(model.services)) {
    if (Object.values(services).includes(name)) continue;
    const context = path.relative(folder.path, build?.context ?? "");
    services[roleOfContext(folder, context)] ??= name;
  }
  return services;
}

/** A check that reads the compose file. */
export const readsCompose = (
  id: PointId,
  needs: Ids,
  judge: (subject: Subject, composeFile: ComposeFile) => void,
) => reads(id, needs, async (subject) => judge(subject, await composeFileOf(subject)));

export const hasComposeFile = readsCompose("compose", [], (subject, { name }) => {
  const [wanted] = fileNames;
  if (name !== wanted) deviate(`it is called ${name}`, `The text has ${wanted}.`, subject.at(name));
});

export const isSafe = readsCompose("safe", ["compose"], (subject, { model, name }) => {
  const unsafe = unsafeSettings(model, subject.folder.path);
  const cause = unsafe.map(({ service, what }) => `${service} asks for ${what}`).join("; ");
  const hint = "The course does not need this, so the task is not run. Remove it.";
  if (unsafe.length > 0) fail(cause, hint, subject.at(name));
});

export const hasServices = readsCompose("services", ["compose"], (subject, composeFile) => {
  const { services, model } = composeFile;
  const missing = rolesOf(subject).find((role) => services[role] === undefined);
  if (missing !== undefined) {
    const list = Object.keys(model.services).join(", ") || "none";
    const cause = `there is no service for the ${missing}; the services are ${list}`;
    fail(cause, `Add it below services: under the name ${missing}.`, composeFile.at("services"));
  }
  const renamed = rolesOf(subject).find((role) => services[role] !== role);
  if (renamed === undefined) return;
  const { name } = composeFile.service(renamed);
  const place = composeFile.at("services", name);
  deviate(`the ${renamed} is called ${name}`, `The text has ${renamed}.`, place);
});

/** The parts of a compose file that are read as they are written. */
interface Written {
  services?: Record<string, { build?: string | { context?: string; dockerfile?: string } }>;
}

export const namesBuilds = readsCompose("build-keys", ["services"], (subject, composeFile) => {
  const [written] = composeFile.yaml.values as Written[];
  for (const role of rolesOf(subject)) {
    const { name } = composeFile.service(role);
    const place = composeFile.at("services", name, "build");
    const build = written?.services?.[name]?.build;
    if (build === undefined) {
      fail(`${name} is not built`, "Add build: with context and dockerfile.", place);
    }
    const isMissing = (key: string): boolean => typeof build === "string" || !(key in build);
    const missing = ["context", "dockerfile"].filter(isMissing).join(" and no ");
    if (missing === "") continue;
    deviate(`${name}'s build has no ${missing}`, "The text asks for both keys.", place);
  }
});

export const namesImages = readsCompose("images", ["services"], (subject, composeFile) => {
  for (const role of rolesOf(subject)) {
    const { name, image, build } = composeFile.service(role);
    const place = composeFile.at("services", name, "image");
    const wanted = `softy-pinko-${role}:${subject.folder.task}`;
    const hint = `Write image: ${wanted}.`;
    if (image === undefined) deviate(`${name} has no image`, hint, place);
    const { value: base } = settle(() => baseOf(subject.dockerfile(role).stages));
    const bases = ["nginx", "ubuntu", base && repositoryOf(base)];
    if (build !== undefined && bases.includes(repositoryOf(image))) {
      fail(`image: ${image} overwrites the base image of that name`, hint, place);
    }
    if (image !== wanted) deviate(`${name}'s image is ${image}`, hint, place);
  }
});

/** The host's ports lead to the servers of these roles, and to no others. */
export const publishes = (...published: Role[]) =>
  readsCompose("ports", ["services"], (subject, composeFile) => {
    for (const role of published) judgePorts(subject, composeFile, role);
    const wanted = published.map((role) => composeFile.services[role]);
    for (const [name, service] of Object.entries(composeFile.model.services)) {
      const others = service.ports ?? [];
      if (others.length === 0 || wanted.includes(name)) continue;
      const mapped = others.flatMap((port) => port.published ?? []);
      const hint = "Everything goes through the proxy: remove the ports, or write expose.";
      const place = composeFile.at("services", name, "ports");
      if (mapped.length > 0) {
        fail(`${name} publishes ${mapped.join(", ")} on the host`, hint, place);
      }
      const targets = others.map(({ target }) => target).join(", ");
      deviate(`${name} publishes ${targets} at any free port of the host`, hint, place);
    }
  });

/** Judges how a role's service is published. */
function judgePorts(subject: Subject, composeFile: ComposeFile, role: Role): void {
  const { name, ports: mappings = [] } = composeFile.service(role);
  const place = composeFile.at("services", name, "ports");
  const port = ports[role];
  const hint = `Write "${port}:${port}": the host's port, then the container's.`;
  if (mappings.length === 0) fail(`${name} publishes no port`, hint, place);
  const inside = composeFile.portOf(role);
  const mapping = mappings.find(({ target }) => target === inside);
  const list = mappings.map(({ published = "any", target }) => `${published}→${target}`).join(", ");
  const listens = subject.listens(role);
  const [listen] = listens;
  if (listen !== undefined && !listens.some((other) => other.port === mapping?.target)) {
    const targets = mappings.map(({ target }) => target).join(", ");
    const { file, line } = listen.place;
    const cause = `published ${list}, but nothing listens on ${targets} in the container; nginx listens on ${listen.port}`;
    const isAsInText = mappings.some((it) => it.target === port && it.published === String(port));
    if (isAsInText) fail(cause, `Make nginx listen on ${port}.`, listen.place);
    fail(`${cause} (${file}:${line})`, hint, place);
  }
  if (mapping === undefined) fail(`${name} publishes ${list}, not ${port}→${port}`, hint, place);
  if (inside !== port) deviate(`${name} listens on ${inside} in its container`, hint, place);
  const { published = "any free port" } = mapping;
  if (published !== String(port)) deviate(`${name} is at ${published} on the host`, hint, place);
}

/** @param last The role that starts after the others. */
export const ordersStart = (last: Role) =>
  readsCompose("order", ["services"], (_, composeFile) => {
    const { name, depends_on = {} } = composeFile.service(last);
    if (Object.keys(depends_on).length > 0) return;
    const place = composeFile.at("services", name);
    deviate(`${name} has no depends_on`, "List the services that it needs.", place);
  });

export const canScale = readsCompose("scalable", ["services"], (_, composeFile) => {
  const { name, container_name } = composeFile.service("back-end");
  if (container_name === undefined) return;
  const cause = `container_name on ${name} prevents scaling: two containers cannot have one name`;
  fail(cause, "Remove it.", composeFile.at("services", name, "container_name"));
});
