import { deviates, type Finding, failed } from "./point";

/** Spec, task 6: "the exact docker-compose command", and the text's own name for the service. */
export const exactCommand = "docker-compose up --scale back-end=2\n";

/** What a command line in `2-api-servers.txt` asks of Compose. */
export interface ScaleCommand {
  /** After `docker-compose`, such as `up --scale back-end=2`. */
  args: string[];
  /** Replicas by service. */
  scale: Record<string, number>;
  /** Counted from 1. */
  line: number;
}

/** The verdict where there is no such file. */
export const missingCommand = (file: string): Finding =>
  failed(
    "there is no 2-api-servers.txt in task6",
    `Create it with this one line: ${exactCommand.trim()}`,
    { file },
  );

/** Judges the file's bytes. */
export function judgeBytes(text: string, file: string): Finding | undefined {
  if (text === exactCommand) return undefined;
  const hint = `The text's checker compares it with one line, ${JSON.stringify(exactCommand)}.`;
  const cause = differenceFromExact(text);
  return deviates(cause, hint, { file, line: 1 });
}

function differenceFromExact(text: string): string {
  if (text.includes("\r")) return "it has Windows line ends";
  if (text.startsWith("\uFEFF")) return "it starts with a byte order mark";
  if (text.trim() === exactCommand.trim()) {
    return text.endsWith("\n")
      ? "it has white space around the command"
      : "its last newline is missing";
  }
  if (text.split("\n").some((line) => line.trim() === exactCommand.trim())) {
    return "it has more than the one line";
  }
  return `it says ${JSON.stringify(text.trim().slice(0, 120))}`;
}

/**
 * Finds the command in the file's text, whatever stands around it: comments, prompts, blank lines.
 * @returns The first one that brings Compose's services up; undefined where there is none.
 */
export function findCommand(text: string): ScaleCommand | undefined {
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const words = raw
      .replace(/^\uFEFF/, "")
      .replace(/^\s*[$>]\s+/, "")
      .trim()
      .split(/\s+/);
    const start = words[0] === "docker" && words[1] === "compose" ? 2 : 1;
    if (start === 1 && words[0] !== "docker-compose") continue;
    const args = words.slice(start);
    if (args.includes("up")) return { args, scale: scaleOf(args), line: index + 1 };
  }
  return undefined;
}

/** `--scale back-end=2` or `--scale=back-end=2`, once for each service. */
function scaleOf(args: readonly string[]): Record<string, number> {
  const pairs = args.flatMap((arg, index) => {
    if (arg === "--scale") return [args[index + 1] ?? ""];
    return arg.startsWith("--scale=") ? [arg.slice("--scale=".length)] : [];
  });
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const [, service, replicas] = /^["']?([\w.-]+)=(\d+)["']?$/.exec(pair) ?? [];
      return service === undefined ? [] : [[service, Number(replicas)]];
    }),
  );
}

/**
 * Judges what the command would do: does it start two API servers?
 * @param apiService The name of the API's service in this repository.
 * @param services All names in its compose file.
 */
export function judgeMeaning(
  text: string,
  apiService: string,
  services: readonly string[],
  file: string,
): Finding | undefined {
  const command = findCommand(text);
  if (command === undefined) {
    return failed("it holds no docker-compose up", `Write: ${exactCommand.trim()}`, { file });
  }
  const where = { file, line: command.line };
  const { [apiService]: replicas, ...others } = command.scale;
  const [stranger] = Object.keys(others).filter((name) => !services.includes(name));
  if (stranger !== undefined) {
    const known = services.join(", ");
    const cause = `it scales ${stranger}, which is no service here; services are ${known}`;
    return failed(cause, `Name the API's service: --scale ${apiService}=2`, where);
  }
  if (replicas === undefined) {
    const cause = `it does not scale the API's service, ${apiService}`;
    return failed(cause, `Add --scale ${apiService}=2`, where);
  }
  if (replicas !== 2) {
    return failed(
      `it starts ${replicas} API server${replicas === 1 ? "" : "s"}, not two`,
      `Write --scale ${apiService}=2`,
      where,
    );
  }
  return undefined;
}
