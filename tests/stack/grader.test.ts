import { expect, it } from "vitest";
import type { Point, Verdict } from "../../tools/grader/point";
import { type Task, tasks } from "../../tools/grader/repository";
import { root } from "../../tools/lib/course";
import { gradePoints, Port } from "../lib/grader-fixtures";
import { describeOnEngine, ownName } from "../lib/stacks";

/** Calls a function with a port of one task after a change to it. */
async function withChanged(
  task: Task,
  change: (port: Port) => Promise<void>,
  use: (port: Port) => Promise<readonly Point[]>,
): Promise<readonly Point[]> {
  const port = await Port.of(task);
  try {
    await change(port);
    return await use(port);
  } finally {
    await port.end();
  }
}

/** What is done to the files of a task. */
type Change = (task: Task) => (port: Port) => Promise<void>;

/** One thing that a learner gets wrong, and the one verdict that it is to lead to. */
interface Mistake {
  name: string;
  task: Task;
  make: Change;
  /** Without the task's name. */
  id: string;
  verdict?: Verdict;
  cause: RegExp;
  /** Such as `Dockerfile:2`, from the task's folder. */
  at?: string;
}

const site = "front-end/softy-pinko-front-end";
const frontEndConf = "front-end/softy-pinko-front-end.conf";
const composeFile = "docker-compose.yml";
const textFile = "2-api-servers.txt";

/** @returns A change that replaces a text in a file of the task. */
const writes =
  (file: string, text: string, by: string): Change =>
  (task) =>
  (port) =>
    port.replace(`${task}/${file}`, text, by);

/** What could not be judged because of an earlier failure, or for want of a browser. */
const follows = ({ verdict, cause = "" }: Point): boolean =>
  verdict === "skipped" && /^needs: |^there is no Chromium/.test(cause);

/** @returns The points that do not hold of themselves. */
const rootsOf = (points: readonly Point[]): Point[] =>
  points.filter((point) => point.verdict !== "pass" && !follows(point));

