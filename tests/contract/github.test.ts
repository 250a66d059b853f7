import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseDockerfile } from "../../tools/lib/dockerfile";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";

const files = await listRepositoryFiles();

const foldersWith = (name: string, isWanted = (_text: string) => true): string[] =>
  files
    .filter((file) => path.posix.basename(file) === name && isWanted(readRepositoryFile(file)))
    .map((file) => path.posix.join("/", path.posix.dirname(file)));

/** Whether a Dockerfile starts from an image of a registry: not a stage, a variable or our own. */
function hasForeignBase(dockerfile: string): boolean {
  const stages = parseDockerfile(dockerfile);
  const names = stages.map(({ name }) => name);
  return stages.some(
    ({ base }) => !names.includes(base) && !/^(\$|scratch$|softy-pinko-)/.test(base),
  );
}

describe("Dependabot", () => {
  const { updates } = parse(readRepositoryFile(".github/dependabot.yml")) as {
    updates: { "package-ecosystem": string; directories?: string[]; ignore?: object[] }[];
  };

  it("holds back the next major Node.js, which must run in ubuntu:latest", () => {
    const update = updates.find((entry) => entry["package-ecosystem"] === "docker");
    expect(update?.ignore).toContainEqual({
      "dependency-name": "node",
      "update-types": ["version-update:semver-major"],
    });
  });

  it.each([
    ["npm", foldersWith("package.json")],
    ["docker", foldersWith("Dockerfile", hasForeignBase)],
    ["docker-compose", ["/visitor-counter"]],
  ])("looks into every folder with dependencies: %s", (ecosystem, folders) => {
    const update = updates.find((entry) => entry["package-ecosystem"] === ecosystem);
    expect(update?.directories?.sort()).toEqual(folders.sort());
  });

  it("does not look for images that are built here", () => {
    expect(hasForeignBase("FROM softy-pinko-debian AS a\nFROM a\nFROM $C\nFROM scratch\n")).toBe(
      false,
    );
    expect(hasForeignBase("FROM a:1 AS b\nFROM b\n")).toBe(true);
  });
});

// https://docs.github.com/en/actions/reference/security/secure-use
it("the workflow runs .ci/run with a time limit and read access, by pinned actions", () => {
  const text = readRepositoryFile(".github/workflows/ci.yml");
  const { jobs, ...workflow } = parse(text) as {
    jobs: { test: { steps: object[]; strategy: { matrix: { node: string[] } } } };
  };
  expect(workflow).toMatchObject({
    permissions: { contents: "read" },
    concurrency: { "cancel-in-progress": true },
  });
  expect(Object.keys(jobs)).toEqual(["test"]);
  expect(jobs.test).toMatchObject({ "timeout-minutes": expect.any(Number) });
  expect(jobs.test).not.toHaveProperty("permissions");
  expect(jobs.test.steps).toContainEqual({ run: ".ci/run" });
  const { engines } = JSON.parse(readRepositoryFile("package.json")) as {
    engines: { node: string };
  };
  const oldest = /^\^(\S+)/.exec(engines.node)?.[1];
  expect(jobs.test.strategy.matrix.node).toEqual([oldest, "latest"]);
  const actions = Array.from(text.matchAll(/uses: (\S+)/g), ([, action]) => action);
  expect(actions.filter((action) => !/@[0-9a-f]{40}$/.test(action ?? ""))).toEqual([]);
});
