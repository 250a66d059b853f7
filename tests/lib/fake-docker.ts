import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { attempt } from "../../tools/lib/run";

/** How a command of Docker's client fails. */
export interface Failure {
  /** A pattern of the shell for its arguments, such as `build *`. */
  command: string;
  /** What it prints on stderr. */
  message: string;
  exitCode?: number;
}

/**
 * Writes a `docker` that fails one command with a message, and passes all others on to the real one.
 * @returns A PATH in which it comes first, and a file that exists once the command has failed.
 */
export async function fakeDocker(
  folder: string,
  { command, message, exitCode = 1 }: Failure,
): Promise<{ PATH: string; used: string }> {
  const { stdout: docker } = await attempt("sh", ["-c", "command -v docker"]);
  const fake = path.join(folder, "docker");
  await mkdir(folder, { recursive: true });
  await writeFile(`${fake}.message`, `${message}\n`);
  const pattern = command.replaceAll(" ", "\\ ");
  const script = `#!/bin/sh
case "$*" in
  ${pattern}) touch "$0.used"; cat "$0.message" >&2; exit ${exitCode} ;;
esac
exec ${docker} "$@"
`;
  await writeFile(fake, script, { mode: 0o755 });
  const used = `${fake}.used`;
  await rm(used, { force: true });
  return { PATH: `${folder}:${process.env.PATH}`, used };
}
