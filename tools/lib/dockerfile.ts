import { execFormOf, readStatements, type Statement } from "./dockerfile-statements";

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
  for (const instruction of readStatements(text).map(parseStatement)) {
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

/** Parses a statement's flags and arguments. */
export function parseStatement({ keyword, flags, rest, heredoc, line }: Statement): Instruction {
  const strings = execFormOf(rest);
  const words = `${rest} ${keyword === "RUN" ? heredoc : ""}`.split(/\s+/).filter(Boolean);
  const pairs = flags.map((flag) => {
    const [name = "", ...value] = flag.slice(2).split("=");
    return [name, value.join("=")] as const;
  });
  return {
    keyword,
    args: strings ?? words,
    flags: Object.fromEntries(pairs),
    execForm: strings !== undefined,
    line,
  };
}

/** @returns An image's name without registry, tag and digest: `docker.io/library/nginx:1` is nginx. */
export const repositoryOf = (image: string): string =>
  image.replace(/^(docker\.io\/)?(library\/)?/, "").split(/[:@]/, 1)[0] ?? "";
