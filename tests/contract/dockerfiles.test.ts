import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { parseDockerfile } from "../../tools/lib/dockerfile";
import { folders, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import { contextProblems, npmProblems } from "./rules/dockerfile";

const { backEnds, frontEnds, proxies } = folders;

const stagesOf = (folder: string) => parseDockerfile(readRepositoryFile(folder, "Dockerfile"));
const dockerignoreOf = (folder: string): string | undefined =>
  existsSync(path.join(root, folder, ".dockerignore"))
    ? readRepositoryFile(folder, ".dockerignore")
    : undefined;

describe("the Dockerfile of", () => {
  it.each([...backEnds, ...frontEnds])("%s installs what is locked, before it copies", (folder) => {
    expect(npmProblems(stagesOf(folder), dockerignoreOf(folder))).toEqual([]);
  });

  it.each(["task0", ...backEnds, ...frontEnds, ...proxies])("%s stands alone", (folder) => {
    expect(contextProblems(stagesOf(folder))).toEqual([]);
  });
});

const stagesOfBroken = (good: string, from: string | RegExp, to: string) =>
  parseDockerfile(broken(good, from, to));

describe("a Dockerfile fails", () => {
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
    expect(npmProblems(parseDockerfile(good), "node_modules\n")).toEqual([]);
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
