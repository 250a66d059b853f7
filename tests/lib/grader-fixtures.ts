import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gradeAll, grading } from "../../tools/grader/grade";
import type { Point } from "../../tools/grader/point";
import { openRepository, type Task, type TaskFolder } from "../../tools/grader/repository";
import { type Sandbox, tidyUp } from "../../tools/grader/sandbox";
import { run } from "../../tools/lib/run";
import { ownName } from "./stacks";

type Files = Record<string, string>;

const numberOf = (task: Task): number => Number(task.at(-1));

/** Lines that all fixtures share, so that the engine builds them once. */
const upgraded = "FROM ubuntu:latest\nRUN apt-get update && apt-get upgrade -y\n";

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
  const asks = numberOf(task) >= 3;
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
${asks ? '<h1 id="dynamic-content"></h1>\n' : ""}<h1>We provide the best <strong>strategy</strong><br>to grow up your <strong>business</strong></h1>
${asks ? scriptFor(url) : ""}</body>
</html>
`,
    ...(asks && { [`${site}/jquery.min.js`]: jquery }),
  };
}

/** In task5 as in the text; in task6 with a zone, so that nginx's processes take turns as one. */
function proxy(task: Task): Files {
  const isBalanced = numberOf(task) === 6;
  const group = "upstream api {\n  zone api 64k;\n  server back-end:5252;\n}\n\n";
  return {
    Dockerfile: "FROM nginx:latest\nCOPY ./proxy.conf /etc/nginx/conf.d/default.conf\n",
    "proxy.conf": `${isBalanced ? group : ""}server {
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
    const after = needs.map((need) => `      - ${need}\n`).join("");
    return `  ${name}:
    build:
      context: ./${name}
      dockerfile: Dockerfile
    image: softy-pinko-${name}:${task}
${ports}${after && `    depends_on:\n${after}`}`;
  };
  return `services:
${service("back-end", hasProxy ? undefined : 5252, [])}
${service("front-end", hasProxy ? undefined : 9000, hasProxy ? [] : ["back-end"])}${
  hasProxy ? `\n${service("proxy", 80, ["back-end", "front-end"])}` : ""
}`;
}

const below = (folder: string, files: Files): Files =>
  Object.fromEntries(
    Object.entries(files).map(([name, text]) => [path.posix.join(folder, name), text]),
  );

/** @returns The files of a task without a mistake, by their paths from the repository's root. */
function filesOf(task: Task): Files {
  const number = numberOf(task);
  if (number === 0) return { "task0/Dockerfile": `${upgraded}CMD ["echo", "Hello, World!"]\n` };
  if (number === 1) return below(task, backEnd(task));
  return below(task, {
    ...below("back-end", backEnd(task)),
    ...below("front-end", frontEnd(task)),
    ...(number >= 4 && { "docker-compose.yml": composeFile(task) }),
    ...(number >= 5 && below("proxy", proxy(task))),
    ...(number >= 6 && { "2-api-servers.txt": "docker-compose up --scale back-end=2\n" }),
  });
}

/**
 * A small port of the course in a temporary folder, without a mistake until one is made. Paths are
 * relative to it.
 */
export class Port {
  private isGraded = false;

  private constructor(
    /** Begins the name of everything that is made of it, too. */
    private readonly name: string,
    readonly folder: string,
  ) {}

  /** @returns A repository of these tasks. */
  static async of(...wanted: readonly Task[]): Promise<Port> {
    const name = ownName("graded");
    const port = new Port(name, await mkdtemp(path.join(tmpdir(), `${name}-`)));
    for (const task of wanted) await port.write(filesOf(task));
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
   * Changes a text wherever it stands in a file.
   * @throws where it does not stand there: the mistake would not be made.
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

  /** Leaves of a folder what `git clone` leaves of a submodule. */
  async makeGitLink(folder: string): Promise<void> {
    await this.remove(folder);
    await mkdir(path.join(this.folder, folder));
    const git = (...args: string[]) => run("git", args, { cwd: this.folder });
    await git("init", "--quiet");
    await git("add", "--all");
    await git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},${folder}`);
  }

  /** {@link readPoints} of a task. */
  async read(task: Task): Promise<readonly Point[]> {
    return readPoints(this.folder, task);
  }

  /**
   * Has some tasks graded.
   * @returns All their points.
   */
  async grade(...wanted: readonly Task[]): Promise<Point[]> {
    this.isGraded = true;
    return gradePoints(this.folder, wanted, this.name);
  }

  /** Removes it and whatever is left of its grading. */
  async end(): Promise<void> {
    if (this.isGraded) await tidyUp({ prefix: this.name });
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** @returns The points of a task after the reading phase; those that need a build are skipped. */
export async function readPoints(folder: string, task: Task): Promise<readonly Point[]> {
  return withTasks(folder, async (folders) => {
    const { read, report } = grading(task, folders.get(task), sandboxOf(ownName("read")));
    await read();
    return report().points;
  });
}

function sandboxOf(prefix: string): Sandbox {
  const { signal } = new AbortController();
  const report = Object.assign(() => undefined, { detail: () => undefined });
  return { prefix, signal, report, buildTimeoutMs: 300_000 };
}

/**
 * Grades tasks of any repository.
 * @param prefix Begins the name of everything that is made of it.
 * @returns All their points.
 */
export async function gradePoints(
  folder: string,
  wanted: readonly Task[],
  prefix: string,
): Promise<Point[]> {
  return withTasks(folder, async (folders) => {
    const reports = await gradeAll(wanted, folders, sandboxOf(prefix));
    return reports.flatMap(({ points }) => points);
  });
}

/** Opens a repository for as long as something is done with its tasks. */
export async function withTasks<T>(
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
