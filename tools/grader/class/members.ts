import { createHash } from "node:crypto";
import { type Dirent, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../lib/errors";
import { printableLine } from "../../lib/printable";
import { contains, realPathOf } from "../paths";

/** A repository of a class. */
export interface Member {
  /** An absolute path. */
  folder: string;
  /** The folder's name on one line, safe to print. */
  name: string;
  /** The name of its folder in the output folder. */
  output: string;
  /** Why it is not graded, if that is known without opening it. */
  problem?: string;
}

/**
 * Lists the repositories of a class.
 * @param folders Each is a repository.
 * @param parent A folder whose subfolders are repositories, except hidden ones and the output folder.
 * @param out The output folder.
 * @throws {UserError} if there is none, or if the output folder is in one of them.
 */
export function findMembers(
  folders: readonly string[],
  parent: string | undefined,
  out: string,
): Member[] {
  const output = realPathOf(out) ?? out;
  const inner = parent === undefined ? [] : subfoldersOf(parent);
  const listed = inner.filter(({ folder }) => realPathOf(folder) !== output);
  const given = folders.map((folder) => ({ folder: path.resolve(folder), isLink: false }));
  const links = new Map([...given, ...listed].map(({ folder, isLink }) => [folder, isLink]));
  if (links.size === 0) throw new UserError(`${parent} has no subfolder: give the class's folder.`);
  for (const folder of links.keys()) {
    if (contains(realPathOf(folder) ?? folder, output)) {
      throw new UserError(`${out} is in the repository ${folder}: choose another with --out.`);
    }
  }
  const outputs = outputNames([...links.keys()]);
  return Array.from(links, ([folder, isLink], index) => ({
    folder,
    name: printableLine(path.basename(folder)).trim() || "(no name)",
    output: outputs[index] as string,
    ...(isLink && { problem: "it is a symbolic link, which the grader does not follow" }),
  }));
}

function subfoldersOf(parent: string) {
  const folder = path.resolve(parent);
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    throw new UserError(`${folder} cannot be read: give the folder of the class.`);
  }
  return entries
    .filter((entry) => !entry.name.startsWith("."))
    .map((entry) => ({
      folder: path.join(folder, entry.name),
      isFolder: entry.isDirectory(),
      isLink: entry.isSymbolicLink(),
    }))
    .filter(({ folder, isFolder, isLink }) => isFolder || (isLink && leadsToFolder(folder)))
    .sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

function leadsToFolder(link: string): boolean {
  try {
    return statSync(link).isDirectory();
  } catch {
    return false;
  }
}

/** Files of the output folder, and device names of Windows. */
const reserved = /^(index\.html|class\.csv|(con|prn|aux|nul|com\d|lpt\d)(\.|$))/i;

const maxCharacters = 60;

/**
 * Names the folders of a class's reports: without separators, leading dots and dashes and characters
 * that a shell or a spreadsheet would interpret; different even if case does not matter.
 * @param folders Absolute paths, no two the same. A name depends on the paths alone.
 */
export function outputNames(folders: readonly string[]): string[] {
  const names = folders.map(plainName);
  const counts = new Map<string, number>();
  for (const name of names) counts.set(keyOf(name), (counts.get(keyOf(name)) ?? 0) + 1);
  const isFree = (name: string): boolean => counts.get(keyOf(name)) === 1 && !reserved.test(name);
  const used = new Set(names.filter(isFree).map(keyOf));
  return names.map((name, index) => {
    if (isFree(name)) return name;
    const hash = createHash("sha256").update(String(folders[index])).digest("hex");
    let unique = `${name}-${hash.slice(0, 8)}`;
    if (reserved.test(unique)) unique = `repository-${unique}`;
    while (used.has(keyOf(unique))) unique += "-";
    used.add(keyOf(unique));
    return unique;
  });
}

const keyOf = (name: string): string => name.normalize("NFKC").toLowerCase();

function plainName(folder: string): string {
  const characters = path
    .basename(folder)
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "-");
  const start = Array.from(characters.replace(/^[.-]+/, "")).slice(0, maxCharacters);
  return start.join("").replace(/[.-]+$/, "") || "repository";
}
