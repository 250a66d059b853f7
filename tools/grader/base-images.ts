import { fullName } from "../lib/docker";
import { readText, type Task, type TaskFolder } from "./repository";

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

/** @returns The images that a repository's compose files name, without Docker's official ones. */
export function ownImages(folders: ReadonlyMap<Task, TaskFolder>): Set<string> {
  const names = new Set<string>();
  for (const folder of folders.values()) {
    for (const file of folder.entries.keys()) {
      if (!/^(docker-)?compose\.ya?ml$/.test(file)) continue;
      const lines = (readText(folder, file) ?? "").matchAll(
        /^[ \t]+image:[ \t]*["']?([\w./:-]{1,200})/gm,
      );
      for (const [, image = ""] of lines) names.add(fullName(image));
    }
  }
  return names;
}
