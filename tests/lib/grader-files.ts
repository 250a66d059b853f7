import path from "node:path";
import type { Task } from "../../tools/grader/repository";

export type Files = Record<string, string>;

const numberOf = (task: Task): number => Number(task.at(-1));

/**
 * To the grader, packages are upgraded; `:` saves the time. What the step prints, although it
 * succeeds, must not excuse a mistake in a later one.
 */
export const upgraded = `FROM ubuntu:latest
RUN : apt-get update && : apt-get upgrade -y && echo "dial tcp: i/o timeout; Could not resolve 'deb.example'; 503 Service Unavailable; no space left on device"
`;

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
export function filesOf(task: Task): Files {
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
