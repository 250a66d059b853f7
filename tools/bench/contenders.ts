import path from "node:path";
import { argv } from "../lib/argv";

/** A stack that is measured: the docker-compose.yml of a folder, with files laid over it. */
export interface Contender {
  title: string;
  about: string;
  /** From the repository's root. */
  folder: string;
  /** Further Compose files in `stacks/`. */
  overlays: readonly string[];
  /** Replicas of the back-end under load. */
  servers: number;
  /** The service and the port that the load is sent to. */
  entry: { service: string; port: number };
  /** The networks on which the load generator reaches the entry. */
  networks: readonly string[];
  /** The programs whose versions the report names. */
  programs: readonly Program[];
}

interface Program {
  name: string;
  service: string;
  /** Prints the version, on stdout or stderr. */
  versionCommand: readonly string[];
}

/** The folder of the contenders' files. */
export const stacksFolder = path.join(__dirname, "stacks");

const program = (name: string, service: string, versionCommand: readonly string[]): Program => {
  return { name, service, versionCommand };
};
const nginx = program("nginx", "proxy", argv`nginx -v`);
const node = program("Node.js", "back-end", argv`node --version`);
const printFlaskVersion = "from importlib.metadata import version; print(version('flask'))";
const flask = program("Flask", "back-end", argv`python3 -c ${printFlaskVersion}`);

const onProduction = {
  folder: "production",
  overlays: [],
  servers: 2,
  entry: { service: "proxy", port: 80 },
  networks: ["edge"],
};
const onTask6 = { ...onProduction, folder: "task6", networks: ["default"] };
const onOriginal = { ...onTask6, folder: "tools/bench/stacks/original" };

/** All contenders, in the order of the table. */
export const contenders = {
  production: {
    ...onProduction,
    title: "production",
    about: "the stack in production/ as it is: nginx in front of Express",
    programs: [nginx, node],
  },
  haproxy: {
    ...onProduction,
    title: "HAProxy",
    about: "production with HAProxy as its proxy, under the same limits",
    overlays: ["haproxy.yml"],
    programs: [program("HAProxy", "proxy", argv`haproxy -v`), node],
  },
  caddy: {
    ...onProduction,
    title: "Caddy",
    about: "production with Caddy as its proxy, under the same limits",
    overlays: ["caddy.yml"],
    programs: [program("Caddy", "proxy", argv`caddy version`), node],
  },
  task6: {
    ...onTask6,
    title: "task6",
    about: "the last step of the course: nginx in front of Express with morgan, without limits",
    programs: [nginx, node],
  },
  gunicorn: {
    ...onOriginal,
    title: "gunicorn",
    about: "the original with its API under gunicorn, a production server; without limits",
    overlays: ["gunicorn.yml"],
    programs: [nginx, program("gunicorn", "back-end", argv`gunicorn --version`), flask],
  },
  original: {
    ...onOriginal,
    title: "original",
    about: "the stack of the course's text, on Flask's development server; without limits",
    programs: [nginx, flask],
  },
  limit: {
    ...onProduction,
    title: "limit",
    about: "production's proxy in front of nginx servers that return the same: no API is faster",
    overlays: ["limit.yml"],
    programs: [nginx],
  },
  nginx: {
    ...onProduction,
    title: "nginx alone",
    about: "one of those servers without a proxy: the most that a container with one CPU serves",
    overlays: ["limit.yml", "nginx.yml"],
    servers: 1,
    entry: { service: "back-end", port: 5252 },
    programs: [program("nginx", "back-end", argv`nginx -v`)],
  },
} satisfies Record<string, Contender>;

export type ContenderName = keyof typeof contenders;
export const contenderNames = Object.keys(contenders) as ContenderName[];

/**
 * @param output What a program prints about itself, such as `nginx version: nginx/1.30.0`.
 * @returns The version in it, such as `1.30.0`.
 */
export function versionIn(output: string): string | undefined {
  return /\d+(?:\.\d+)+/.exec(output)?.[0];
}
