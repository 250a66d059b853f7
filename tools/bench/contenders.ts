import path from "node:path";
import type { Stack } from "../lib/compose";
import { root } from "../lib/course";

/** Everybody who takes part, in the order of the tables. */
export const contenderNames = [
  "production",
  "haproxy",
  "caddy",
  "task6",
  "gunicorn",
  "original",
  "limit",
  "nginx",
] as const;

export type ContenderName = (typeof contenderNames)[number];

/** A stack that is measured: Compose files, laid over one another. */
export interface Contender {
  name: ContenderName;
  /** For a table. */
  title: string;
  /** In a sentence. */
  about: string;
  /** The project folder, from the repository's root; relative paths of all files begin there. */
  folder: string;
  /** Compose files: the first one in the folder, the others absolute. */
  files: string[];
  /** The service with the replicas. */
  servers: string;
  /** Whom the load asks: a service and its port. */
  entry: { service: string; port: number };
  /** Networks on which the load generator reaches the entry. */
  networks: string[];
  /** Services to start, with those they depend on. The load generator is not among them. */
  up: string[];
  /** Its numbers of servers; the first is where everybody is compared. */
  scales: readonly number[];
  /** What makes the difference, and how to ask for its version. */
  programs: Program[];
  /** The image that each service's own is built on. */
  bases: Record<string, string>;
}

/** A program in a service's containers. */
export interface Program {
  name: string;
  service: string;
  /** For `docker exec`; prints the version, on stdout or stderr. See `versionIn`. */
  versionCommand: string[];
}

/** The service that sends the load, in every contender's stack. */
export const loadService = "load";

/** On every image that is built for the benchmark: the project's name. */
export const benchLabel = "softy-pinko.bench";

const stacks = path.join(__dirname, "stacks");
const inStacks = (file: string): string => path.join(stacks, file);

const scales = [2, 1, 4, 8];

const nginxIn = (service: string): Program => ({
  name: "nginx",
  service,
  versionCommand: ["nginx", "-v"],
});
const node: Program = {
  name: "Node.js",
  service: "back-end",
  versionCommand: ["node", "--version"],
};
const flask: Program = {
  name: "Flask",
  service: "back-end",
  versionCommand: [
    ...["python3", "-c"],
    "from importlib.metadata import version; print(version('flask'))",
  ],
};

const bases = {
  "back-end": "ubuntu:latest",
  "front-end": "nginx:latest",
  proxy: "nginx:latest",
};

/** How a contender on production's docker-compose.yml is built and loaded. */
const onProduction = {
  bases,
  folder: "production",
  servers: "back-end",
  entry: { service: "proxy", port: 80 },
  networks: ["edge"],
  up: ["proxy"],
  scales,
};

/** The same on task6's, which has no network but Compose's default. */
const onTask6 = {
  ...onProduction,
  folder: "task6",
  networks: ["default"],
};

/** The same on the original's, in Python. */
const onOriginal = {
  ...onTask6,
  folder: "tools/bench/stacks/original",
};

const composeFile = "docker-compose.yml";

