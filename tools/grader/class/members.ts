import { createHash } from "node:crypto";
import { lstatSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../lib/errors";
import { printableLine } from "../../lib/printable";
import { contains, realPathOf } from "../paths";
import type { Member } from "./member";

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
  const inner = parent === undefined ? [] : subfoldersOf(path.resolve(parent));
  const listed = new Set(inner.filter((folder) => realPathOf(folder) !== output));
  const all = [...new Set([...folders.map((folder) => path.resolve(folder)), ...listed])];
  if (all.length === 0) throw new UserError(`${parent} has no subfolder: give the class's folder.`);
  for (const folder of all) {
    if (contains(realPathOf(folder) ?? folder, output)) {
      throw new UserError(`${out} is in the repository ${folder}: choose another with --out.`);
    }
  }
  const outputs = outputNames(all);
  const isLink = (folder: string): boolean =>
    listed.has(folder) && lstatSync(folder).isSymbolicLink();
  return all.map((folder, index) => ({
    folder,
    name: printableLine(path.basename(folder)).trim() || "(no name)",
    output: outputs[index] as string,
    ...(isLink(folder) && { problem: "it is a symbolic link, which the grader does not follow" }),
  }));
}

/** @returns The visible folders in a folder, and the links to folders. */
function subfoldersOf(parent: string): string[] {
  try {
    return readdirSync(parent)
      .filter((name) => !name.startsWith("."))
      .map((name) => path.join(parent, name))
      .filter((file) => statSync(realPathOf(file) ?? "", { throwIfNoEntry: false })?.isDirectory())
      .sort();
  } catch {
    throw new UserError(`${parent} cannot be read: give the folder of the class.`);
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
  const keys = names.map(keyOf);
  const used = new Set(keys);
  return names.map((name, index) => {
    if (keys.indexOf(keyOf(name)) === keys.lastIndexOf(keyOf(name))) return name;
    const hash = createHash("sha256").update(String(folders[index])).digest("hex");
    let unique = `${name}-${hash.slice(0, 8)}`;
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
  const name = start.join("").replace(/[.-]+$/, "");
  return name === "" || reserved.test(name) ? `repository-${name}`.replace(/-$/, "") : name;
}
