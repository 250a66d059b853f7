import { readText, type Task, type TaskFolder } from "./repository";

/** What the course's images are based on. */
const usual = ["ubuntu:latest", "nginx:latest", "node:24-slim"];

/** Of one repository; the course needs three. */
const maxImages = 20;

/**
 * Lists the images that a repository may build on, by reading its Dockerfiles line by line.
 * @returns Names as they are written, each once; stages are among them.
 */
export function baseImages(folders: ReadonlyMap<Task, TaskFolder>): string[] {
  const names = new Set(usual);
  for (const folder of folders.values()) {
    for (const file of folder.entries.keys()) {
      if (!/(^|\/)dockerfile[^/]*$/i.test(file)) continue;
      for (const line of (readText(folder, file) ?? "").split("\n")) {
        const [, image] =
          /^[ \t]*(?:FROM[ \t]+(?:--\S+[ \t]+)?|COPY[ \t]+--from=)([\w./:@-]{1,200})/i.exec(line) ??
          [];
        if (image !== undefined && names.size < maxImages) names.add(image);
      }
    }
  }
  return [...names];
}
