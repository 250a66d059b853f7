import path from "node:path";
import { isMap, isScalar } from "yaml";
import { attempt } from "../../lib/run";
import type { ComposeModel } from "../compose-model";
import { judgeExternalFile } from "../external-files";
import { bareEnvironment } from "../isolate";
import { type Check, deviates, failed } from "../point";
import { readYaml, unreadable, type Yaml } from "../read";
import { readText } from "../repository";
import {
  baseOf,
  type Role,
  readDockerfile,
  repositoryOf,
  roleOfContext,
  type StackSubject,
  type Subject,
  shown,
} from "../subject";
import { judgeUnsafeSettings } from "../unsafe-settings";
import { listensIn } from "./conf";
import { locate, portOf, ports, serviceOf, stackOf } from "./service";

type StackCheck = Check<Subject>;

const fileNames = ["docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"];

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
    const at = { file: shown(subject, file) };
    let yaml: Yaml;
    try {
      yaml = readYaml(readText(folder, file));
    } catch (error) {
      const hint = "The course needs a few lines of YAML, in which the indentation counts.";
      return unreadable(error, hint, at.file);
    }
    const stray = judgeExternalFile(folder.path, file, shown(subject, file));
    if (stray !== undefined) return stray;
    const read = await attempt("docker", ["compose", "-f", file, "config", "--format=json"], {
      cwd: folder.path,
      env: { ...bareEnvironment(), COMPOSE_PROJECT_NAME: "graded" },
      timeoutMs: 30_000,
      maxOutputBytes: 4_000_000,
    });
    if (!read.ok) {
      const stray = strayService(yaml);
      if (stray !== undefined) {
        const cause = `${stray.name}: stands outside services:`;
        return failed(cause, "Indent it as deep as the other services.", {
          ...at,
          line: stray.line,
        });
      }
      const said = read.stderr.split("\n").filter((line) => !/level=warning/.test(line));
      // Compose names the line where the block began
      const line = Number(/\bline (\d+)/.exec(read.stderr)?.[1]);
      const hint = "docker-compose config says the same. In YAML the indentation counts.";
      const cause = said.at(-1)?.replaceAll(`${folder.path}/`, "") ?? "Compose cannot read it";
      return failed(cause, hint, { ...at, ...(line > 0 && { line }) });
    }
    const model = JSON.parse(read.stdout) as ComposeModel;
    subject.stack = { file, yaml, model, services: {} };
    subject.stack.services = findServices(subject, model);
    return file === "docker-compose.yml"
      ? undefined
      : deviates(`it is called ${file}`, "The text has docker-compose.yml.", at);
  },
};

/** @returns A service that was written beside `services:` instead of below it. */
function strayService({ documents, lines }: Yaml): { name: string; line: number } | undefined {
  const contents = documents[0]?.contents;
  if (!isMap(contents)) return undefined;
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
    return judgeUnsafeSettings(model, subject.folder.path, shown(subject, file));
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
      const { services, yaml } = stackOf(subject);
      const [written] = yaml.values as {
        services?: Record<string, { build?: string | { context?: string; dockerfile?: string } }>;
      }[];
      for (const role of roles) {
        const name = services[role] ?? "";
        const at = locate(subject, "services", name, "build");
        const build = written?.services?.[name]?.build;
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
