import { fullName } from "../lib/docker";
import { readYaml } from "./read";
import { decodeByMark, readText, type Task, type TaskFolder } from "./repository";
import { fileNames } from "./stack";

/** The base images of the course. */
const courseImages = ["ubuntu:latest", "nginx:latest", "node:24-slim"];

const maxImages = 20;

/**
 * Lists the images that a repository may build on, by reading its Dockerfiles line by line.
 * @returns Each name once, as it is written; names of stages are included.
 */
export function baseImages(folders: ReadonlyMap<Task, TaskFolder>): string[] {
  const names = new Set(courseImages);
  const pattern = /^[ \t]*(?:FROM[ \t]+(?:--\S+[ \t]+)?|COPY[ \t]+--from=)([\w./:@-]{1,200})/gim;
  for (const folder of folders.values()) {
    for (const file of folder.entries.keys()) {
      if (!/(^|\/)dockerfile[^/]*$/i.test(file)) continue;
      for (const [, image = ""] of (readText(folder, file) ?? "").matchAll(pattern)) {
        if (names.size < maxImages) names.add(image);
      }
    }
  }
  return [...names];
}

/** @returns The full names of the images that a repository's compose files build. */
export function ownImages(folders: ReadonlyMap<Task, TaskFolder>): Set<string> {
  const names = new Set<string>();
  for (const folder of folders.values()) {
    for (const file of fileNames) {
      for (const { image, build } of servicesIn(readText(folder, file, decodeByMark))) {
        if (typeof image === "string" && build !== undefined) names.add(fullName(image));
      }
    }
  }
  return names;
}

interface Written {
  services?: Record<string, { image?: unknown; build?: unknown } | null>;
}

/** @returns The services of a compose file as it is written; none if it cannot be read. */
function servicesIn(text: string | undefined) {
  try {
    const [written] = readYaml(text ?? "").values as (Written | null)[];
    return Object.values(written?.services ?? {}).filter((service) => service !== null);
  } catch {
    return [];
  }
}
