import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { gradeAll, grading } from "../../tools/grader/grade";
import type { Point } from "../../tools/grader/point";
import { openRepository, type Task, type TaskFolder } from "../../tools/grader/repository";
import type { Sandbox } from "../../tools/grader/sandbox";
import { argv } from "../../tools/lib/argv";
import { run } from "../../tools/lib/run";
import { ownName } from "./stacks";

type Files = Record<string, string>;

const numberOf = (task: Task): number => Number(task.at(-1));

/** To the grader, packages are upgraded; `:` saves the time. */
export const upgraded = "FROM ubuntu:latest\nRUN : apt-get update && : apt-get upgrade -y\n";

/** The API in plain Node.js, without a package. */
function backEnd(task: Task): Files {
  const allowOrigins = '  response.setHeader("Access-Control-Allow-Origin", "*");\n';
  return {
    Dockerfile: `${upgraded}COPY --from=node:24-slim /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY ./api.js /app/api.js
CMD ["node", "api.js"]
`,
    "api.js": `const { createServer } = require("node:http");

const server = createServer((request, response) => {
  console.log(request.method + " " + request.url);
${numberOf(task) >= 3 ? allowOrigins : ""}  const isKnown = request.url.split("?")[0] === "/api/hello";
  response.statusCode = isKnown ? 200 : 404;
  response.end(isKnown ? "Hello, World!" : "Not found");
});
server.listen(5252, "0.0.0.0");
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
`,
  };
}

/** As much of jQuery as the course's script needs. */
const jquery = `window.$ = (target) => {
  if (typeof target === "function") return document.addEventListener("DOMContentLoaded", target);
  return { text: (data) => (document.querySelector(target).textContent = data) };
};
$.ajax = async ({ type, url, success }) => success(await (await fetch(url, { method: type })).text());
`;

const scriptFor = (url: string): string => `<script src="jquery.min.js"></script>
<script>
    $(function() {
        $.ajax({
            type: "GET",
            url: "${url}",
            success: function(data) {
                $('#dynamic-content').text(data);
            }
        });
    });
</script>
`;

function frontEnd(task: Task): Files {
  const callsApi = numberOf(task) >= 3;
  const url = numberOf(task) >= 5 ? "/api/hello" : "http://localhost:5252/api/hello";
  const site = "softy-pinko-front-end";
  return {
    Dockerfile: `FROM nginx:latest
COPY ./${site} /var/www/html/${site}
COPY ./${site}.conf /etc/nginx/conf.d/default.conf
`,
    [`${site}.conf`]: `server {
  listen 9000;
  server_name ${site};
  root /var/www/html/${site};
  index index.html;
}
`,
    [`${site}/index.html`]: `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Softy Pinko</title></head>
<body>
${callsApi ? '<h1 id="dynamic-content"></h1>\n' : ""}<h1>We provide the best <strong>strategy</strong><br>to grow up your <strong>business</strong></h1>
${callsApi ? scriptFor(url) : ""}</body>
</html>
`,
    ...(callsApi && { [`${site}/jquery.min.js`]: jquery }),
  };
}

/** In task6, a zone lets nginx's worker processes share the round robin. */
function proxy(task: Task): Files {
  const isBalanced = numberOf(task) === 6;
  const upstream = "upstream api {\n  zone api 64k;\n  server back-end:5252;\n}\n\n";
  return {
    Dockerfile: "FROM nginx:latest\nCOPY ./proxy.conf /etc/nginx/conf.d/default.conf\n",
    "proxy.conf": `${isBalanced ? upstream : ""}server {
  listen 80;

  location / {
    proxy_pass http://front-end:9000;
  }

  location /api {
    proxy_pass http://${isBalanced ? "api" : "back-end:5252"};
  }
}
`,
  };
}

function composeFile(task: Task): string {
  const hasProxy = numberOf(task) >= 5;
  const service = (name: string, port: number | undefined, needs: readonly string[]): string => {
    const ports = port === undefined ? "" : `    ports:\n      - "${port}:${port}"\n`;
    const dependsOn = needs.map((need) => `      - ${need}\n`).join("");
    return `  ${name}:
    build:
      context: ./${name}
      dockerfile: Dockerfile
    image: softy-pinko-${name}:${task}
${ports}${dependsOn && `    depends_on:\n${dependsOn}`}`;
  };
  return `services:
${service("back-end", hasProxy ? undefined : 5252, [])}
${service("front-end", hasProxy ? undefined : 9000, hasProxy ? [] : ["back-end"])}${
  hasProxy ? `\n${service("proxy", 80, ["back-end", "front-end"])}` : ""
}`;
}

const inFolder = (folder: string, files: Files): Files =>
  Object.fromEntries(
    Object.entries(files).map(([name, text]) => [path.posix.join(folder, name), text]),
  );