const mistakes: Mistake[] = [
  // 0. Create Your First Docker Image
  {
    name: "the folder of a task is missing",
    task: "task0",
    make: () => async (port) => {
      await port.remove("task0");
      await port.write({ "task1/README.md": "" });
    },
    id: "folder",
    cause: /^there is no folder task0$/,
    at: "",
  },
  {
    name: "the Dockerfile is spelt in small letters",
    task: "task0",
    make: () => (port) => port.move("task0/Dockerfile", "task0/dockerfile"),
    id: "dockerfile",
    cause: /^dockerfile is not called Dockerfile$/,
    at: "Dockerfile",
  },
  {
    name: "the Dockerfile has Windows line ends",
    task: "task0",
    make: writes("Dockerfile", "\n", "\r\n"),
    id: "dockerfile",
    verdict: "deviation",
    cause: /Windows line endings/,
    at: "Dockerfile",
  },
  {
    name: "nothing is upgraded",
    task: "task0",
    make: writes("Dockerfile", " && apt-get upgrade -y", ""),
    id: "upgrade",
    cause: /^apt-get upgrade -y is missing$/,
    at: "Dockerfile",
  },
  {
    name: "the upgrade waits for a yes",
    task: "task0",
    make: writes("Dockerfile", "upgrade -y", "upgrade"),
    id: "upgrade",
    cause: /asks for confirmation/,
    at: "Dockerfile:2",
  },
  {
    name: "the greeting lacks its comma",
    task: "task0",
    make: writes("Dockerfile", "Hello, World!", "Hello World!"),
    id: "output",
    cause: /^it prints "Hello World!"$/,
    at: "Dockerfile:3",
  },
  // 1. Back-end
  {
    name: "the API listens on 127.0.0.1",
    task: "task1",
    make: writes("api.js", '"0.0.0.0"', '"127.0.0.1"'),
    id: "port",
    cause: /^it listens on 127\.0\.0\.1:5252, which only its own container can reach$/,
    at: "api.js:9",
  },
  {
    name: "the API listens on port 5000",
    task: "task1",
    make: writes("api.js", "5252", "5000"),
    id: "port",
    cause: /^it listens on port 5000, not 5252$/,
    at: "api.js:9",
  },
  {
    name: "the API greets in other words",
    task: "task1",
    make: writes("api.js", "Hello, World!", "Hello World"),
    id: "hello",
    cause: /^it returns "Hello World"$/,
    at: "api.js:5",
  },
  {
    name: "the API has its greeting at another path",
    task: "task1",
    make: writes("api.js", "/api/hello", "/hello"),
    id: "hello",
    cause: /^it returns 404$/,
  },
  {
    name: "the API never ends its response",
    task: "task1",
    make: writes("api.js", "response.end(", "response.write("),
    id: "port",
    cause: /^it listens on port 5252, but does not respond: timed out after 10 s$/,
  },
  {
    name: "the API's program crashes at once",
    task: "task1",
    make: writes("api.js", "node:http", "flask"),
    id: "port",
    cause: /nothing listens in the container: .*Cannot find module 'flask'/,
  },
  {
    name: "the Dockerfile copies what is not there",
    task: "task1",
    make: writes("Dockerfile", "./api.js", "./app.js"),
    id: "build",
    cause: /^it copies app\.js, which is not there$/,
    at: "Dockerfile:5",
  },
  {
    name: "a command of the Dockerfile fails",
    task: "task1",
    make: writes("Dockerfile", "WORKDIR", "RUN pipp install flask\nWORKDIR"),
    id: "build",
    cause: /^`pipp install flask` fails: .*not found/,
    at: "Dockerfile:4",
  },
  {
    name: "the working directory is another",
    task: "task1",
    make: writes("Dockerfile", "/app", "/srv"),
    id: "workdir",
    verdict: "deviation",
    cause: /^it is \/srv$/,
    at: "Dockerfile:4",
  },
  {
    name: "the API is deaf to Ctrl-C",
    task: "task1",
    make: writes("api.js", "process.exit(0)", "undefined"),
    id: "interrupt",
    verdict: "deviation",
    cause: /^it still runs after 5 s/,
  },
  // 2. Front-end
  {
    name: "the site's folder is empty",
    task: "task2",
    make: () => async (port) => {
      await port.remove(`task2/${site}`);
      await port.write({ [`task2/${site}/x`]: "" });
      await port.remove(`task2/${site}/x`);
    },
    id: "site",
    cause: /^it is empty$/,
    at: site,
  },
  {
    name: "the site's folder is an empty git link",
    task: "task2",
    make: () => (port) => port.makeGitLink(`task2/${site}`),
    id: "site",
    cause: /^it is empty: perhaps a git link/,
    at: site,
  },
  {
    name: "the front-end is based on ubuntu",
    task: "task2",
    make: writes("front-end/Dockerfile", "nginx:latest", "ubuntu"),
    id: "front-end-base",
    cause: /^it is based on ubuntu$/,
    at: "front-end/Dockerfile:1",
  },
  {
    name: "the conf lacks a semicolon",
    task: "task2",
    make: writes(frontEndConf, "9000;", "9000"),
    id: "conf",
    cause: /^"listen" lacks its ";"$/,
    at: `${frontEndConf}:2`,
  },
  {
    name: "the conf has a directive that nginx does not know",
    task: "task2",
    make: writes(frontEndConf, "listen", "listn"),
    id: "front-end-port",
    cause: /^nginx does not start: unknown directive "listn"$/,
    at: `${frontEndConf}:2`,
  },
  {
    name: "the conf's root is another folder",
    task: "task2",
    make: writes(frontEndConf, "/var/www/html/softy", "/var/www/softy"),
    id: "page",
    cause: /^it returns 404$/,
    at: `${frontEndConf}:4`,
  },
  {
    name: "the conf names no index",
    task: "task2",
    make: writes(frontEndConf, "index index.html;", "index home.html;"),
    id: "page",
    cause: /^it returns 403$/,
    at: `${frontEndConf}:5`,
  },
  {
    name: "the site is copied elsewhere, and nginx's root is there",
    task: "task2",
    make: (task) => async (port) => {
      const [from, to] = ["/var/www/html/softy-pinko-front-end", "/usr/share/nginx/html"];
      await port.replace(`${task}/front-end/Dockerfile`, from, to);
      await port.replace(`${task}/${frontEndConf}`, from, to);
    },
    id: "paths",
    verdict: "deviation",
    cause: /no \/var\/www\/html\/softy-pinko-front-end\/index\.html/,
    at: "front-end/Dockerfile:2",
  },
  {
    name: "the site is copied elsewhere, and nginx's root is not there",
    task: "task2",
    make: writes("front-end/Dockerfile", "/var/www/html/softy-pinko-front-end", "/var/www/html"),
    id: "paths",
    cause:
      /no \/var\/www\/html\/softy-pinko-front-end\/index\.html.*it is copied to \/var\/www\/html$/,
    at: "front-end/Dockerfile:2",
  },
  {
    name: "the conf is copied where nginx does not read it",
    task: "task2",
    make: writes("front-end/Dockerfile", "conf.d/default.conf", "sites-enabled/default"),
    id: "paths",
    cause: /copied to \/etc\/nginx\/sites-enabled\/default, where nginx does not read it$/,
    at: "front-end/Dockerfile:3",
  },
  {
    name: "the conf is copied beside nginx's own",
    task: "task2",
    make: writes("front-end/Dockerfile", "conf.d/default.conf", "conf.d/site.conf"),
    id: "paths",
    verdict: "deviation",
    cause: /copied to \/etc\/nginx\/conf\.d\/site\.conf$/,
    at: "front-end/Dockerfile:3",
  },
  // 3. Connecting the Front-end and Back-end
  {
    name: "the API allows no other origin",
    task: "task3",
    make: writes(
      "back-end/api.js",
      '  response.setHeader("Access-Control-Allow-Origin", "*");\n',
      "",
    ),
    id: "cors",
    cause: /no Access-Control-Allow-Origin$/,
  },
  {
    name: "the page has no place for the answer",
    task: "task3",
    make: writes(`${site}/index.html`, '<h1 id="dynamic-content"></h1>\n', ""),
    id: "heading",
    cause: /^there are 0 elements with the id dynamic-content$/,
  },
  {
    name: "the place for the answer stands after the headline",
    task: "task3",
    make: (task) => async (port) => {
      const page = `${task}/${site}/index.html`;
      await port.replace(page, '<h1 id="dynamic-content"></h1>\n', "");
      await port.replace(page, "</h1>\n", '</h1>\n<h1 id="dynamic-content"></h1>\n');
    },
    id: "heading",
    verdict: "deviation",
    cause: /^it comes after the headline$/,
    at: `${site}/index.html:6`,
  },
  {
    name: "jQuery is not loaded",
    task: "task3",
    make: writes(`${site}/index.html`, '<script src="jquery.min.js"></script>\n', ""),
    id: "script",
    cause: /jQuery is not loaded/,
    at: `${site}/index.html:11`,
  },
  {
    name: "the page has no script",
    task: "task3",
    make: writes(`${site}/index.html`, "/api/hello", "/api/bye"),
    id: "script",
    cause: /^no script requests \/api\/hello$/,
    at: `${site}/index.html`,
  },
  {
    name: "the script asks the page's own server",
    task: "task3",
    make: writes(`${site}/index.html`, "http://localhost:5252", ""),
    id: "script",
    cause: /^it requests \/api\/hello$/,
    at: `${site}/index.html:12`,
  },
  // 4. Making it Simpler with Docker Compose
  {
    name: "there is no compose file",
    task: "task4",
    make: (task) => (port) => port.remove(`${task}/${composeFile}`),
    id: "compose",
    cause: /^there is no docker-compose\.yml$/,
    at: composeFile,
  },
  {
    name: "the compose file's name ends in yaml",
    task: "task4",
    make: (task) => (port) => port.move(`${task}/${composeFile}`, `${task}/docker-compose.yaml`),
    id: "compose",
    verdict: "deviation",
    cause: /^it is called docker-compose\.yaml$/,
    at: "docker-compose.yaml",
  },
  {
    name: "the compose file's indentation is wrong",
    task: "task4",
    make: writes(
      composeFile,
      "    image: softy-pinko-front-end",
      "   image: softy-pinko-front-end",
    ),
    id: "compose",
    cause: /^it is not valid YAML: /,
    at: `${composeFile}:14`,
  },
  {
    name: "the ports of host and container do not match",
    task: "task4",
    make: writes(composeFile, "9000:9000", "9000:80"),
    id: "ports",
    cause:
      /^published 9000→80, but nothing listens on 80 in the container; nginx listens on 9000 \(task4\/front-end\/softy-pinko-front-end\.conf:2\)$/,
    at: `${composeFile}:15`,
  },
  {
    name: "an image's name overwrites a base image",
    task: "task4",
    make: writes(composeFile, "softy-pinko-front-end:task4", "nginx:latest"),
    id: "images",
    cause: /^image: nginx:latest overwrites the base image/,
    at: `${composeFile}:14`,
  },
  {
    name: "a service waits for no other",
    task: "task4",
    make: writes(composeFile, "    depends_on:\n      - back-end\n", ""),
    id: "order",
    verdict: "deviation",
    cause: /^front-end has no depends_on$/,
    at: `${composeFile}:10`,
  },
  {
    name: "the back-end has no Dockerfile",
    task: "task4",
    make: (task) => (port) => port.remove(`${task}/back-end/Dockerfile`),
    id: "dockerfile",
    cause: /^there is no back-end\/Dockerfile$/,
    at: "back-end/Dockerfile",
  },
  {
    name: "the stack asks for a privileged container",
    task: "task4",
    make: writes(
      composeFile,
      "    image: softy-pinko-back-end",
      "    privileged: true\n    image: softy-pinko-back-end",
    ),
    id: "safe",
    cause: /^back-end asks for a privileged container$/,
    at: composeFile,
  },
  {
    name: "the site's folder is an empty git link in a stack",
    task: "task4",
    make: (task) => (port) => port.makeGitLink(`${task}/${site}`),
    id: "site",
    cause: /^it is empty: perhaps a git link/,
    at: site,
  },
  {
    name: "the conf's root is another folder in a stack",
    task: "task4",
    make: writes(frontEndConf, "/var/www/html/softy", "/var/www/softy"),
    id: "page",
    cause: /^it returns 404$/,
    at: `${frontEndConf}:4`,
  },
  // 5. Proxy Server
  {
    name: "the proxy stands outside services",
    task: "task5",
    make: writes(composeFile, "\n  proxy:\n    build:", "\nproxy:\n    build:"),
    id: "compose",
    cause: /^proxy: is outside services:$/,
    at: `${composeFile}:14`,
  },
  {
    name: "the script still asks the back-end's own port",
    task: "task5",
    make: writes(`${site}/index.html`, "/api/hello", "http://localhost:5252/api/hello"),
    id: "script",
    cause: /^it requests http:\/\/localhost:5252\/api\/hello$/,
    at: `${site}/index.html:12`,
  },
  {
    name: "an upstream is no service",
    task: "task5",
    make: writes("proxy/proxy.conf", "http://back-end", "http://backend"),
    id: "upstreams",
    cause: /`backend` is not a service; the services are back-end, front-end, proxy$/,
    at: "proxy/proxy.conf:9",
  },
  {
    name: "proxy_pass strips the path",
    task: "task5",
    make: writes("proxy/proxy.conf", "back-end:5252", "back-end:5252/"),
    id: "upstreams",
    cause: /^`proxy_pass` ends in `\/`, which strips `?\/api`?/,
    at: "proxy/proxy.conf:9",
  },
  {
    name: "proxy_pass leads to another port",
    task: "task5",
    make: writes("proxy/proxy.conf", "back-end:5252", "back-end:5000"),
    id: "hello",
    cause: /^it returns 502: back-end listens on port 5252, not 5000$/,
    at: "proxy/proxy.conf:9",
  },
  {
    name: "the proxy listens on another port than is published",
    task: "task5",
    make: writes("proxy/proxy.conf", "listen 80;", "listen 8080;"),
    id: "ports",
    cause:
      /^published 80→80, but nothing listens on 80 in the container; nginx listens on 8080 \(task5\/proxy\/proxy\.conf:2\)$/,
    at: `${composeFile}:19`,
  },
  {
    name: "the proxy has no way to the API",
    task: "task5",
    make: writes("proxy/proxy.conf", "location /api", "location /app"),
    id: "upstreams",
    cause: /^no location is for \/api: the front-end gets every request$/,
    at: "proxy/proxy.conf",
  },
  {
    name: "the API crashes in the stack",
    task: "task5",
    make: writes("back-end/api.js", "node:http", "flask"),
    id: "up",
    cause: /^back-end exits at once: .*Cannot find module 'flask'/,
  },
  {
    name: "the API listens on 127.0.0.1 in the stack",
    task: "task5",
    make: writes("back-end/api.js", '"0.0.0.0"', '"127.0.0.1"'),
    id: "hello",
    cause:
      /^it returns 502: back-end listens on 127\.0\.0\.1:5252, which only its own container can reach$/,
    at: "back-end/api.js:10",
  },
  {
    name: "the proxy's conf is copied where nginx does not read it",
    task: "task5",
    make: writes("proxy/Dockerfile", "conf.d/default.conf", "proxy.conf"),
    id: "proxy-paths",
    cause: /copied to \/etc\/nginx\/proxy\.conf, where nginx does not read it$/,
    at: "proxy/Dockerfile:2",
  },
  {
    name: "the API is published as well",
    task: "task5",
    make: writes(
      composeFile,
      "    image: softy-pinko-back-end:task5",
      '    image: softy-pinko-back-end:task5\n    ports: ["5252:5252"]',
    ),
    id: "ports",
    verdict: "deviation",
    cause: /^back-end publishes 5252 on the host$/,
    at: `${composeFile}:7`,
  },
  {
    name: "the proxy's conf is copied beside nginx's own",
    task: "task5",
    make: writes("proxy/Dockerfile", "conf.d/default.conf", "conf.d/proxy.conf"),
    id: "proxy-paths",
    cause: /^proxy\.conf is copied to .*, but nginx's own default\.conf next to it responds first$/,
    at: "proxy/Dockerfile:2",
  },
  {
    name: "proxy_pass leads to another port of the front-end",
    task: "task5",
    make: writes("proxy/proxy.conf", "front-end:9000", "front-end:80"),
    id: "page",
    cause: /^it returns 502: front-end listens on port 9000, not 80$/,
    at: "proxy/proxy.conf:5",
  },
  {
    name: "the proxy has no Dockerfile",
    task: "task5",
    make: (task) => (port) => port.remove(`${task}/proxy/Dockerfile`),
    id: "proxy-dockerfile",
    cause: /^there is no proxy\/Dockerfile$/,
    at: "proxy/Dockerfile",
  },
  // 6. Scale Horizontally
  {
    name: "the API is published, so that it cannot be scaled",
    task: "task6",
    make: writes(
      composeFile,
      "    image: softy-pinko-back-end:task6",
      '    image: softy-pinko-back-end:task6\n    ports:\n      - "5252:5252"',
    ),
    id: "ports",
    cause: /^back-end publishes 5252 on the host, so a second replica cannot start$/,
    at: `${composeFile}:7`,
  },
  {
    name: "a container_name forbids scaling",
    task: "task6",
    make: writes(
      composeFile,
      "    image: softy-pinko-back-end:task6",
      "    container_name: api\n    image: softy-pinko-back-end:task6",
    ),
    id: "scalable",
    cause: /^container_name on back-end prevents scaling/,
    at: `${composeFile}:6`,
  },
  {
    name: "there is no 2-api-servers.txt",
    task: "task6",
    make: (task) => (port) => port.remove(`${task}/${textFile}`),
    id: "command-file",
    cause: /^there is no 2-api-servers\.txt in task6$/,
    at: textFile,
  },
  {
    name: "the command scales what is no service",
    task: "task6",
    make: writes(textFile, "back-end", "backend"),
    id: "command-meaning",
    cause:
      /^it scales backend, which is not a service; the services are back-end, front-end, proxy$/,
    at: `${textFile}:1`,
  },
  {
    name: "the command starts one API server",
    task: "task6",
    make: writes(textFile, "=2", "=1"),
    id: "command-meaning",
    cause: /^it starts 1 replica of the API, not two$/,
    at: `${textFile}:1`,
  },
  {
    name: "the command starts three API servers",
    task: "task6",
    make: writes(textFile, "=2", "=3"),
    id: "command-meaning",
    cause: /^it starts 3 replicas of the API, not two$/,
    at: `${textFile}:1`,
  },
  {
    name: "the command does not scale",
    task: "task6",
    make: writes(textFile, " --scale back-end=2", ""),
    id: "command-meaning",
    cause: /^it does not scale the API's service, back-end$/,
    at: `${textFile}:1`,
  },
  {
    name: "the text file has Windows line ends",
    task: "task6",
    make: writes(textFile, "\n", "\r\n"),
    id: "command-bytes",
    verdict: "deviation",
    cause: /^it is ".*\\r\\n"$/,
    at: `${textFile}:1`,
  },
  {
    name: "the text file lacks its last newline",
    task: "task6",
    make: writes(textFile, "\n", ""),
    id: "command-bytes",
    verdict: "deviation",
    cause: /^it is ".*back-end=2"$/,
    at: `${textFile}:1`,
  },
  {
    name: "the text file has a comment",
    task: "task6",
    make: writes(textFile, "docker-compose", "# two servers\ndocker-compose"),
    id: "command-bytes",
    verdict: "deviation",
    cause: /^it is "# two servers/,
    at: `${textFile}:1`,
  },
];

