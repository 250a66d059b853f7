import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import type { Build } from "../lib/compose-model";
import { contains, realPathOf } from "./paths";

/** A URL, or another form that is not a path. */
const address = /^([\w+.-]+:\/\/|git@|github\.com\/|oci-layout:|service:)/;

/** @returns Whether a target leads out of a folder, through links too, or is not a path. */
export function leadsOutside(folder: string, target: string): boolean {
  const real = realPathOf(path.resolve(folder, target));
  return address.test(target) || real === undefined || !contains(realpathSync(folder), real);
}

/** @returns The path of a build's Dockerfile; without one, Docker uses `dockerfile`. */
export function dockerfileOf({ context = "", dockerfile = "Dockerfile" }: Build): string {
  const file = path.resolve(context, dockerfile);
  const other = path.join(path.dirname(file), "dockerfile");
  return path.basename(file) === "Dockerfile" && !existsSync(file) && existsSync(other)
    ? other
    : file;
}
