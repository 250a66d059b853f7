import path from "node:path";

/** More than `npm install` needs. They limit the time that nested links take. */
const max = { followed: 8, steps: 64, targetLength: 400 };

/**
 * Follows a symbolic link as the kernel does, before the copy has it.
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
  const current = path.posix
    .dirname(link)
    .split("/")
    .filter((part) => part !== ".");
  const parts = [path.posix.basename(link)];
  let followed = 0;
  for (let steps = 0; steps <= max.steps; steps += 1) {
    const part = parts.pop();
    if (part === undefined) return true;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (current.pop() === undefined) return false;
      continue;
    }
    const file = [...current, part].join("/");
    const target = links.get(file);
    if (target === undefined) {
      const isFolder = copied.get(file);
      if (isFolder === undefined || (!isFolder && parts.length > 0)) return false;
      current.push(part);
    } else {
      followed += 1;
      if (followed > max.followed || target.length > max.targetLength) return false;
      if (target.startsWith("/")) return false;
      parts.push(...target.split("/").reverse());
    }
  }
  return false;
}