describeOnEngine("a port with one mistake", () => {
  it.concurrent.each(mistakes)(
    "$task: $name",
    async ({ task, make, id, verdict = "fail", cause, at }) => {
      const [file, line] = at === undefined ? [] : `${task}/${at}`.replace(/\/$/, "").split(":");
      const points = await withChanged(task, make(task), async (port) => {
        const read = await port.read(task);
        // A mistake that reading finds needs no build
        return rootsOf(read).length > 0 ? read : await port.grade(task);
      });
      expect(rootsOf(points)).toEqual([
        expect.objectContaining({
          id: `${task}.${id}`,
          verdict,
          cause: expect.stringMatching(cause),
          hint: expect.any(String),
          ...(file !== undefined && { file, ...(line !== undefined && { line: Number(line) }) }),
        }),
      ]);
    },
  );
});

/** Something that the text leaves open, or that works though it differs. */
interface Variant {
  name: string;
  task: Task;
  make: Change;
  /** The points that deviate, without the task's name; with a question mark, perhaps. */
  deviates?: string[];
}

/** The API as the course's text has it, from distribution packages: they need no PyPI. */
const flask: Change = (task) => async (port) => {
  await port.remove(`${task}/back-end`);
  await port.write({
    [`${task}/back-end/Dockerfile`]: `FROM ubuntu:latest
RUN apt-get update && apt-get upgrade -y && apt-get install -y python3-flask python3-flask-cors
WORKDIR /app
COPY ./api.py /app/api.py
CMD ["python3", "api.py"]
`,
    [`${task}/back-end/api.py`]: `from flask import Flask
from flask_cors import CORS

app = Flask(__name__)
CORS(app)

@app.route('/api/hello')
def hello_world():
    return 'Hello, World!'

if __name__ == '__main__':
    app.run(host='0.0.0.0', port=5252)
`,
  });
};

