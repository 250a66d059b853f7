import { UserError } from "../lib/errors";
import type { Ask } from "./judge";

/** What a stack must have for some faults to make sense. */
export type Ability = "error pages" | "memory limits" | "X-Served-By headers";

/** A stack that faults can be tried on. */
export interface Profile {
  /** Its folder, from the repository's root. */
  name: string;
  /** The service whose replicas share the load, and how each is started. */
  servers: { service: string; command: string[] };
  /** The service that serves pages alone, if there is one. */
  pages?: string;
  /** The service on the host's port, and the variable that moves it. */
  proxy: { service: string; portVariable: string };
  /** Services that are built. */
  built: string[];
  asks: Ask[];
  has: Ability[];
}

const hello: Ask = {
  path: "/api/hello",
  kind: "api",
  isRight: (body) => body === "Hello, World!",
};
const frontPage: Ask = {
  path: "/",
  kind: "page",
  isRight: (body) => body.includes('id="dynamic-content"') && body.trimEnd().endsWith("</html>"),
};

const course = {
  servers: { service: "back-end", command: ["dist/api.js"] },
  pages: "front-end",
  proxy: { service: "proxy", portVariable: "PROXY_PORT" },
  built: ["back-end", "front-end", "proxy"],
  asks: [hello, frontPage],
};

/** The stacks of the lab; the course's task6 and task5 are there for comparison. */
export const profiles: readonly Profile[] = [
  {
    name: "production",
    ...course,
    has: ["error pages", "memory limits", "X-Served-By headers"],
  },
  { name: "task6", ...course, has: [] },
  { name: "task5", ...course, has: [] },
];

/** Such as `production, task6, or task5`. */
export const profileNames = new Intl.ListFormat("en", { type: "disjunction" }).format(
  profiles.map(({ name }) => name),
);

/**
 * Finds a stack by its folder's name.
 * @throws {UserError} for a name that is none.
 */
export function findProfile(name: string): Profile {
  const profile = profiles.find((candidate) => candidate.name === name);
  if (profile === undefined) {
    throw new UserError(`no stack "${name}" in the lab: choose ${profileNames}.`);
  }
  return profile;
}
