import path from "node:path";
import { nameOfPath } from "../lib/search-path";
import { contains, realPathOf } from "./paths";

/**
 * Ensures that no program is looked up or run in a repository: npm and npx put `node_modules/.bin`
 * of the folder that they are called from at the beginning of PATH.
 * @param repository An absolute path.
 */
export function leaveRepository(repository: string): void {
  const name = nameOfPath(process.env);
  process.env[name] = pathOutside(repository, process.env[name] ?? "");
  process.chdir(path.parse(repository).root);
}

/** @returns The entries of PATH that are absolute, not npm's, and not in the repository. */
export function pathOutside(repository: string, searchPath: string): string {
  const folder = realPathOf(repository) ?? repository;
  const isOutside = (entry: string): boolean => {
    if (!path.isAbsolute(entry) || /[/\\]node_modules[/\\]\.bin[/\\]?$/.test(entry)) return false;
    const real = realPathOf(entry);
    return real !== undefined && !contains(folder, real);
  };
  return searchPath.split(path.delimiter).filter(isOutside).join(path.delimiter);
}
