import { DockerfileParser, type Instruction as ParsedInstruction } from "dockerfile-ast";

/** https://docs.docker.com/reference/dockerfile/ */
export interface Instruction {
  /** In capitals. */
  keyword: string;
  /** The words, or in exec form the strings; without flags, comments and line continuations. */
  args: string[];
  /** Such as `from` of `COPY --from=build`. */
  flags: Record<string, string>;
  /** Whether the arguments are a JSON array of strings. */
  execForm: boolean;
  /** Counted from 1. */
  line: number;
}

/** What stands between one FROM and the next. */
export interface Stage {
  /** The image or the earlier stage that it starts from. */
  base: string;
  name: string | undefined;
  /** Without the FROM itself. */
  instructions: Instruction[];
}

/**
 * Reads a Dockerfile.
 * @returns Its stages, in order, at least one; the last one is what the image consists of.
 * @throws {Error} where there is no FROM, or another instruction than ARG stands before it.
 */
export function parseDockerfile(text: string): [Stage, ...Stage[]] {
  const stages: Stage[] = [];
  for (const parsed of DockerfileParser.parse(text).getInstructions()) {
    const instruction = read(parsed);
    const { keyword, args, line } = instruction;
    if (keyword === "FROM") {
      const [base = "", , name] = args;
      stages.push({ base, name, instructions: [] });
    } else if (stages.length > 0) {
      stages.at(-1)?.instructions.push(instruction);
    } else if (keyword !== "ARG") {
      throw new Error(`line ${line}: ${keyword} stands before the first FROM`);
    }
  }
  const [first, ...others] = stages;
  if (first === undefined) throw new Error("there is no FROM");
  return [first, ...others];
}

/** @returns The stage that the image consists of. */
export function lastStage(stages: readonly [Stage, ...Stage[]]): Stage {
  return stages.at(-1) ?? stages[0];
}

function read(parsed: ParsedInstruction): Instruction {
  const flags = "getFlags" in parsed ? (parsed as FlaggedInstruction).getFlags() : [];
  const strings = execFormOf(parsed.getArgumentsContent() ?? "");
  return {
    keyword: parsed.getKeyword(),
    args: strings ?? parsed.getArguments().map((argument) => argument.getValue()),
    flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ""])),
    execForm: strings !== undefined,
    line: parsed.getRange().start.line + 1,
  };
}

interface FlaggedInstruction extends ParsedInstruction {
  getFlags(): { getName(): string; getValue(): string | null }[];
}

/** Docker takes anything that is not a JSON array of strings for a shell command. */
function execFormOf(content: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(content);
    const isExecForm = Array.isArray(parsed) && parsed.every((word) => typeof word === "string");
    return isExecForm ? parsed : undefined;
  } catch {
    return undefined;
  }
}
