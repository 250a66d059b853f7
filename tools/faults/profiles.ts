import { UserError } from "../lib/errors";
import type { Ask } from "./judge";

/** What a stack must have for some faults to make sense. */
export type Ability = "error pages" | "live look-ups" | "memory limits";

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

/** The stacks of the lab. task5 has the course's own plain proxy: it is there to compare with. */
export const profiles: readonly Profile[] = [
  {
    name: "task6",
    ...course,
    has: ["error pages", "live look-ups", "memory limits"],
  },
  { name: "task5", ...course, has: [] },
];

/**
 * Finds a stack by its folder's name.
 * @throws {UserError} for a name that is none.
 */
export function findProfile(name: string): Profile {
  const profile = profiles.find((candidate) => candidate.name === name);
  if (profile === undefined) {
    throw new UserError(
      `no stack "${name}" in the lab: choose ${profiles.map((known) => known.name).join(" or ")}.`,
    );
  }
  return profile;
}
