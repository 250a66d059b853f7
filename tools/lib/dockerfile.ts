import {
  DockerfileParser,
  ModifiableInstruction,
  type Instruction as Statement,
} from "dockerfile-ast";

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

/** The instructions from one FROM to the next. */
export interface Stage {
  /** The image or the earlier stage that it starts from. */
  base: string;
  name: string | undefined;
  /** Without the FROM itself. */
  instructions: Instruction[];
}

/** At least one; the image consists of the last one. */
export type Stages = [Stage, ...Stage[]];

/**
 * Parses a Dockerfile.
 * @returns Its stages, in order.
 * @throws {Error} if there is no FROM, or another instruction than ARG comes before it.
 */
export function parseDockerfile(text: string): Stages {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions().map(parseStatement)) {
    const { keyword, args, line } = instruction;
    if (keyword === "FROM") {
      const [base = "", , name] = args;
      stages.push({ base, name, instructions: [] });
    } else if (stages.length > 0) {
      stages.at(-1)?.instructions.push(instruction);
    } else if (keyword !== "ARG") {
      throw new Error(`line ${line}: ${keyword} comes before the first FROM`);
    }
  }
  const [first, ...others] = stages;
  if (first === undefined) throw new Error("it is not a Dockerfile: it has no FROM");
  return [first, ...others];
}

/** @returns The stage that the image consists of. */
export const lastStage = (stages: Stages): Stage => stages.at(-1) ?? stages[0];

/** @returns The image that the last stage starts from, followed through the stages before it. */
export function baseOf(stages: Stages): string {
  let { base } = lastStage(stages);
  for (const _ of stages) {
    const earlier = stages.find(({ name }) => name === base);
    if (earlier === undefined) break;
    ({ base } = earlier);
  }
  return base;
}

function parseStatement(statement: Statement): Instruction {
  const keyword = statement.getKeyword();
  const content = statement.getArgumentsContent() ?? "";
  const strings = execFormOf(content);
  const words =
    keyword === "RUN"
      ? statement.getArguments().map((argument) => argument.getValue())
      : // The content of a here-document is on the lines after the first
        (content.split("\n")[0] ?? "").split(/\s+/).filter(Boolean);
  const flags = statement instanceof ModifiableInstruction ? statement.getFlags() : [];
  return {
    keyword,
    args: strings ?? words,
    flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ""])),
    execForm: strings !== undefined,
    line: statement.getRange().start.line + 1,
  };
}

/** To Docker, anything but a JSON array of strings is a shell command. */
function execFormOf(content: string): string[] | undefined {
  if (!content.startsWith("[")) return undefined;
  try {
    const parsed: unknown = JSON.parse(content);
    const isExecForm = Array.isArray(parsed) && parsed.every((word) => typeof word === "string");
    return isExecForm ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** @returns An image's name without registry, tag and digest: `docker.io/library/nginx:1` is nginx. */
export const repositoryOf = (image: string): string =>
  image.replace(/^(docker\.io\/)?(library\/)?/, "").split(/[:@]/, 1)[0] ?? "";
