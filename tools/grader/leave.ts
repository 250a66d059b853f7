import { realpathSync } from "node:fs";
import path from "node:path";

/**
 * Sees to it that no program of this machine is looked up in a repository or works in it: npm and npx
 * put `node_modules/.bin` of the folder that they are called from in front of PATH.
 * @param repository An absolute path.
 */
export function leaveRepository(repository: string): void {
  process.env.PATH = pathOutside(repository, process.env.PATH ?? "");
  process.chdir(path.parse(repository).root);
}

/** @returns The entries of PATH that are absolute, not npm's, and not in the repository. */
export function pathOutside(repository: string, searchPath: string): string {
  const home = realPath(repository);
  const isOutside = (entry: string): boolean => {
    const way = path.relative(home, realPath(entry));
    return way === ".." || way.startsWith(`..${path.sep}`) || path.isAbsolute(way);
  };
  return searchPath
    .split(path.delimiter)
    .filter((entry) => path.isAbsolute(entry) && !/[/\\]node_modules[/\\]\.bin[/\\]?$/.test(entry))
    .filter(isOutside)
    .join(path.delimiter);
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return path.resolve(file);
  }
}
