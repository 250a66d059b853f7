import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ComposeStep, steps } from "../../tools/lib/course";
import { attempt } from "../../tools/lib/run";
import { type Copy, copyRepository } from "../lib/copy";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import {
  anchorsIn,
  type Commands,
  codeSpansIn,
  commandProblems,
  fencesIn,
  isShownAs,
  linkProblems,
  markProblems,
  marks,
  pathProblems,
  runnablesIn,
  uncitedFigures,
} from "./rules/markdown";

const files = await listRepositoryFiles();
const documents = files.filter((file) => file.endsWith(".md"));

const scriptsOf = (file: string): string[] =>
  Object.keys((JSON.parse(readRepositoryFile(file)) as { scripts?: object }).scripts ?? {});

const projects = Array.from(
  readRepositoryFile("vitest.config.mts").matchAll(/name: "([\w-]+)"/g),
  ([, name = ""]) => name,
);

/** What a document may name: the root's scripts, and those of the folder that it is about. */
function commandsFor(document: string): Commands {
  const folder = path.posix.dirname(document);
  const isOwn = (file: string): boolean =>
    /^(task|production|visitor)/.test(folder) && file.startsWith(`${folder}/`);
  const packages = files.filter((file) => path.posix.basename(file) === "package.json");
  return {
    scripts: packages
      .filter((file) => file === "package.json" || isOwn(file))
      .flatMap((file) => scriptsOf(file)),
    projects,
    files,
  };
}

describe.each(documents)("%s", (document) => {
  it("has links, anchors and images that lead somewhere", () => {
    expect(linkProblems(document, new Set(files), readRepositoryFile)).toEqual([]);
  });

  it("names commands that exist", () => {
    const problems = commandProblems(readRepositoryFile(document), commandsFor(document));
    expect(problems).toEqual([]);
  });

  it("names files that exist", () => {
    expect(pathProblems(readRepositoryFile(document), files)).toEqual([]);
  });

  it("says with each table of figures how they were measured", () => {
    expect(uncitedFigures(readRepositoryFile(document))).toEqual([]);
  });

  it("marks for the tests only what they can run", () => {
    expect(markProblems(readRepositoryFile(document))).toEqual([]);
  });
});

it("CONTRIBUTING.md names every project of the tests", () => {
  expect(projects).toContain("unit");
  expect(codeSpansIn(readRepositoryFile("CONTRIBUTING.md"))).toEqual(
    expect.arrayContaining(projects),
  );
});

describe("what the documents let a reader type", () => {
  let copy: Copy;
  beforeAll(async () => {
    copy = await copyRepository();
  });
  afterAll(() => copy.remove());

  const blocks = documents.flatMap((document) =>
    runnablesIn(readRepositoryFile(document), marks.run).map((block) => ({
      ...block,
      name: `${document}:${block.line}`,
    })),
  );

  it("is there", () => {
    expect(blocks.length).toBeGreaterThan(0);
  });

  it.each(blocks)("works, and prints what is shown: $name", async ({ script, output }) => {
    const ended = await attempt("bash", ["-euo", "pipefail", "-c", script], {
      cwd: copy.folder,
      // Silent: without npm's own two lines about the script that it starts
      env: { NO_COLOR: "1", npm_config_loglevel: "silent" },
      timeoutMs: 60_000,
    });
    expect(ended).toMatchObject({ exitCode: 0 });
    if (output !== undefined && !isShownAs(ended.stdout, output)) {
      expect(ended.stdout).toBe(output);
    }
  });
});

const lines = (document: string): string[] =>
  fencesIn(readRepositoryFile(document))
    .fences.filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.split("\n"));

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

describe("a step's README has the commands that the tests of the step run", () => {
  it.each(byHand)("$image", ({ step, image, container, context, publish }) => {
    const typed = lines(`${step}/README.md`);
    const dockerfile = context === "." ? "./Dockerfile" : `${context}/Dockerfile`;
    expect(typed).toContain(`docker build -f ${dockerfile} -t ${image} ${context}`);
    expect(typed).toContain(`docker run ${publish}-it --rm --name ${container} ${image}`);
  });

  const stacks = steps.filter((step): step is ComposeStep => step.kind === "compose");
  it.each(stacks)("$name, with Compose", ({ name }) => {
    const typed = lines(`${name}/README.md`);
    expect(typed).toContainEqual(expect.stringMatching(/^docker-compose up\b/));
    if (name === "task6")
      expect(typed).toContain(readRepositoryFile(name, "2-api-servers.txt").trim());
  });
});

