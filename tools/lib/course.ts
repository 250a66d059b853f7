import { readFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "./errors";

export const root = path.join(__dirname, "../..");

export type Service = "back-end" | "front-end" | "proxy";

/** The environment variable that moves a service's port on the host (DESIGN, decision 5). */
export const portVariable: Record<Service, string> = {
  "back-end": "BACK_END_PORT",
  "front-end": "FRONT_END_PORT",
  proxy: "PROXY_PORT",
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

/** A step of the course, by the way in which the course runs it. */
export type Step =
  | { name: string; kind: "print"; image: string }
  | { name: string; kind: "by hand"; parts: Part[] }
  | { name: string; kind: "compose" };

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

/** The steps in order; names, tags and ports are the text's (spec, tasks 0 to 6). */
export const steps: readonly Step[] = [
  { name: "task0", kind: "print", image: "softy-pinko:task0" },
  { name: "task1", kind: "by hand", parts: [apiAlone] },
  { name: "task2", kind: "by hand", parts: partsOf("task2") },
  { name: "task3", kind: "by hand", parts: partsOf("task3") },
  { name: "task4", kind: "compose" },
  { name: "task5", kind: "compose" },
  { name: "task6", kind: "compose" },
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
 * Reads the course's own command for two API servers.
 * @returns The arguments after `docker-compose`: `up --scale back-end=2`.
 */
export async function scaleCommand(): Promise<string[]> {
  const command = await readFile(path.join(root, "task6/2-api-servers.txt"), "utf8");
  return command.trim().split(" ").slice(1);
}
