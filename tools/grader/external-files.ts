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
