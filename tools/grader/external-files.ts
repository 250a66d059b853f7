import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { Build } from "./compose-model";
import { staysInside } from "./paths";
import { type Finding, failed } from "./point";
import { readYaml, unreadable } from "./read";

/** Far more than a compose file of the course needs. */
const max = { fileBytes: 1_000_000, parts: 20, files: 200 };

/** A URL, or another form that is not a path. */
const address = /^([\w+.-]+:\/\/|git@|github\.com\/|oci-layout:|service:)/;

/** @returns Whether a target leads out of a folder, through links too, or is not a path. */
export const leadsOutside = (folder: string, target: string): boolean =>
  address.test(target) || !staysInside(realpathSync(folder), path.resolve(folder, target));

/** @returns The path of a build's Dockerfile; without one, Docker uses `dockerfile`. */
export function dockerfileOf({ context = "", dockerfile = "Dockerfile" }: Build): string {
  const file = path.resolve(context, dockerfile);
  const other = path.join(path.dirname(file), "dockerfile");
  return path.basename(file) === "Dockerfile" && !existsSync(file) && existsSync(other)
    ? other
    : file;
}

/** @returns The text of a file; undefined if it is not a regular file, or too large. */
export function readSmall(file: string): string | undefined {
  try {
    const stat = statSync(file);
    return stat.isFile() && stat.size <= max.fileBytes ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds a file outside a folder that Compose would read together with a compose file: its content
 * would be in Compose's output.
 * @param file A compose file in that folder.
 * @returns The setting, such as `env_file /etc/passwd`; undefined if all files are inside.
 * @throws {Error} if that cannot be determined: a part of it is missing or unreadable.
 */
export function externalFile(folder: string, file: string): string | undefined {
  // Compose reads it by default
  if (leadsOutside(folder, ".env")) return ".env";
  const references = referencesIn(folder, file);
  let external = references.find(({ isExternal }) => isExternal);
  if (external === undefined) {
    const parts = references.filter(isPart);
    if (parts.length > max.parts) throw new Error(`it has more than ${max.parts} parts`);
    const inner = parts.flatMap(({ target }) => referencesIn(folder, target));
    // Versions of Compose resolve the paths in nested parts differently
    external = inner.find((reference) => reference.isExternal || isPart(reference));
  }
  return external && `${external.key} ${external.target}`;
}

/** A file that a compose file names. */
interface Reference {
  key: string;
  target: string;
  isExternal: boolean;
}

/** Compose reads these files as parts of the compose file. */
const isPart = ({ key }: Reference): boolean => key === "include" || key === "extends";

/** @returns Every file that Compose reads because a compose file names it. */
function referencesIn(folder: string, file: string): Reference[] {
  const references: Reference[] = [];
  const isExternal = (key: string, target: string): boolean => {
    if (key === "project_directory" || path.isAbsolute(target)) return true;
    if (/^[\w+.-]+:|\$/.test(target)) return true;
    // A path is relative to its own file, or to the folder of the first one
    const bases = [".", path.dirname(file)];
    return bases.some((base) => leadsOutside(folder, path.join(base, target)));
  };
  const add = (key: string, value: unknown, depth = 0): void => {
    // The deepest form in Compose's schema is a list of parts with lists of paths
    if (depth > 3) return;
    if (references.length > max.files) throw new Error(`it names more than ${max.files} files`);
    if (typeof value === "string") {
      references.push({ key, target: value, isExternal: isExternal(key, value) });
    } else if (Array.isArray(value)) {
      for (const element of value) add(key, element, depth + 1);
    } else if (isRecord(value)) {
      for (const inner of ["path", "file"]) add(key, value[inner], depth + 1);
      for (const inner of ["env_file", "project_directory"]) add(inner, value[inner], depth + 1);
    }
  };
  for (const document of readPart(folder, file).filter(isRecord)) {
    add("include", document.include);
    const { services } = document;
    for (const service of Object.values(isRecord(services) ? services : {}).filter(isRecord)) {
      add("env_file", service.env_file);
      add("label_file", service.label_file);
      // A string is the name of a service
      if (typeof service.extends !== "string") add("extends", service.extends);
    }
  }
  return references;
}

function readPart(folder: string, file: string): readonly unknown[] {
  const fullPath = path.resolve(folder, file);
  if (!existsSync(fullPath)) throw new Error(`there is no ${file}`);
  try {
    return readYaml(readSmall(fullPath)).values;
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Judges a compose file before Compose reads it. */
export function judgeExternalFile(folder: string, name: string, file: string): Finding | undefined {
  const hint = "The course does not need this, so the task is not run. Remove it.";
  try {
    const external = externalFile(folder, name);
    if (external === undefined) return undefined;
    return failed(`it asks for files from outside its folder: ${external}`, hint, { file });
  } catch (error) {
    return unreadable(error, hint, file);
  }
}
