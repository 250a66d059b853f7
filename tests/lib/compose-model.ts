import path from "node:path";
import { root } from "../../tools/lib/course";
import { run } from "../../tools/lib/run";
import type { ComposeModel } from "../contract/rules/compose";

/** Variables of the shell that would move a port, taken away. */
export const portsAsInTheText = {
  BACK_END_PORT: undefined,
  FRONT_END_PORT: undefined,
  PROXY_PORT: undefined,
  WEB_PORT: undefined,
};

/**
 * Reads a stack as Compose itself understands it.
 * @param folder From the repository's root.
 */
export async function modelOf(
  folder: string,
  env: NodeJS.ProcessEnv = portsAsInTheText,
): Promise<ComposeModel> {
  const cwd = path.join(root, folder);
  const json = await run("docker", ["compose", "config", "--format", "json"], { cwd, env });
  return JSON.parse(json) as ComposeModel;
}
