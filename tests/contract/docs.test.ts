import path from "node:path";
import { describe, expect, it } from "vitest";
import { type ComposeStep, steps } from "../../tools/lib/course";
import { codeIn, isShownAs, runnablesIn } from "../lib/markdown";
import { itRuns } from "../lib/runnables";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";

const files = await listRepositoryFiles();
const documents = files.filter((file) => file.endsWith(".md"));

/** What code in a document may name. */
const names = {
  files,
  /** Of any package.json. */
  scripts: files
    .filter((file) => path.posix.basename(file) === "package.json")
    .map((file) => JSON.parse(readRepositoryFile(file)) as { scripts?: object })
    .flatMap(({ scripts = {} }) => Object.keys(scripts)),
  /** Of vitest.config.mts. */
  projects: Array.from(
    readRepositoryFile("vitest.config.mts").matchAll(/name: "([\w-]+)"/g),
    ([, name = ""]) => name,
  ),
};

/** Finds the npm scripts, vitest projects and files that code names but that do not exist. */
function unknownNames(markdown: string, { files, scripts, projects }: typeof names): string[] {
  const npm = ["ci", "install", "pack", "publish"];
  const code = codeIn(markdown).map((text) => text.replace(/\s+#.*$/gm, ""));
  const named = (pattern: RegExp): string[] =>
    code.flatMap((text) => Array.from(text.matchAll(pattern), ([, name = ""]) => name));
  const exists = (file: string): boolean =>
    files.some((other) => other === file || other.startsWith(file.replace(/\/?$/, "/")));
  return [
    ...named(/\bnpm\s+(?:run\s+)?(?!run\b)([\w:]+)/g).filter(
      (name) => !npm.includes(name) && !scripts.includes(name),
    ),
    ...named(/--project[ =](\S+)/g).filter((name) => !projects.includes(name)),
    ...named(/(?:^|\s)((?:tests|tools|docs|task\d|production|\.ci|\.github)\/[\w./-]*)/g).filter(
      (file) => !exists(file),
    ),
  ];
}

describe("the documents", () => {
  it.each(documents)("name scripts, projects and files that exist: %s", (document) => {
    expect(unknownNames(readRepositoryFile(document), names)).toEqual([]);
  });

  it.each([
    ["```sh\nnpm run start -- --list   # npm run nothing\n```", []],
    ["Type `npm ci && npm start`, not npm stop.", []],
    ["Type `npm run\nfault`.", ["fault"]],
    ["```sh\ncd x && npm test\n```", ["test"]],
    ["`npx vitest run --project unit tests/unit/a.test.ts`", []],
    ["`npx vitest run --project units tests/unit`", ["units"]],
    ["`npx vitest run tests/unit/b.test.ts`", ["tests/unit/b.test.ts"]],
    ["`tests/` and `a/tests/b`", []],
  ])("have unknown names in %j: %j", (text, unknown) => {
    const some = { files: ["tests/unit/a.test.ts"], scripts: ["start"], projects: ["unit"] };
    expect(unknownNames(text, some)).toEqual(unknown);
  });
});

describe("the commands in the documents", () => itRuns("run"));

describe("a step's README", () => {
  const commandsIn = (step: string): string[] =>
    codeIn(readRepositoryFile(step, "README.md")).flatMap((text) => text.split("\n"));
  const byHand = steps.flatMap((step) => {
    if (step.kind === "print") {
      const container = step.image.replace(":", "-");
      return [{ step: step.name, image: step.image, container, context: ".", publish: "" }];
    }
    if (step.kind === "compose") return [];
    return step.parts
      .filter(({ service }) => step.name !== "task2" || service === "front-end")
      .map((part) => ({ ...part, step: step.name, publish: `-p ${part.port}:${part.port} ` }));
  });

  it.each(byHand)("has the text's commands for $image", (part) => {
    const { step, image, container, context, publish } = part;
    const dockerfile = context === "." ? "./Dockerfile" : `${context}/Dockerfile`;
    const commands = commandsIn(step);
    expect(commands).toContain(`docker build -f ${dockerfile} -t ${image} ${context}`);
    expect(commands).toContain(`docker run ${publish}-it --rm --name ${container} ${image}`);
  });

  const stacks = steps.filter((step): step is ComposeStep => step.kind === "compose");
  it.each(stacks)("has docker-compose up: $name", ({ name }) => {
    const up = /^docker-compose up\b/;
    expect(commandsIn(name)).toContainEqual(expect.stringMatching(up));
    const scaled = readRepositoryFile("task6/2-api-servers.txt").trim();
    if (name === "task6") expect(commandsIn(name)).toContain(scaled);
  });
});

describe("a block that the tests run", () => {
  const good = "<!-- test: run -->\n```sh\necho 1\n```\n\n<!-- test: output -->\n```\n1\n```\n";

  it("is an sh block after a comment, with the output of the block after it", () => {
    expect(runnablesIn(good, "run")).toEqual([{ script: "echo 1", line: 2, output: "1" }]);
    expect(runnablesIn(good, "run on an engine")).toEqual([]);
  });

  it.each([
    ["test: run", "test: ran"],
    ["<!-- test: run", "<!--test: run"],
    ["run -->\n", "run -->\n\nText\n"],
    ["```sh", "```js"],
    ["<!-- test: run -->", ""],
  ])("is an error if its comment has no effect: %j replaced by %j", (from, to) => {
    expect(() => runnablesIn(good.replace(from, to), "run")).toThrow("no effect");
  });

  it.each([
    ["1\n2\n3\n", "1\n2\n3", true],
    ["1\n2\n3\n", "1\n…\n3", true],
    ["1\n2\n3", "…\n3", true],
    ["1\n2\n3", "1\n…", true],
    ["1\n3", "1\n…\n3", true],
    ["1\n2\n3", "1\n3", false],
    ["1\n2\n3", "1\n…\n4", false],
    ["1+1", "1.1", false],
  ])("that prints %j is shown as %j: %s", (stdout, output, expected) => {
    expect(isShownAs(stdout, output)).toBe(expected);
  });
});
