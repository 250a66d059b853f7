import { describe, expect, it } from "vitest";
import { lastStage, parseDockerfile } from "../../tools/lib/dockerfile";
import { readStatements } from "../../tools/lib/dockerfile-statements";

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
    ["leaves out comments between them", "RUN a \\\n  # why\n  && b", ["a", "&&", "b"]],
    ["accepts lower case", "run a", ["a"]],
    ["joins lines at another escape", "# escape=`\nFROM x\nRUN a `\n b \\\n", ["a", "b", "\\"]],
    ["reads Windows line endings", "RUN a \\\r\n b\r\n", ["a", "b"]],
    ["adds a here-document to its command", "RUN <<E sh\na b\nE\n", ["<<E", "sh", "a", "b"]],
    ["ends a here-document at its name", "RUN <<-'E'\n\tF\n\tE\n", ["<<-'E'", "F"]],
  ])("%s", (_, text, args) => {
    const [stage] = parseDockerfile(text.startsWith("#") ? text : `FROM x\n${text}\n`);
    expect(stage.instructions).toMatchObject([{ keyword: "RUN", args, execForm: false }]);
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

describe("readStatements", () => {
  it.each([
    ["RUN a \\\\\nADD b c", "a line that ends in \\\\"],
    ["COPY --fr'om'=a b c", "--fr'om'=a"],
    ["COPY -- b c", "--"],
    ["ONBU\u0130LD ADD a b", "ONBU\u0130LD"],
    ["RUN echo 'a <<E b'\nE", "<<"],
    ["RUN a\uFEFF<<E\nE", "<<"],
    ["RUN a <<< b", "<<"],
    ["RUN <<E\na", "<<E without its end"],
    ["ONBUILD RUN <<E\nE", "<<"],
  ])("marks as unclear what versions of BuildKit read differently: %j", (text, unclear) => {
    expect(readStatements(text)[0]).toMatchObject({ unclear });
  });

  it.each([
    ["a comment that ends in a backslash", "# a \\\nADD b c", ["ADD"]],
    ["a comment within a command", "RUN a \\\n # b\n\nADD c d\nUSER e", ["RUN", "USER"]],
    ["blanks that only Go recognizes", "\u0085ADD a b\n\uFEFF# c", ["ADD", "\uFEFF#"]],
    ["a carriage return within a line", "RUN a\rADD b c", ["RUN"]],
    ["a vertical tab at the end of a line", "RUN a \\\v\nADD b c", ["RUN", "ADD"]],
    ["JSON, which has no here-documents", 'RUN ["a", "<<E"]\nADD b c\nE', ["RUN", "ADD", "E"]],
  ])("splits statements as BuildKit does: %s", (_, text, keywords) => {
    expect(readStatements(text).map(({ keyword }) => keyword)).toEqual(keywords);
  });
});
