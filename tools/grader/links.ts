import path from "node:path";

/** More than `npm install` needs. They bound the time that a tangle of links takes. */
const max = { followed: 8, steps: 64, targetLength: 400 };

/**
 * Follows a symbolic link as the kernel does, in a copy that is not there yet.
 * @param link Its path in the copy.
 * @param links The targets of all links, by path.
 * @param copied Whether each other path is a folder.
 * @returns Whether it leads to a file or folder of the copy without ever leaving it.
 */
export function staysInside(
  link: string,
  links: ReadonlyMap<string, string>,
  copied: ReadonlyMap<string, boolean>,
): boolean {
  const at = path.posix
    .dirname(link)
    .split("/")
    .filter((part) => part !== ".");
  const parts = [path.posix.basename(link)];
  let followed = 0;
  for (let steps = 0; parts.length > 0; steps += 1) {
    if (steps > max.steps) return false;
    const part = parts.pop() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) return false;
      continue;
    }
    const file = [...at, part].join("/");
    const target = links.get(file);
    if (target === undefined) {
      const isFolder = copied.get(file);
      if (isFolder === undefined || (!isFolder && parts.length > 0)) return false;
      at.push(part);
    } else {
      followed += 1;
      if (followed > max.followed || target.length > max.targetLength) return false;
      if (target.startsWith("/")) return false;
      parts.push(...target.split("/").reverse());
    }
  }
  return true;
}
