import path from "node:path";
import { argv } from "../lib/argv";

/** A stack that is measured: the docker-compose.yml of a folder. */
export interface Contender {
  title: string;
  about: string;
  /** From the repository's root. */
  folder: string;
  /** Whether docker-compose.https.yml belongs to it. */
  isSecure?: boolean;
  /** A Compose file in `stacks/` that changes it. */
  overlay?: string;
  /** The network on which the load generator reaches the proxy. */
  network: string;
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

const nginx = { name: "nginx", service: "proxy", versionCommand: argv`nginx -v` };
const node = { name: "Node.js", service: "back-end", versionCommand: argv`node --version` };
const haproxy = { name: "HAProxy", service: "proxy", versionCommand: argv`haproxy -v` };
const caddy = { name: "Caddy", service: "proxy", versionCommand: argv`caddy version` };
const gunicorn = {
  name: "gunicorn",
  service: "back-end",
  versionCommand: argv`gunicorn --version`,
};
const printFlaskVersion = "from importlib.metadata import version; print(version('flask'))";
const flask = {
  name: "Flask",
  service: "back-end",
  versionCommand: argv`python3 -c ${printFlaskVersion}`,
};

const onProduction = { folder: "production", network: "edge" };
const onOriginal = { folder: "tools/bench/stacks/original", network: "default" };

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
    overlay: "haproxy.yml",
    programs: [haproxy, node],
  },
  caddy: {
    ...onProduction,
    title: "Caddy",
    about: "production with Caddy as its proxy, under the same limits",
    overlay: "caddy.yml",
    programs: [caddy, node],
  },
  https: {
    ...onProduction,
    title: "HTTPS",
    about: "production with docker-compose.https.yml: the same requests over TLS 1.3",
    isSecure: true,
    programs: [nginx, node],
  },
  task6: {
    folder: "task6",
    network: "default",
    title: "task6",
    about: "the last step of the course: nginx in front of Express with morgan, without limits",
    programs: [nginx, node],
  },
  gunicorn: {
    ...onOriginal,
    title: "gunicorn",
    about: "the original with its API under gunicorn, a production server; without limits",
    overlay: "gunicorn.yml",
    programs: [nginx, gunicorn, flask],
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
    overlay: "limit.yml",
    programs: [nginx],
  },
} satisfies Record<string, Contender>;

export type ContenderName = keyof typeof contenders;
export const contenderNames = Object.keys(contenders) as ContenderName[];
/** Those that differ only in the proxy. */
export const proxyNames: readonly ContenderName[] = ["production", "haproxy", "caddy"];

/**
 * @param output What a program prints about itself, such as `nginx version: nginx/1.30.0`.
 * @returns The version in it, such as `1.30.0`.
 */
export function versionIn(output: string): string | undefined {
  return /\d+(?:\.\d+)+/.exec(output)?.[0];
}