/** @returns The files of a task without a mistake, by their paths from the repository's root. */
function filesOf(task: Task): Files {
  const number = numberOf(task);
  if (number === 0) return { "task0/Dockerfile": `${upgraded}CMD ["echo", "Hello, World!"]\n` };
  if (number === 1) return inFolder(task, backEnd(task));
  return inFolder(task, {
    ...inFolder("back-end", backEnd(task)),
    ...inFolder("front-end", frontEnd(task)),
    ...(number >= 4 && { "docker-compose.yml": composeFile(task) }),
    ...(number >= 5 && inFolder("proxy", proxy(task))),
    ...(number >= 6 && { "2-api-servers.txt": "docker-compose up --scale back-end=2\n" }),
  });
}

/** A progress report that is not shown. */
export const silent = Object.assign(() => undefined, { detail: () => undefined });

/**
 * A small port of the course in a temporary folder, without a mistake until one is made. Paths are
 * relative to it.
 */
export class Port {
  private constructor(
    /** Also starts the name of everything that is made from it. */
    readonly name: string,
    readonly folder: string,
  ) {}

  /** @returns A repository of these tasks. */
  static async of(...tasks: readonly Task[]): Promise<Port> {
    const name = ownName("graded");
    const port = new Port(name, await mkdtemp(path.join(tmpdir(), `${name}-`)));
    for (const task of tasks) await port.write(filesOf(task));
    return port;
  }

  async write(files: Record<string, string | Buffer>): Promise<void> {
    for (const [file, text] of Object.entries(files)) {
      const target = path.join(this.folder, file);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, text);
    }
  }

  /**
   * Replaces every occurrence of a text in a file.
   * @throws {Error} if there is none: the mistake would not be made.
   */
  async replace(file: string, text: string, by: string): Promise<void> {
    const before = await readFile(path.join(this.folder, file), "utf8");
    if (!before.includes(text)) throw new Error(`${file} has no ${JSON.stringify(text)}`);
    await this.write({ [file]: before.replaceAll(text, by) });
  }

  async append(file: string, text: string): Promise<void> {
    await writeFile(path.join(this.folder, file), text, { flag: "a" });
  }

  async remove(file: string): Promise<void> {
    await rm(path.join(this.folder, file), { recursive: true });
  }

  async move(from: string, to: string): Promise<void> {
    await mkdir(path.dirname(path.join(this.folder, to)), { recursive: true });
    await rename(path.join(this.folder, from), path.join(this.folder, to));
  }

  /** Leaves an empty folder, or what `git clone` leaves of a submodule. */
  async empty(folder: string, isGitLink = false): Promise<void> {
    await this.remove(folder);
    await mkdir(path.join(this.folder, folder));
    if (!isGitLink) return;
    const git = (args: readonly string[]) => run("git", args, { cwd: this.folder });
    await git(argv`init --quiet`);
    await git(argv`update-index --add --cacheinfo 160000,${"1".repeat(40)},${folder}`);
  }

  async read(task: Task): Promise<readonly Point[]> {
    return readPoints(this.folder, task);
  }

  async grade(tasks: readonly Task[], buildTimeoutMs?: number): Promise<Point[]> {
    return gradePoints(this.folder, tasks, this.name, buildTimeoutMs);
  }
}

/** @returns Makes ports that are removed after the tests of the file or the `describe`. */
export function usePorts(): typeof Port.of {
  const ports: Port[] = [];
  afterAll(async () => {
    for (const { folder } of ports) await rm(folder, { recursive: true, force: true });
  });
  return async (...tasks) => {
    const port = await Port.of(...tasks);
    ports.push(port);
    return port;
  };
}

const sandboxOf = (prefix: string, buildTimeoutMs = 300_000): Sandbox => {
  return { prefix, signal: new AbortController().signal, report: silent, buildTimeoutMs };
};

/** @returns The points of a task after the reading phase; those that need a build are skipped. */
export async function readPoints(folder: string, task: Task): Promise<readonly Point[]> {
  return withTasks(folder, async (folders) => {
    const { read, report } = grading(task, folders.get(task), sandboxOf(ownName("read")));
    await read();
    return report().points;
  });
}

/**
 * Builds and runs tasks of any repository in the engine of this machine.
 * @param prefix Starts the name of everything that is made from it.
 */
export async function gradePoints(
  folder: string,
  tasks: readonly Task[],
  prefix: string,
  buildTimeoutMs?: number,
): Promise<Point[]> {
  return withTasks(folder, async (folders) => {
    const reports = await gradeAll(tasks, folders, sandboxOf(prefix, buildTimeoutMs));
    return reports.flatMap(({ points }) => points);
  });
}

/** Opens a repository for as long as its tasks are in use. */
async function withTasks<T>(
  folder: string,
  use: (folders: ReadonlyMap<Task, TaskFolder>) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-copy-"));
  try {
    return await use(await openRepository(folder, scratch));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @returns The engine's containers, networks, volumes and images whose names start with a prefix. */
export async function namesInEngine(prefix: string): Promise<string[]> {
  const lists = await Promise.all([
    run("docker", argv`ps --all --format={{.Names}} --filter=name=^${prefix}`),
    run("docker", argv`network ls --format={{.Name}} --filter=name=^${prefix}`),
    run("docker", argv`volume ls --format={{.Name}} --filter=name=^${prefix}`),
    run("docker", argv`image ls --format={{.Repository}} --filter=reference=${prefix}*`),
  ]);
  return lists.join("\n").split("\n").filter(Boolean);
}
