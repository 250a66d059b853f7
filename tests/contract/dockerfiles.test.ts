import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { parseDockerfile } from "../../tools/lib/dockerfile";
import { folders, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import {
  backEndProblems,
  contextProblems,
  nginxProblems,
  npmProblems,
  ubuntuProblems,
} from "./rules/dockerfile";

const { backEnds, frontEnds, proxies } = folders;
const conf = "/etc/nginx/conf.d/default.conf";
const siteCopies = {
  "softy-pinko-front-end": "/var/www/html/softy-pinko-front-end",
  "softy-pinko-front-end.conf": conf,
};

const stagesOf = (folder: string) => parseDockerfile(readRepositoryFile(folder, "Dockerfile"));
const dockerignoreOf = (folder: string): string | undefined =>
  existsSync(path.join(root, folder, ".dockerignore"))
    ? readRepositoryFile(folder, ".dockerignore")
    : undefined;

describe("the Dockerfile of", () => {
  it("task0 is an updated ubuntu with one command", () => {
    expect(ubuntuProblems(stagesOf("task0"))).toEqual([]);
  });

  it.each(backEnds)("%s is an updated ubuntu that runs the API as nobody in /app", (folder) => {
    expect(backEndProblems(stagesOf(folder))).toEqual([]);
  });

  it.each(frontEnds)("%s is nginx with the site and its conf", (folder) => {
    expect(nginxProblems(stagesOf(folder), siteCopies)).toEqual([]);
  });

  it.each(proxies)("%s is nginx with the proxy's conf", (folder) => {
    expect(nginxProblems(stagesOf(folder), { "proxy.conf": conf })).toEqual([]);
  });

  it.each([...backEnds, ...frontEnds])("%s installs what is locked, before it copies", (folder) => {
    expect(npmProblems(stagesOf(folder), dockerignoreOf(folder))).toEqual([]);
  });

  it.each(["task0", ...backEnds, ...frontEnds, ...proxies])("%s stands alone", (folder) => {
    expect(contextProblems(stagesOf(folder))).toEqual([]);
  });
});

const stagesOfBroken = (good: string, from: string | RegExp, to: string) =>
  parseDockerfile(broken(good, from, to));

describe("a back-end's Dockerfile fails", () => {
  const good = `FROM node AS build
COPY package.json package-lock.json ./
RUN npm ci
COPY api.ts ./
FROM ubuntu:latest
RUN apt-get update && apt-get upgrade -y
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
USER 10001:10001
CMD ["node", "api.js"]
`;

  it("in nothing when it keeps the rules", () => {
    const stages = parseDockerfile(good);
    expect([...backEndProblems(stages), ...npmProblems(stages, "node_modules\n")]).toEqual([]);
  });

  it.each([
    ["another base", "ubuntu:latest", "node", "the last stage is from node, not ubuntu:latest"],
    ["a fixed version", "ubuntu:latest", "ubuntu:24.04", "from ubuntu:24.04, not ubuntu:latest"],
    ["no update", "apt-get update && ", "", "apt-get update is missing"],
    ["no upgrade", "&& apt-get upgrade -y", "", "apt-get upgrade -y is missing"],
    ["an upgrade that asks", "upgrade -y", "upgrade", "apt-get upgrade -y is missing"],
    [
      "an upgrade before the update",
      "RUN apt-get update && apt-get upgrade -y",
      "RUN apt-get upgrade -y\nRUN apt-get update",
      "apt-get upgrade comes before update",
    ],
    ["no command", /CMD.*\n/, "", "there are 0 CMDs"],
    ["a shell command", /CMD.*\n/, "CMD node api.js\n", "line 10: CMD is not in exec form"],
    ["another directory", "/app", "/srv", "the working directory is /srv, not /app"],
    ["no user", /USER.*\n/, "", "it runs as root"],
    ["root by number", "10001:10001", "0:0", "it runs as root"],
    ["root at last", "CMD", "USER root\nCMD", "it runs as root"],
    ["npm by apt", "upgrade -y", "upgrade -y && apt-get install -y npm", "line 6: brings npm"],
    ["npm with Node", "/usr/local/bin/node /usr", "/usr/local/ /usr", "line 7: brings npm along"],
  ])("with %s", (_, from, to, problem) => {
    expect(backEndProblems(stagesOfBroken(good, from, to))).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it.each([
    ["an unlocked install", "npm ci", "npm install", "line 3: installs without the lock"],
    ["no lock file", " package-lock.json", "", "line 3: no lock file yet"],
    [
      "the sources first",
      "package.json ",
      "api.ts package.json ",
      "line 3: installs after copying",
    ],
    ["everything at once", "RUN npm ci", "COPY . .\nRUN npm ci", "installs after copying ."],
  ])("with %s", (_, from, to, problem) => {
    const problems = npmProblems(stagesOfBroken(good, from, to), "node_modules\n");
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it.each([undefined, "", "dist\n"])("with the .dockerignore %j", (dockerignore) => {
    expect(npmProblems(parseDockerfile(good), dockerignore)).toEqual([
      ".dockerignore does not name node_modules",
    ]);
  });

  it.each(["../lib ./", "./../../x ./", "https://example.org/x ./"])("that copies %s", (copy) => {
    expect(contextProblems(stagesOfBroken(good, "api.ts ./", copy))).toHaveLength(1);
  });
});

describe("a front-end's Dockerfile fails", () => {
  const good = `FROM nginx:latest
COPY ./softy-pinko-front-end /var/www/html/softy-pinko-front-end/
COPY softy-pinko-front-end.conf ${conf}
`;

  it("in nothing when it keeps the rules", () => {
    expect(nginxProblems(parseDockerfile(good), siteCopies)).toEqual([]);
  });

  it.each([
    ["ubuntu", "nginx:latest", "ubuntu:latest", "from ubuntu:latest, not nginx:latest"],
    ["nginx's own folder", "/var/www/html/", "/usr/share/nginx/", "softy-pinko-front-end → /var"],
    ["a further conf", "default.conf", "site.conf", "softy-pinko-front-end.conf → /etc/nginx"],
    ["no site", /COPY \.\/.*\n/, "", "softy-pinko-front-end → /var/www/html"],
  ])("with %s", (_, from, to, problem) => {
    const problems = nginxProblems(stagesOfBroken(good, from, to), siteCopies);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });
});
