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
 * @throws {Error} if there is no FROM, or another instruction than ARG comes before it.
 */
export function parseDockerfile(text: string): [Stage, ...Stage[]] {
  const stages: Stage[] = [];
  for (const instruction of readStatements(text).map(parseStatement)) {
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
  if (first === undefined) throw new Error("it is no Dockerfile: it has no FROM");
  return [first, ...others];
}

/** @returns The stage that the image consists of. */
export function lastStage(stages: readonly [Stage, ...Stage[]]): Stage {
  return stages.at(-1) ?? stages[0];
}

/** Takes a statement's arguments apart. */
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
