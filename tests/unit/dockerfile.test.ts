import { describe, expect, it } from "vitest";
import { lastStage, parseDockerfile } from "../../tools/lib/dockerfile";

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
  ])("%s", (_, instruction, args) => {
    const [stage] = parseDockerfile(`FROM x\n${instruction}\n`);
    expect(stage.instructions).toMatchObject([{ keyword: "RUN", args, execForm: false }]);
  });

  it.each(["CMD node a", "CMD ['node']", "CMD [1]"])("%s is not in exec form", (command) => {
    expect(parseDockerfile(`FROM x\n${command}`)[0].instructions[0]?.execForm).toBe(false);
  });

  it.each([
    ["nothing in it", "# empty\n", "there is no FROM"],
    ["an instruction before FROM", "\nRUN a\nFROM x", "line 2: RUN stands before the first FROM"],
  ])("with %s is an error", (_, text, message) => {
    expect(() => parseDockerfile(text)).toThrow(message);
  });
});
