import { fail } from "./point";

/** Spec, task 6: "the exact docker-compose command", and the text's own name for the service. */
export const exactCommand = "docker-compose up --scale back-end=2\n";

/**
 * Finds the command in the file's text, among comments, prompts and blank lines.
 * @returns The first `up` of Compose: its replicas by service, and its line, counted from 1.
 */
export function findCommand(
  text: string,
): { scale: Record<string, number>; line: number } | undefined {
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const command = line.replace(/^\s*[$>]\s+/, "").trim();
    const [, args] = /^(?:docker-compose|docker\s+compose)\s+(.*)$/.exec(command) ?? [];
    const words = args?.split(/\s+/) ?? [];
    if (words.includes("up")) return { scale: scaleOf(words), line: index + 1 };
  }
  return undefined;
}

/** `--scale back-end=2` or `--scale=back-end=2`, once for each service. */
function scaleOf(args: readonly string[]): Record<string, number> {
  const pairs = args.join(" ").matchAll(/(?<!\S)--scale[ =]["']?([\w.-]+)=(\d+)["']?(?!\S)/g);
  return Object.fromEntries(Array.from(pairs, ([, name, count]) => [name, Number(count)]));
}

/**
 * Judges what the command would do: does it start two replicas of the API?
 * @param apiService The name of the API's service in this repository.
 * @param services All names in its compose file.
 * @throws {Judgement} if it does not.
 */
export function judgeMeaning(
  text: string,
  apiService: string,
  services: readonly string[],
  file: string,
): void {
  const command = findCommand(text);
  if (command === undefined) {
    const hint = `Write: ${exactCommand.trim()}`;
    fail("it contains no docker-compose up", hint, { file });
  }
  const place = { file, line: command.line };
  const { [apiService]: replicas, ...others } = command.scale;
  const stranger = Object.keys(others).find((name) => !services.includes(name));
  if (stranger !== undefined) {
    const list = services.join(", ");
    const cause = `it scales ${stranger}, which is not a service; the services are ${list}`;
    fail(cause, `Use the API's service: --scale ${apiService}=2`, place);
  }
  if (replicas === undefined) {
    const cause = `it does not scale the API's service, ${apiService}`;
    fail(cause, `Add --scale ${apiService}=2`, place);
  }
  if (replicas === 2) return;
  const cause = `it starts ${replicas} replica${replicas === 1 ? "" : "s"} of the API, not two`;
  fail(cause, `Write --scale ${apiService}=2`, place);
}
