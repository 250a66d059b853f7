import path from "node:path";
import { afterAll } from "vitest";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { freePort } from "../../tools/lib/ports";
import { attempt, run } from "../../tools/lib/run";
import { ownName } from "./stacks";

/** A running container of a task's image. */
export interface RunningPart {
  container: string;
  url: string;
  stop(): Promise<unknown>;
}

/**
 * Lets the tests of a `describe` build and run images of a task as the course does, with `docker build`
 * and `docker run`, and removes them after the tests.
 * @param repository Returns the repository's folder, if it is another one.
 */
export function useParts(task: string, repository: () => string = () => root) {
  const images: string[] = [];
  const containerOf = (image: string): string => `${image}-container`;

  afterAll(async () => {
    for (const image of images) {
      await attempt("docker", argv`rm --force ${containerOf(image)}`);
      await attempt("docker", argv`image rm --force ${image}`);
    }
  });

  /** Builds an image with a unique name, and returns that. */
  const build = async (context: string): Promise<string> => {
    const image = ownName(task);
    images.push(image);
    const cwd = path.join(repository(), task);
    await run("docker", argv`build -f ${context}/Dockerfile -t ${image} ${context}`, { cwd });
    return image;
  };
  /** Builds an image and starts it in the background, with the container's port on a free host port. */
  const start = async (context: string, port: number): Promise<RunningPart> => {
    const image = await build(context);
    const container = containerOf(image);
    const hostPort = await freePort();
    const options = argv`--detach -p ${hostPort}:${port} --rm --name ${container}`;
    await run("docker", argv`run ${options} ${image}`);
    const stop = (): Promise<unknown> => run("docker", ["stop", container]);
    return { container, url: `http://localhost:${hostPort}`, stop };
  };
  return { build, start };
}
