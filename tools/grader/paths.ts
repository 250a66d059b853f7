import { lstatSync, realpathSync } from "node:fs";
import path from "node:path";

/** @returns Whether a folder contains or is a file; both paths are absolute and without links. */
export function contains(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  const isAbove = relative === ".." || relative.startsWith(`..${path.sep}`);
  return !isAbove && !path.isAbsolute(relative);
}

/**
 * Follows symbolic links as the kernel does.
 * @returns Where a path leads; its last parts may be missing. Undefined for a dead link.
 */
export function realPathOf(target: string): string | undefined {
  try {
    // realpathSync itself resolves `..` after a link by the path's text
    if (lstatSync(target, { throwIfNoEntry: false })) return realpathSync.native(target);
  } catch {
    return undefined;
  }
  const parent = realPathOf(path.dirname(target));
  return parent && path.join(parent, path.basename(target));
}
