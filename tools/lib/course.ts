import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "./errors";
import { portFrom, portVariablesIn } from "./ports";

export const root = path.join(__dirname, "../..");

export type Service = "back-end" | "front-end" | "proxy" | "nginx";

/** The environment variable that sets a service's host port. */
export const portVariable: Record<Service, string> = {
  "back-end": "BACK_END_PORT",
  "front-end": "FRONT_END_PORT",
  proxy: "PROXY_PORT",
  nginx: "WEB_PORT",
};

/** An image that the course builds and runs with `docker build` and `docker run`. */
export interface Part {
  service: Service;
  /** Build context, relative to the step's folder. */
  context: string;
  image: string;
  /** The container's name in the course's `docker run`. */
  container: string;
  /** In the container, and by default on the host. */
  port: number;
}

/** A step that Compose runs. */
export interface ComposeStep {
  name: string;
  kind: "compose";
  /** The service that serves the page. */
  site: Service;
  /** A request that shows the load balancing: sent to one service, served by another's replicas. */
  sample: { to: Service; path: string; servedBy: string };
}

/** A folder that `npm start` runs, by the way in which its README runs it. */
export type Step =
  | { name: string; kind: "print"; image: string }
  | { name: string; kind: "by hand"; parts: Part[] }
  | ComposeStep;

const part = (task: string, service: Service, port: number): Part => ({
  service,
  context: `./${service}`,
  image: `softy-pinko-${service}:${task}`,
  container: `softy-pinko-${service}-${task}`,
  port,
});

const byHand = (name: string): Step => ({
  name,
  kind: "by hand",
  parts: [part(name, "back-end", 5252), part(name, "front-end", 9000)],
});

const withCompose = (name: string, site: Service, api: Service): Step => ({
  name,
  kind: "compose",
  site,
  sample: { to: api, path: "/api/hello", servedBy: "back-end" },
});

/** In order; names, tags and ports are the course's (spec, tasks 0 to 6, and the visitor counter). */
export const steps: readonly Step[] = [
  { name: "task0", kind: "print", image: "softy-pinko:task0" },
  {
    name: "task1",
    kind: "by hand",
    parts: [
      {
        service: "back-end",
        context: ".",
        image: "softy-pinko:task1",
        container: "softy-pinko-task1",
        port: 5252,
      },
    ],
  },
  byHand("task2"),
  byHand("task3"),
  withCompose("task4", "front-end", "back-end"),
  withCompose("task5", "proxy", "proxy"),
  withCompose("task6", "proxy", "proxy"),
  withCompose("production", "proxy", "proxy"),
  {
    name: "visitor-counter",
    kind: "compose",
    site: "nginx",
    // Not /count, which would count a visit
    sample: { to: "nginx", path: "/", servedBy: "webapp" },
  },
];

/** @throws {UserError} if no step has this name. */
export function findStep(name: string): Step {
  const step = steps.find((candidate) => candidate.name === name);
  if (step !== undefined) return step;
  const names = steps.map((candidate) => candidate.name).join(", ");
  throw new UserError(`no step "${name}": choose ${names}.`);
}

/** Where the page requests the API at port 5252 itself, so that no other port would do. */
const fixedApiPort = ["task3", "task4"];

/** @returns The variable that sets a service's host port; undefined if it must be the default. */
export function portVariableOf(step: string, service: Service): string | undefined {
  const isFixed = service === "back-end" && fixedApiPort.includes(step);
  return isFixed ? undefined : portVariable[service];
}

/**
 * Checks the environment variables that set a step's host ports.
 * @throws {UserError} if one is not a port, or cannot be changed in this step.
 */
export function checkPortVariables(step: Step): void {
  portVariablesOf(step).forEach(portFrom);
  const variable = portVariable["back-end"];
  if (fixedApiPort.includes(step.name) && (portFrom(variable) ?? 5252) !== 5252) {
    throw new UserError(`${step.name}'s page requests the API at port 5252: unset ${variable}.`);
  }
}

function portVariablesOf(step: Step): string[] {
  if (step.kind === "print") return [];
  if (step.kind === "by hand") return step.parts.map(({ service }) => portVariable[service]);
  return portVariablesIn(path.join(root, step.name));
}

/** @returns The arguments after `docker-compose` that start a stack as its README does. */
export function upCommand({ name }: ComposeStep): string[] {
  if (name === "visitor-counter") return ["up", "--scale", "webapp=3"];
  const file = path.join(root, name, "2-api-servers.txt");
  if (!existsSync(file)) return ["up"];
  return readFileSync(file, "utf8").trim().split(" ").slice(1);
}
