import path from "node:path";
import type { ComposeModel } from "../../tools/lib/compose-model";
import { portVariable, root } from "../../tools/lib/course";
import { attempt } from "../../tools/lib/run";

const withoutPorts = Object.fromEntries(
  Object.values(portVariable).map((variable) => [variable, undefined]),
);

/**
 * Reads a stack as Docker's client understands it, with the default host ports.
 * @param args `compose` or `stack`, `config` and its options.
 * @param folder From the repository's root.
 * @throws {Error} if the client rejects the stack or warns about it.
 */
export async function readModel(
  args: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const cwd = path.join(root, folder);
  const { ok, stdout, stderr } = await attempt("docker", args, {
    cwd,
    env: { ...withoutPorts, ...env },
  });
  if (!ok || stderr !== "") throw new Error(`${folder}: ${stderr}`);
  return stdout;
}

/** {@link readModel} of docker-compose.yml. */
export async function composeModel(folder: string, env?: NodeJS.ProcessEnv): Promise<ComposeModel> {
  const json = await readModel(["compose", "config", "--format=json"], folder, env);
  return JSON.parse(json) as ComposeModel;
}
