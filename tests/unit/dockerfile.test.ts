import { describe, expect, it } from "vitest";
import { withoutDirectives } from "../../tools/grader/directives";
import { lastStage, parseDockerfile } from "../../tools/lib/dockerfile";

describe("parseDockerfile", () => {
  it("returns stages of instructions", () => {
    const stages = parseDockerfile(
      'ARG V=1\nFROM node:$V AS build\nCOPY --chown=1:1 a b ./\n\nFROM alpine\nCMD ["node", "a b"]\n',
    );
    const copy = { keyword: "COPY", args: ["a", "b", "./"], flags: { chown: "1:1" }, line: 3 };
    const command = { keyword: "CMD", args: ["node", "a b"], flags: {}, line: 6 };
    expect(stages).toEqual([
      { base: "node:$V", name: "build", instructions: [{ ...copy, execForm: false }] },
      { base: "alpine", name: undefined, instructions: [{ ...command, execForm: true }] },
    ]);
    expect(lastStage(stages).base).toBe("alpine");
  });

  it.each([
    ["joins the lines of a command", "RUN a \\\n  && b", ["a", "&&", "b"]],
    ["joins lines at another escape", "# escape=`\nFROM x\nRUN a `\n b \\\n", ["a", "b", "\\"]],
    ["reads Windows line endings", "RUN a \\\r\n b\r\n", ["a", "b"]],
    ["adds a here-document to its command", "RUN <<E sh\na b\nE\n", ["<<E", "sh", "a", "b", "E"]],
    ["ends a here-document at its name", "RUN <<-'E'\n\tF\n\tE\n", ["<<-'E'", "F", "E"]],
  ])("%s", (_, text, args) => {
    const [stage] = parseDockerfile(text.startsWith("#") ? text : `FROM x\n${text}\n`);
    expect(stage.instructions).toMatchObject([{ keyword: "RUN", args, execForm: false }]);
  });

  it("leaves the content of a copied here-document out", () => {
    const [stage] = parseDockerfile("FROM x\nCOPY <<E /conf\nserver {\nE\nCMD a\n");
    expect(stage.instructions).toMatchObject([{ args: ["<<E", "/conf"] }, { args: ["a"] }]);
  });

  it.each(["CMD node a", "CMD ['node']", "CMD [1]"])("takes %s for the shell form", (command) => {
    expect(parseDockerfile(`FROM x\n${command}`)[0].instructions[0]?.execForm).toBe(false);
  });

  it.each([
    ["nothing", "# empty\n", "it has no FROM"],
    ["an instruction before FROM", "\nRUN a\nFROM x", "line 2: RUN"],
  ])("throws if there is %s", (_, text, message) => {
    expect(() => parseDockerfile(text)).toThrow(message);
  });
});

describe("withoutDirectives", () => {
  it.each([
    ["nothing after an instruction", "FROM ubuntu\n# syntax=a/b\n", "FROM ubuntu\n# syntax=a/b\n"],
    ["directives", "# syntax=a/b\n\n# check=skip=all\nFROM ubuntu\n", "#\n#\n#\nFROM ubuntu\n"],
    ["all but escape", "# syntax=a/b\n# escape=`\nFROM a\n", "# escape=`\n#\nFROM a\n"],
    ["other forms", '\uFEFF// syntax=a/b\n{"syntax": "a/b"}\nFROM a\n', "#\n#\nFROM a\n"],
    [
      "other blanks",
      "\uFEFF\uFEFF\u00a0#\u00a0syntax\u00a0=a/b\n\u0085#SYNTAX=a/b\r\nFROM a\r\n",
      "#\n#\nFROM a\r\n",
    ],
    [
      "them after a shebang",
      "#!/usr/bin/x\n# a comment\n#syntax=a/b\nFROM a\n",
      "#\n#\n#\nFROM a\n",
    ],
  ])("removes %s, and keeps the lines' numbers", (_, text, expected) => {
    expect(withoutDirectives(text)).toBe(expected);
  });
});
