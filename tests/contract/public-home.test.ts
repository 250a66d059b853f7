import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import {
  type Dependabot,
  dependabotProblems,
  outsideImages,
  type Workflow,
  workflowProblems,
} from "./rules/public-home";

const files = await listRepositoryFiles();

const foldersOf = (wanted: (file: string) => boolean): string[] => [
  ...new Set(files.filter(wanted).map((file) => path.posix.join("/", path.posix.dirname(file)))),
];

/** @returns Whether a compose file names an image that none of its services builds. */
function takesImages(file: string): boolean {
  const { services } = parse(readRepositoryFile(file), { merge: true }) as {
    services: Record<string, { image?: string; build?: unknown }>;
  };
  return Object.values(services).some(({ image, build }) => image !== undefined && !build);
}

const folders = {
  npm: foldersOf((file) => path.posix.basename(file) === "package.json"),
  docker: foldersOf(
    (file) => file.endsWith("Dockerfile") && outsideImages(readRepositoryFile(file)).length > 0,
  ),
  "docker-compose": foldersOf(
    (file) => path.posix.basename(file) === "docker-compose.yml" && takesImages(file),
  ),
  "github-actions": ["/"],
};

const dependabot = readRepositoryFile(".github/dependabot.yml");
const workflow = readRepositoryFile(".github/workflows/ci.yml");

describe("in a home on GitHub", () => {
  it("every folder with packages or base images is kept up to date, copies together", () => {
    expect(folders.npm).toEqual(expect.arrayContaining(["/", "/task1", "/task6/front-end"]));
    expect(folders.docker).toEqual(expect.arrayContaining(["/task0", "/visitor-counter/webapp"]));
    expect(dependabotProblems(parse(dependabot) as Dependabot, folders)).toEqual([]);
  });

  it("CI runs .ci/run, and may do nothing else", () => {
    expect(workflowProblems(parse(workflow) as Workflow)).toEqual([]);
  });

  it.each([
    ["a folder with packages", "      - /task3/front-end\n", "", "npm lacks /task3/front-end"],
    ["a folder with an image", "      - /task0\n", "", "docker lacks /task0"],
    ["a folder that is gone", "- /task1\n", "- /task1\n      - /x\n", "npm has nothing in /x"],
    ["a group", /groups:\n +npm:\n.*\n/, "", "npm has no one group for all"],
    [
      "one for all",
      'docker:\n        patterns: ["*"]',
      'd:\n        patterns: ["n*"]',
      "docker has no",
    ],
    ["the actions", /github-actions/, "gomod", "github-actions has 0 entries"],
    ["the stacks", "- /visitor-counter\n", "- /x\n", "docker-compose lacks /visitor-counter"],
  ])("updates fail without %s", (_, from, to, problem) => {
    const problems = dependabotProblems(parse(broken(dependabot, from, to)) as Dependabot, folders);
    expect(problems).toContainEqual(expect.stringContaining(problem));
  });

  it.each([
    ["another command", "run: .ci/run", "run: npm test", ".ci/run is not called"],
    ["more rights", "contents: read", "contents: write", "it may do more than read"],
    ["no time limit", /\n +timeout-minutes.*/, "", "a job has no end"],
    ["runs side by side", "progress: true", "progress: false", "an older run goes on"],
    [
      "an action that can change",
      /checkout@\w+/,
      "checkout@v7",
      "actions/checkout@v7 is not pinned",
    ],
  ])("the workflow fails with %s", (_, from, to, problem) => {
    const problems = workflowProblems(parse(broken(workflow, from, to)) as Workflow);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it("images that are built here are nobody's to update", () => {
    const dockerfile = "FROM a:1 AS b\nFROM b\nFROM $C\nFROM softy-pinko-debian\nFROM scratch\n";
    expect(outsideImages(dockerfile)).toEqual(["a:1"]);
  });
});
