import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "./errors";

export const root = path.join(__dirname, "../..");

export type Service = "back-end" | "front-end" | "proxy" | "nginx";

/** The environment variable that moves a service's port on the host (DESIGN, decision 5). */
export const portVariable: Record<Service, string> = {
  "back-end": "BACK_END_PORT",
  "front-end": "FRONT_END_PORT",
  proxy: "PROXY_PORT",
  nginx: "WEB_PORT",
};

/** An image that the course builds and runs by hand, before Compose takes over. */
export interface Part {
  service: Service;
  /** Build context, from the step's folder. */
  context: string;
  image: string;
  /** The container's name in the course's `docker run`. */
  container: string;
  /** The same in the container and, unless moved, on the host. */
  port: number;
}

/** A stack of containers, and where to see that it works. */
export interface ComposeStep {
  name: string;
  kind: "compose";
  /** Shows the site. */
  site: Service;
  /** A request that shows who serves: sent to one service, answered by the replicas of another. */
  sample: { to: Service; path: string; servedBy: string };
}

/** A step of the course, or the stack beside it, by the way in which its text runs it. */
export type Step =
  | { name: string; kind: "print"; image: string }
  | { name: string; kind: "by hand"; parts: Part[] }
  | ComposeStep;

const partsOf = (task: string): Part[] => [
  {
    service: "back-end",
    context: "./back-end",
    image: `softy-pinko-back-end:${task}`,
    container: `softy-pinko-back-end-${task}`,
    port: 5252,
  },
  {
    service: "front-end",
    context: "./front-end",
    image: `softy-pinko-front-end:${task}`,
    container: `softy-pinko-front-end-${task}`,
    port: 9000,
  },
];

const apiAlone: Part = {
  service: "back-end",
  context: ".",
  image: "softy-pinko:task1",
  container: "softy-pinko-task1",
  port: 5252,
};

const hello = (to: Service) => ({ to, path: "/api/hello", servedBy: "back-end" });

/**
 * The steps in order, and the stack beside them; names, tags and ports are the texts' (spec, tasks
 * 0 to 6, and the visitor counter).
 */
export const steps: readonly Step[] = [
  { name: "task0", kind: "print", image: "softy-pinko:task0" },
  { name: "task1", kind: "by hand", parts: [apiAlone] },
  { name: "task2", kind: "by hand", parts: partsOf("task2") },
  { name: "task3", kind: "by hand", parts: partsOf("task3") },
  { name: "task4", kind: "compose", site: "front-end", sample: hello("back-end") },
  { name: "task5", kind: "compose", site: "proxy", sample: hello("proxy") },
  { name: "task6", kind: "compose", site: "proxy", sample: hello("proxy") },
  { name: "production", kind: "compose", site: "proxy", sample: hello("proxy") },
  {
    name: "visitor-counter",
    kind: "compose",
    site: "nginx",
    // Not /count: to look is not to visit
    sample: { to: "nginx", path: "/", servedBy: "webapp" },
  },
];

/**
 * Finds a step by its folder's name.
 * @throws {UserError} for a name that is none.
 */
export function findStep(name: string): Step {
  const step = steps.find((candidate) => candidate.name === name);
  if (step === undefined) {
    throw new UserError(
      `no step "${name}": choose ${steps.map((known) => known.name).join(", ")}.`,
    );
  }
  return step;
}

/**
 * Finds the command that brings a stack up as its text does, with replicas where it has them.
 * @returns The arguments after `docker-compose`, such as `up --scale back-end=2`.
 */
export async function upCommand({ name }: ComposeStep): Promise<string[]> {
  if (name === "visitor-counter") return ["up", "--scale", "webapp=3"];
  const file = path.join(root, name, "2-api-servers.txt");
  if (!existsSync(file)) return ["up"];
  const command = await readFile(file, "utf8");
  return command.trim().split(" ").slice(1);
}
