import path from "node:path";
import { afterAll } from "vitest";
import { root } from "../../tools/lib/course";
import { freePort } from "../../tools/lib/ports";
import { attempt, run } from "../../tools/lib/run";
import { ownName } from "./stacks";

/** A container that runs an image of a task, built and started as the course types it. */
export interface RunningPart {
  image: string;
  container: string;
  url: string;
  stop(): Promise<unknown>;
}

/**
 * Builds an image as the course does: `docker build -f CONTEXT/Dockerfile -t IMAGE CONTEXT`, in the
 * task's folder, under a name of the test's own. It is removed after the tests of the `describe`.
 * @returns The image's name.
 */
export async function buildImage(task: string, context: string): Promise<string> {
  const image = ownName(task);
  await run("docker", ["build", "-f", `${context}/Dockerfile`, "-t", image, context], {
    cwd: path.join(root, task),
  });
  return image;
}

/**
 * Starts an image as the course does, `docker run -p PORT:PORT --rm --name NAME IMAGE`, but in the
 * background and on a host port of its own.
 * @param port The container's port.
 */
export async function startImage(image: string, port: number): Promise<RunningPart> {
  const container = `${image}-container`;
  const hostPort = await freePort();
  await run("docker", [
    ...["run", "--detach", "-p", `${hostPort}:${port}`, "--rm", "--name", container, image],
  ]);
  const stop = (): Promise<unknown> => run("docker", ["stop", container]);
  return { image, container, url: `http://localhost:${hostPort}`, stop };
}

/** Removes images and their containers once the tests of a `describe` are over. */
export function removeAfterwards(images: () => readonly string[]): void {
  afterAll(async () => {
    for (const image of images()) {
      await attempt("docker", ["rm", "--force", `${image}-container`]);
      await attempt("docker", ["image", "rm", "--force", image]);
    }
  });
}