describe("a document fails", () => {
  const good = `# The \`one\` thing, again!

See [it](a/b.md#two-words), [above](#the-one-thing-again), [the folder](a/) and
[![a picture](a/c.svg)](a/b.md "a title"), or <https://localhost/nothing>. Not \`[this](no)\`.

\`\`\`
[nor](this)
\`\`\`
`;
  const texts: Record<string, string> = {
    "a/b.md": "## Two words\n\n## Two words\n",
    "a/c.svg": "",
  };
  const problemsOf = (text: string): string[] =>
    linkProblems("r.md", new Set([...Object.keys(texts), "r.md"]), (file) => texts[file] ?? text);

  it("in nothing when its links are right", () => {
    expect(problemsOf(good)).toEqual([]);
  });

  it.each([
    ["a file that is not there", "a/b.md#", "a/d.md#", "r.md:3: a/d.md#two-words does not exist"],
    ["other letters", "a/b.md#", "a/B.md#", "r.md:3: a/B.md#two-words does not exist"],
    ["a folder that is not there", "(a/)", "(b/)", "r.md:3: b/ does not exist"],
    ["a picture that is not there", "c.svg", "d.svg", "r.md:4: a/d.svg does not exist"],
    ["the link of a picture", 'b.md "', 'e.md "', "r.md:4: a/e.md does not exist"],
    ["no such heading", "#two-", "#2-", "r.md:3: a/b.md#2-words is no heading there"],
    [
      "no such heading of its own",
      "(#the",
      "(#a",
      "r.md:3: #a-one-thing-again is no heading there",
    ],
    ["an HTML picture", /$/, '<img width="1" src="x.png">', "r.md:9: x.png does not exist"],
    ["a link by reference", /$/, "[it]: x.md", "r.md:9: x.md does not exist"],
  ])("with %s", (_, from, to, problem) => {
    expect(problemsOf(broken(good, from, to))).toEqual([problem]);
  });

  it("with a heading's anchor that GitHub would not make", () => {
    const headings =
      '# A `b_c` & [D](e)\'s, f-g\n## Twice\n## Twice\n```\n# not\n```\n<a id="h"></a>\n';
    expect(anchorsIn(headings)).toEqual(["a-b_c--ds-f-g", "twice", "twice-1", "h"]);
  });

  const commands: Commands = {
    scripts: ["start", "faults"],
    projects: ["unit"],
    files: ["tests/unit/a.test.ts"],
  };
  it.each([
    ["```sh\nnpm run faults -- --list   # npm run nothing\n```", []],
    ["Type `npm ci && npm start`.", []],
    ["Type `npm run\nfault`.", ["npm run fault: no such script"]],
    ["```sh\ncd x && npm test\n```", ["npm run test: no such script"]],
    ['`npx vitest run --project unit tests/unit/a.test.ts -t "a b"`', []],
    ["`npx vitest run --project units`", ["--project units: no such project"]],
    [
      "`npx vitest run tests/unit/b.test.ts`",
      ["npx vitest run tests/unit/b.test.ts: no such test"],
    ],
  ])("with the command %j", (text, problems) => {
    expect(commandProblems(text, commands)).toEqual(problems);
  });

  const marked = "<!-- test: run -->\n```sh\necho 1\n```\n\n<!-- test: output -->\n```\n1\n```\n";

  it("in nothing when its marks are right", () => {
    expect(markProblems(marked)).toEqual([]);
    expect(runnablesIn(marked, marks.run)).toEqual([{ script: "echo 1", line: 2, output: "1" }]);
    expect(runnablesIn(marked, marks.runOnEngine)).toEqual([]);
  });

  it.each([
    ["no such mark", "test: run", "test: ran", "no such mark"],
    ["another spelling", "<!-- test: run", "<!--test: run", "no such mark"],
    ["a line in between", "run -->\n", "run -->\n\n", "line 1: no block follows"],
    ["another language", "```sh", "```js", "line 2: not marked as sh"],
    ["an output of nothing", "<!-- test: run -->", "", "line 7: the output of nothing"],
  ])("with %s", (_, from, to, problem) => {
    expect(markProblems(broken(marked, from, to))).toContainEqual(expect.stringContaining(problem));
  });

  it.each([
    ["1\n2\n3\n", "1\n2\n3", true],
    ["1\n2\n3\n", "1\n…\n3", true],
    ["1\n2\n3", "…\n3", true],
    ["1\n2\n3", "1\n…", true],
    ["1\n3", "1\n…\n3", true],
    ["1\n2\n3", "1\n3", false],
    ["1\n2\n3", "1\n2", false],
    ["1\n2\n3", "1\n…\n4", false],
    ["1+1", "1.1", false],
  ])("with an output %j that is not shown as %j", (stdout, output, expected) => {
    expect(isShownAs(stdout, output)).toBe(expected);
  });

  it.each([
    ["## A\n| x |\n| 12 ms |\n", ["## A"]],
    ["## A\n| x |\n| 1,346 |\n", ["## A"]],
    ["## A\n`npm run bench`\n## B\n| x |\n| 12 ms |\n", ["## B"]],
    ["## A\n`npm run\nbench -- --quick`\n### B\n| x |\n| 12 ms |\n", []],
    ["## A\n```sh\nnpm run faults\n# one\n```\n| x |\n| 12 ms |\n", []],
    ["# A\n`tests/a.test.ts`\n## B\n| x |\n| 12 ms |\n", []],
    ["# A\n## B\n`tests/a.test.ts`\n| x |\n| 12 ms |\n", ["## B"]],
    ["## A\n| 5252 | 404 | 1.27.4 | waits 400 ms |\n", []],
  ])("with figures and no command, in %j", (text, problems) => {
    expect(uncitedFigures(text)).toEqual(problems);
  });

  it.each([
    ["`tests/a.test.ts` and `tests/`", []],
    ["`tests/b.test.ts`", ["tests/b.test.ts does not exist"]],
    ["`docs`, `task6 is up`, `back-end/api.ts`, `a/tests/b`", []],
    ["```\ntests/b.test.ts\n```", []],
  ])("with a path that leads nowhere, in %j", (text, problems) => {
    expect(pathProblems(text, ["tests/a.test.ts"])).toEqual(problems);
  });

  it("reads code in backticks, also of two lines or with a backtick in it", () => {
    expect(codeSpansIn("`a` ``b ` c`` `d\ne`\n```\n`f`\n```\n")).toEqual(["a", "b ` c", "d\ne"]);
  });
});
