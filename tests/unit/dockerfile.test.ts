import { describe, expect, it } from "vitest";
import { lastStage, parseDockerfile } from "../../tools/lib/dockerfile";
import { readStatements } from "../../tools/lib/dockerfile-statements";

describe("a Dockerfile", () => {
  it("is read into stages of instructions", () => {
    const stages = parseDockerfile(
      'ARG V=1\nFROM node:$V AS build\nCOPY --chown=1:1 a b ./\n\nFROM alpine\nCMD ["node", "a b"]\n',
    );
    expect(stages).toEqual([
      {
        base: "node:$V",
        name: "build",
        instructions: [
          {
            keyword: "COPY",
            args: ["a", "b", "./"],
            flags: { chown: "1:1" },
            execForm: false,
            line: 3,
          },
        ],
      },
      {
        base: "alpine",
        name: undefined,
        instructions: [
          { keyword: "CMD", args: ["node", "a b"], flags: {}, execForm: true, line: 6 },
        ],
      },
    ]);
    expect(lastStage(stages).base).toBe("alpine");
  });

  it.each([
    ["joins the lines of a command", "RUN a \\\n  && b", ["a", "&&", "b"]],
    ["leaves out comments between them", "RUN a \\\n  # why\n  && b", ["a", "&&", "b"]],
    ["takes lower case for what it means", "run a", ["a"]],
    ["joins lines at another mark", "# escape=`\nFROM x\nRUN a `\n b \\\n", ["a", "b", "\\"]],
    ["reads Windows line ends", "RUN a \\\r\n b\r\n", ["a", "b"]],
    [
      "counts the lines of a here-document to its command",
      "RUN <<E sh\na b\nE\n",
      ["<<E", "sh", "a", "b"],
    ],
    ["reads a here-document to the end of its name", "RUN <<-'E'\n\tF\n\tE\n", ["<<-'E'", "F"]],
  ])("%s", (_, text, args) => {
    const [stage] = parseDockerfile(text.startsWith("#") ? text : `FROM x\n${text}\n`);
    expect(stage.instructions).toMatchObject([{ keyword: "RUN", args, execForm: false }]);
  });

  it.each(["CMD node a", "CMD ['node']", "CMD [1]"])("%s is not in exec form", (command) => {
    expect(parseDockerfile(`FROM x\n${command}`)[0].instructions[0]?.execForm).toBe(false);
  });

  it.each([
    ["nothing in it", "# empty\n", "it has no FROM"],
    ["an instruction before FROM", "\nRUN a\nFROM x", "line 2: RUN comes before the first FROM"],
  ])("with %s is an error", (_, text, message) => {
    expect(() => parseDockerfile(text)).toThrow(message);
  });

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
  ])("%j is unclear: versions of BuildKit differ", (text, unclear) => {
    expect(readStatements(text)[0]).toMatchObject({ unclear });
  });

  it.each([
    ["a comment that the mark of a continuation follows", "# a \\\nADD b c", ["ADD"]],
    [
      "a comment and a blank line within a command",
      "RUN a \\\n # b\n\nADD c d\nUSER e",
      ["RUN", "USER"],
    ],
    ["blanks that only Go takes for some", "\u0085ADD a b\n\uFEFF# c", ["ADD", "\uFEFF#"]],
    ["a carriage return within a line", "RUN a\rADD b c", ["RUN"]],
    ["a tab that is no end of a line", "RUN a \\\v\nADD b c", ["RUN", "ADD"]],
    ["JSON, which has no here-documents", 'RUN ["a", "<<E"]\nADD b c\nE', ["RUN", "ADD", "E"]],
  ])("is split as BuildKit splits it: %s", (_, text, keywords) => {
    expect(readStatements(text).map(({ keyword }) => keyword)).toEqual(keywords);
  });
});
