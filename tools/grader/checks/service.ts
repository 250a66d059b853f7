import { isMap, isScalar } from "yaml";
import { attempt, run } from "../../lib/run";
import type { ComposeService } from "../compose-model";
import { listenersOf } from "../sandbox";
import { type Role, type StackSubject, type Subject, shown, type Up } from "../subject";
import { listensIn } from "./conf";

/** Where each role serves, in its container and on the host (spec, tasks 2, 4 and 5). */
export const ports: Record<Role, number> = { "back-end": 5252, "front-end": 9000, proxy: 80 };

/** @throws {Error} before the compose file was read: the check lacks a need. */
export function stackOf({ stack }: Subject): StackSubject {
  if (stack === undefined) throw new Error("a check of the stack needs its compose file");
  return stack;
}

/** @returns The port of a role's container that leads to its server. */
export function portOf(subject: Subject, role: Role): number {
  const listens = listensIn(subject, role).map(({ port }) => port);
  const own = serviceOf(subject, role).ports?.map(({ target }) => target) ?? [];
  if (listens.length === 0 || listens.includes(ports[role])) return ports[role];
  return own.find((target) => listens.includes(target)) ?? ports[role];
}

/** @returns A role's service, as Compose reads it; an empty one where there is none. */
export const serviceOf = (subject: Subject, role: Role): ComposeService =>
  stackOf(subject).model.services[stackOf(subject).services[role] ?? ""] ?? {};

/** @returns Where a key of the compose file stands. */
export function locate(subject: Subject, ...keys: string[]): { file: string; line?: number } {
  const { file, yaml } = stackOf(subject);
  let node: unknown = yaml.documents[0]?.contents;
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
  return offset === undefined ? { file: at } : { file: at, line: yaml.lines.linePos(offset).line };
}

/** Runs Compose on the isolated stack. */
export const composeArgs = ({ project, file }: Up): string[] => [
  ...["compose", "--progress=plain", "--project-name", project, "--file", file],
];

/** @returns The ids of a service's containers, all of them or those that run. */
export async function containersOf({ project }: Up, service: string): Promise<string[]> {
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

/** Addresses within a container on which it serves; Docker's own DNS listens on a high port. */
export const serversIn = async (container: string, image: string) =>
  (await listenersOf(container, image)).filter(({ port }) => port < 32_768);