/** Services, folders and all that names them, called otherwise. */
const renamed: Change = (task) => async (port) => {
  const names = [
    ["back-end", "api"],
    ["front-end", "web"],
    ["proxy", "gateway"],
  ] as const;
  for (const [from, to] of names) {
    const compose = `${task}/${composeFile}`;
    await port.replace(compose, `  ${from}:\n`, `  ${to}:\n`);
    await port.replace(compose, `context: ./${from}\n`, `context: ./${to}\n`);
    if (from !== "proxy") await port.replace(compose, `- ${from}\n`, `- ${to}\n`);
    await port.move(`${task}/${from}`, `${task}/${to}`);
  }
  await port.replace(`${task}/gateway/proxy.conf`, "back-end:", "api:");
  await port.replace(`${task}/gateway/proxy.conf`, "front-end:", "web:");
  await port.replace(`${task}/${textFile}`, "back-end", "api");
};

const variants: Variant[] = [
  {
    name: "an API on another base",
    task: "task1",
    make: writes("Dockerfile", "FROM ubuntu:latest", "FROM node:24-slim"),
    deviates: ["base"],
  },
  {
    name: "a front-end on another port",
    task: "task2",
    make: writes(frontEndConf, "9000", "8080"),
    deviates: ["front-end-port"],
  },
  {
    name: "the compose file's newer name, nginx on another port, images of any name",
    task: "task4",
    make: (task) => async (port) => {
      const compose = `${task}/${composeFile}`;
      await port.replace(`${task}/${frontEndConf}`, "listen 9000", "listen 80");
      await port.replace(compose, "9000:9000", "9000:80");
      await port.replace(compose, "      dockerfile: Dockerfile\n", "");
      await port.replace(compose, "softy-pinko-back-end:task4", "api");
      await port.move(compose, `${task}/compose.yml`);
    },
    deviates: ["compose", "ports", "build-keys", "images"],
  },
  {
    name: "another host port, equivalent paths and upstreams, litter, one folder down",
    task: "task5",
    make: (task) => async (port) => {
      const conf = `${task}/proxy/proxy.conf`;
      await port.replace(`${task}/${composeFile}`, "80:80", "8080:80");
      await port.replace(conf, "location /api", "location /api/");
      await port.replace(conf, "back-end:5252", "back-end:5252/api/");
      await port.replace(conf, "listen 80;", "listen 80 default_server;\n  server_name _;");
      await port.replace(conf, "http://front-end:9000", "http://site");
      await port.append(conf, "upstream site {\n  server front-end:9000;\n}\n");
      await port.write({
        "README.md": "# My port\n",
        ".DS_Store": "",
        [`${task}/.DS_Store`]: "",
        [`${task}/front-end/.DS_Store`]: "",
        [`${task}/proxy/proxy.conf.bak`]: "server {",
        [`${task}/front-end/softy-pinko-front-end/README.md`]: "# The site\n",
      });
      await port.move(task, `project/${task}`);
    },
    deviates: ["ports"],
  },
  {
    name: "services and folders under other names",
    task: "task6",
    make: renamed,
    deviates: ["services", "command-bytes"],
  },
  {
    name: "another command, container ports on the back-end, no zone: turns may not be strict",
    task: "task6",
    make: (task) => async (port) => {
      const image = "    image: softy-pinko-back-end:task6\n";
      await port.replace(`${task}/${composeFile}`, image, `${image}    ports:\n      - "5252"\n`);
      await port.replace(`${task}/proxy/proxy.conf`, "  zone api 64k;\n", "");
      await port.write({
        [`${task}/${textFile}`]: "# two API servers\ndocker compose up -d --scale back-end=2\n",
      });
    },
    deviates: ["command-bytes", "turns?"],
  },
  { name: "an API in Python with Flask", task: "task3", make: flask },
  { name: "an API in Python with Flask, scaled", task: "task6", make: flask },
];

describeOnEngine("a port that differs where it may", () => {
  it.concurrent.each(variants)("$task: $name", async ({ task, make, deviates = [] }) => {
    const points = rootsOf(await withChanged(task, make(task), (port) => port.grade(task)));
    const certain = deviates.filter((id) => !id.endsWith("?"));
    const possible = deviates.map((id) => `${task}.${id.replace("?", "")}`);
    expect(points.filter(({ verdict }) => verdict !== "deviation")).toEqual([]);
    expect(points.map(({ id }) => id)).toEqual(
      expect.arrayContaining(certain.map((id) => `${task}.${id}`)),
    );
    expect(possible).toEqual(expect.arrayContaining(points.map(({ id }) => id)));
  });
});

describeOnEngine("this repository", () => {
  it("passes at every point", { timeout: 300_000 }, async () => {
    const points = await gradePoints(root, tasks, ownName("this"));
    expect(rootsOf(points)).toEqual([]);
    expect(points.length).toBeGreaterThan(100);
  });
});
