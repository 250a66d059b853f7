import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import type { Build } from "../lib/compose-model";
import { staysInside } from "./paths";

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

/**
 * Finds a setting with which Compose would read a file outside a folder, or another compose file,
 * whose own settings would have to be checked as well. The content would be in Compose's output.
 * @param documents The compose file in that folder, parsed.
 * @returns The setting, such as `env_file /etc/passwd`.
 */
export function externalFile(folder: string, documents: readonly unknown[]): string | undefined {
  // Compose reads it by default
  if (leadsOutside(folder, ".env")) return ".env";
  const files: { key: string; file: string }[] = [];
  for (const { include, services } of documents.filter(isRecord)) {
    if (include !== undefined) return "include";
    for (const service of Object.values(isRecord(services) ? services : {}).filter(isRecord)) {
      // Without a file, it extends a service of the same one
      if (isRecord(service.extends) && "file" in service.extends) return "extends";
      for (const key of ["env_file", "label_file"]) {
        for (const file of filesIn(service[key])) files.push({ key, file });
      }
    }
  }
  const external = files.find(({ file }) => file.includes("$") || leadsOutside(folder, file));
  return external && `${external.key} ${external.file}`;
}

/** @returns The paths in a setting: a path, or a list of paths or of records with a path. */
function filesIn(setting: unknown): string[] {
  const elements = Array.isArray(setting) ? setting : [setting];
  return elements
    .map((element) => (isRecord(element) ? element.path : element))
    .filter((file) => typeof file === "string");
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
