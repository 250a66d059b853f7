import path from "node:path";
import { afterAll } from "vitest";
import { root } from "../../tools/lib/course";
import { freePort } from "../../tools/lib/ports";
import { attempt, run } from "../../tools/lib/run";
import { ownName } from "./stacks";

/** A container that runs an image of a task, built and started as the course types it. */
export interface RunningPart {
  container: string;
  url: string;
  stop(): Promise<unknown>;
}

/** A task that the course builds and runs by hand. */
export interface Parts {
  /**
   * Builds an image as the course does, `docker build -f CONTEXT/Dockerfile -t IMAGE CONTEXT` in
   * the task's folder, but under a name of the test's own.
   * @returns That name.
   */
  build(context: string): Promise<string>;
  /**
   * Builds an image and starts it as the course does, `docker run -p PORT:PORT --rm --name NAME
   * IMAGE`, but in the background and on a host port of its own.
   * @param port The container's port.
   */
  start(context: string, port: number): Promise<RunningPart>;
}

/** Lets the tests of a `describe` build and run a task's images, and removes them afterwards. */
export function useParts(task: string): Parts {
  const images: string[] = [];
  const containerOf = (image: string): string => `${image}-container`;

  afterAll(async () => {
    for (const image of images) {
      await attempt("docker", ["rm", "--force", containerOf(image)]);
      await attempt("docker", ["image", "rm", "--force", image]);
    }
  });

  const build = async (context: string): Promise<string> => {
    const image = ownName(task);
    images.push(image);
    await run("docker", ["build", "-f", `${context}/Dockerfile`, "-t", image, context], {
      cwd: path.join(root, task),
    });
    return image;
  };
  const start = async (context: string, port: number): Promise<RunningPart> => {
    const image = await build(context);
    const container = containerOf(image);
    const hostPort = await freePort();
    await run("docker", [
      ...["run", "--detach", "-p", `${hostPort}:${port}`, "--rm", "--name", container, image],
    ]);
    const stop = (): Promise<unknown> => run("docker", ["stop", container]);
    return { container, url: `http://localhost:${hostPort}`, stop };
  };
  return { build, start };
}
