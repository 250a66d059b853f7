import path from "node:path";
import { root } from "../lib/course";

/**
 * Names this command as the user called it, for `--help`.
 * @param script The file that node runs: of this repository, or the program of the package.
 * @param env What npm and npx set.
 */
export function nameOfCommand(script: string, env: NodeJS.ProcessEnv): string {
  const name = "softy-pinko-grade";
  if (path.basename(script) === "cli.ts") return "npm run grade --";
  if (env.npm_lifecycle_event !== "npx") return name;
  if (env.npm_config_package) return `npx --package=${env.npm_config_package} ${name}`;
  // From a temporary folder, `npx softy-pinko-grade` would ask the registry for another package
  return script.split(path.sep).includes("_npx") ? name : `npx ${name}`;
}

/** @returns The path of the documentation, from the folder in which the user is. */
export const pathOfDocs = (): string =>
  path.relative(process.cwd(), path.join(root, "docs/grader.md"));