/** Everybody who takes part, in the order of `contenderNames`. */
export const contenders: readonly Contender[] = [
  {
    ...onProduction,
    name: "production",
    title: "production",
    about:
      "This project's stack in production/, as it is: nginx before Express, both log every request.",
    files: [composeFile],
    programs: [nginxIn("proxy"), node],
  },
  {
    ...onProduction,
    name: "haproxy",
    title: "HAProxy + Express",
    about: "production with HAProxy as its proxy: the same limits, every request logged.",
    files: [composeFile, inStacks("haproxy.yml")],
    bases: { ...bases, proxy: "ubuntu:latest" },
    programs: [{ name: "HAProxy", service: "proxy", versionCommand: ["haproxy", "-v"] }, node],
  },
  {
    ...onProduction,
    name: "caddy",
    title: "Caddy + Express",
    about: "production with Caddy as its proxy: the same limits, every request logged.",
    files: [composeFile, inStacks("caddy.yml")],
    bases: { ...bases, proxy: "ubuntu:latest" },
    programs: [{ name: "Caddy", service: "proxy", versionCommand: ["caddy", "version"] }, node],
  },
  {
    ...onTask6,
    name: "task6",
    title: "task6",
    about:
      "The course's last step in this port: nginx before Express, logged by morgan; no limits.",
    files: [composeFile],
    programs: [nginxIn("proxy"), node],
  },
  {
    ...onOriginal,
    name: "gunicorn",
    title: "nginx + Flask, gunicorn",
    about: "The original with its API under gunicorn, as Flask is served in production; no limits.",
    files: [composeFile, inStacks("gunicorn.yml")],
    programs: [
      nginxIn("proxy"),
      { name: "gunicorn", service: "back-end", versionCommand: ["gunicorn", "--version"] },
      flask,
    ],
  },
  {
    ...onOriginal,
    name: "original",
    title: "nginx + Flask",
    about: "The stack of the course's text, its API on Flask's development server; no limits.",
    files: [composeFile],
    programs: [nginxIn("proxy"), flask],
  },
  {
    ...onProduction,
    name: "limit",
    title: "production's proxy alone",
    about:
      "production's proxy before nginx servers that log and answer alike: what any API could reach.",
    files: [composeFile, inStacks("limit.yml")],
    bases: { ...bases, "back-end": "nginx:latest" },
    programs: [nginxIn("proxy")],
  },
  {
    ...onProduction,
    name: "nginx",
    title: "one nginx, no proxy",
    about:
      "One of those servers asked directly, no proxy: what a container of one CPU could reach.",
    files: [composeFile, inStacks("limit.yml"), inStacks("nginx.yml")],
    bases: { "back-end": "nginx:latest" },
    entry: { service: "back-end", port: 5252 },
    up: ["back-end"],
    scales: [1],
    programs: [nginxIn("back-end")],
  },
];

/** @returns The contender of that name. */
export function findContender(name: ContenderName): Contender {
  const found = contenders.find((contender) => contender.name === name);
  if (found === undefined) throw new Error(`There is no contender ${name}`);
  return found;
}

/**
 * Makes the last of a contender's Compose files: it gives the images names of the project's own, so
 * that those of the course stay what they are, and puts the load generator where it reaches the
 * entry.
 * @param project The name of the Compose project, which is this contender's alone.
 */
export function projectFile({ networks }: Contender, project: string): string {
  const own = (service: string): object => ({
    image: `${project}-${service}`,
    build: { labels: { [benchLabel]: project } },
  });
  return JSON.stringify({
    services: {
      // Every stack has these, even one that starts fewer
      "back-end": own("back-end"),
      "front-end": own("front-end"),
      proxy: own("proxy"),
      [loadService]: { ...own(loadService), networks },
    },
  });
}

/**
 * @param project The name of the Compose project.
 * @param projectFile Where the output of `projectFile` lies; absolute.
 * @param port Port on the host where the entry answers.
 * @returns The stack of a contender, the load generator in it.
 */
export function stackOf(
  { folder, files }: Contender,
  project: string,
  projectFile: string,
  port: number,
): Stack {
  return {
    folder: path.join(root, folder),
    project,
    env: {
      COMPOSE_FILE: [...files, inStacks("load.yml"), projectFile].join(":"),
      PROXY_PORT: String(port),
      // Where the files in stacks/ find their folders
      STACKS: stacks,
    },
  };
}

/**
 * Finds the version in what a program says of itself.
 * @param output For instance `nginx version: nginx/1.30.0`.
 * @returns For instance `1.30.0`; undefined where there is none.
 */
export function versionIn(output: string): string | undefined {
  return /\d+(?:\.\d+)+/.exec(output)?.[0];
}
