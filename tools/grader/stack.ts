import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { isMap, isScalar } from "yaml";
import { argv } from "../lib/argv";
import { type Container, listContainers } from "../lib/compose";
import type { ComposeModel, ComposeService } from "../lib/compose-model";
import type { Outcome } from "../lib/run";
import { waitUntil } from "../lib/wait";
import { build } from "./build";
import { ports } from "./check";
import { dockerfileOf } from "./external-files";
import { isolate } from "./isolate";
import { fail, type Place, raise } from "./point";
import type { Yaml } from "./read";
import { listenersOf, type Sandbox } from "./sandbox";
import type { Role, Subject } from "./subject";
import { docker } from "./trouble";

/** Names under which Compose finds its file, the text's first. */
export const fileNames = [
  "docker-compose.yml",
  "docker-compose.yaml",
  "compose.yml",
  "compose.yaml",
];

/** A task's compose file, as it is written and as Compose reads it. */
export class ComposeFile {
  constructor(
    private readonly subject: Subject,
    readonly name: string,
    readonly yaml: Yaml,
    readonly model: ComposeModel,
    /** The name of each role's service. */
    readonly services: Partial<Record<Role, string>>,
  ) {}

  /** @throws {Error} if there is none: the check that calls this needs the point `services`. */
  service(role: Role): ComposeService & { name: string } {
    const name = this.services[role];
    if (name === undefined) throw new Error(`there is no service for the ${role}`);
    return { ...this.model.services[name], name };
  }

  /** @returns Where a key is, such as `services`, `proxy`, `ports`, or the last parent that exists. */
  at(...keys: string[]): Place {
    const { documents, lines } = this.yaml;
    let node: unknown = documents[0]?.contents;
    let offset: number | undefined;
    for (const key of keys) {
      const pair = isMap(node)
        ? node.items.find((item) => isScalar(item.key) && item.key.value === key)
        : undefined;
      if (pair === undefined) break;
      offset = isScalar(pair.key) ? pair.key.range?.[0] : offset;
      node = pair.value;
    }
    const file = this.subject.pathOf(this.name);
    return offset === undefined ? { file } : { file, line: lines.linePos(offset).line };
  }

  /** @returns The port on which a role's server listens in its container. */
  portOf(role: Role): number {
    const listens = this.subject.listens(role).map(({ port }) => port);
    if (listens.length === 0 || listens.includes(ports[role])) return ports[role];
    const targets = this.service(role).ports?.map(({ target }) => target);
    return targets?.find((target) => listens.includes(target)) ?? ports[role];
  }
}

/** A stack as the grader runs it: isolated, under a project name of its own. */
export interface Project {
  name: string;
  /** The isolated compose file. */
  file: string;
  sandbox: Sandbox;
}

/** Builds the images of a stack, and writes its isolated compose file. */
export async function prepareProject(subject: Subject, model: ComposeModel): Promise<Project> {
  const { folder, sandbox } = subject;
  const name = `${sandbox.prefix}-${folder.task}`;
  // Next to the graded folder, not in it: Compose would read its .env
  const scratch = path.join(path.dirname(folder.path), name);
  await mkdir(scratch, { mode: 0o700 });
  const file = path.join(scratch, "docker-compose.json");
  await writeFile(file, JSON.stringify(isolate(model, name)));
  for (const [service, { build: settings }] of Object.entries(model.services)) {
    if (settings?.context === undefined) continue;
    const { context } = settings;
    const dockerfile = path.relative(folder.path, dockerfileOf(settings));
    if (!existsSync(path.join(folder.path, dockerfile))) {
      fail(`there is no ${dockerfile}`, "Create it there.", subject.at(dockerfile));
    }
    const shown = subject.pathOf(dockerfile);
    const built = await build(
      sandbox,
      `${folder.task}-${service}`,
      { ...settings, context },
      shown,
    );
    if (!("image" in built)) raise(built);
  }
  return { name, file, sandbox };
}

/** Runs a command of Compose on a stack. */
export function compose(
  { name, file, sandbox }: Project,
  args: readonly string[],
  timeoutMs: number,
): Promise<Outcome> {
  const command = argv`compose --progress=plain --project-name ${name} --file ${file} ${args}`;
  return docker(command, {
    cwd: path.dirname(file),
    signal: sandbox.signal,
    timeoutMs,
    maxOutputBytes: 4_000_000,
    onLine: sandbox.report.detail,
  });
}

/** @returns All containers of a stack, stopped ones too. */
export const containersOf = ({ name, file }: Project, service?: string): Promise<Container[]> =>
  listContainers({ folder: path.dirname(file), project: name }, service);

/** Waits until each container listens on a port or has exited, for up to 20 s. */
export async function untilListening(
  containers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const isSettled = async (id: string): Promise<boolean> => (await listenersOf(id))?.length !== 0;
  const wait = { for: "the server to listen", timeoutMs: 20_000, signal };
  const waits = containers.map((id) => waitUntil(() => isSettled(id), wait));
  await Promise.all(waits).catch(() => signal.throwIfAborted());
}
