import { when } from "./grader-case";
import type { Port } from "./grader-fixtures";

const site = "front-end/softy-pinko-front-end";
const frontEndConf = `${site}.conf`;
const composeFile = "docker-compose.yml";
const textFile = "2-api-servers.txt";

/** The API as in the course's text, but from distribution packages, which need no PyPI. */
const flask = {
  Dockerfile: `FROM ubuntu:latest
RUN apt-get update && apt-get upgrade -y && apt-get install -y python3-flask python3-flask-cors
WORKDIR /app
COPY ./api.py /app/api.py
CMD ["python3", "api.py"]
`,
  "api.py": `from flask import Flask
from flask_cors import CORS

app = Flask(__name__)
CORS(app)

@app.route('/api/hello')
def hello_world():
    return 'Hello, World!'

if __name__ == '__main__':
    app.run(host='0.0.0.0', port=5252)
`,
};

/** Renames the services and their folders. */
async function renameServices(port: Port, at: (file: string) => string): Promise<void> {
  const names = { "back-end": "api", "front-end": "web", proxy: "gateway" };
  for (const [from, to] of Object.entries(names)) {
    await port.replace(at(composeFile), `  ${from}:\n`, `  ${to}:\n`);
    await port.replace(at(composeFile), `context: ./${from}\n`, `context: ./${to}\n`);
    if (from !== "proxy") await port.replace(at(composeFile), `- ${from}\n`, `- ${to}\n`);
    await port.move(at(from), at(to));
  }
  await port.replace(at("gateway/proxy.conf"), "back-end:", "api:");
  await port.replace(at("gateway/proxy.conf"), "front-end:", "web:");
  await port.replace(at(textFile), "back-end", "api");
}

/** What the text leaves open, or what works although it differs. */
export const variants = [
  when("task3", "the API has another base; the front-end listens on another port")
    .replace("back-end/Dockerfile", "FROM ubuntu:latest", "FROM node:24-slim")
    .deviates("base")
    .replace(frontEndConf, "9000", "8080")
    .deviates("front-end-port"),
  when("task4", "compose.yml is used, images have other names, nginx listens on another port")
    .replace(frontEndConf, "listen 9000", "listen 80")
    .replace(composeFile, "9000:9000", "9000:80")
    .replace(composeFile, "      dockerfile: Dockerfile\n", "")
    .replace(composeFile, "softy-pinko-back-end:task4", "api")
    .move(composeFile, "compose.yml")
    .deviates("compose")
    .deviates("build-keys")
    .deviates("images")
    .deviates("ports"),
  when(
    "task5",
    "the host's port is another, upstreams are named, files lie around, one folder down",
  )
    .replace(composeFile, "80:80", "8080:80")
    .replace("proxy/proxy.conf", "location /api", "location /api/")
    .replace("proxy/proxy.conf", "back-end:5252", "back-end:5252/api/")
    .replace("proxy/proxy.conf", "listen 80;", "listen 80 default_server;\n  server_name _;")
    .replace("proxy/proxy.conf", "http://front-end:9000", "http://site")
    .change(async (port, at) => {
      await port.append(at("proxy/proxy.conf"), "upstream site {\n  server front-end:9000;\n}\n");
      await port.write({
        ".DS_Store": "",
        [at("front-end/.DS_Store")]: "",
        [at("proxy/proxy.conf.bak")]: "server {",
        [at(`${site}/README.md`)]: "# The site\n",
      });
      await port.move("task5", "project/task5");
    })
    .deviates("ports"),
  when("task6", "services and folders have other names, paths in images are relative")
    .replace("proxy/Dockerfile", "proxy.conf /etc", "proxy.conf ./etc")
    .replace("front-end/Dockerfile", " /etc", " etc")
    .change(renameServices)
    .deviates("services")
    .deviates("command-bytes"),
  when("task6", "the API is Flask with a container port, the command is another, there is no zone")
    .replace(composeFile, "back-end:task6\n", 'back-end:task6\n    ports:\n      - "5252"\n')
    .replace("proxy/proxy.conf", "  zone api 64k;\n", "")
    .remove("back-end")
    .change((port, at) =>
      port.write({
        [at("back-end/Dockerfile")]: flask.Dockerfile,
        [at("back-end/api.py")]: flask["api.py"],
        [at(textFile)]: "# two API servers\ndocker compose up -d --scale back-end=2\n",
      }),
    )
    .deviates("ports")
    .deviates("command-bytes"),
];
