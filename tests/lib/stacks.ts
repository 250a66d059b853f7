import { randomBytes } from "node:crypto";
import path from "node:path";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, type Stack } from "../../tools/lib/compose";
import { root } from "../../tools/lib/course";
import { run } from "../../tools/lib/run";
import { openTemporaryProject, type TemporaryProject } from "../../tools/lib/temporary-project";
import { runPrefix } from "./sweep";

/** `describe`, skipped without a Docker engine; engine.setup.ts has printed the reason. */
export const describeOnEngine = describe.skipIf(inject("engineMissing") !== undefined);

/** @returns A unique name, so that parallel tests and runs on one machine do not collide. */
export function ownName(what: string): string {
  return `${runPrefix(inject("run"))}${randomBytes(3).toString("hex")}-${what}`;
}

export interface TestStack extends Stack {
  project: string;
  env: Record<string, string>;
  ports: { proxy: number; frontEnd: number; backEnd: number; web: number; https: number };
}

/**
 * Gives the tests of a `describe` a temporary project for a folder's stack and removes it after them.
 * The fields are set before the first test.
 * @param folder From the repository's root, such as `task6`.
 * @param built The services that are built.
 * @param composeFiles By default docker-compose.yml.
 */
export function useStack(
  folder: string,
  built: readonly string[],
  composeFiles?: readonly string[],
): TestStack {
  const stack: TestStack = {
    folder: path.join(root, folder),
    project: ownName(folder),
    env: {},
    ports: { proxy: 0, frontEnd: 0, backEnd: 0, web: 0, https: 0 },
  };
  let temporary: TemporaryProject;

  beforeAll(async () => {
    const { folder, project } = stack;
    const portVariables = "PROXY FRONT_END BACK_END WEB HTTPS"
      .split(" ")
      .map((name) => `${name}_PORT`);
    const options = { folder, project, built, portVariables };
    temporary = await openTemporaryProject({ ...options, ...(composeFiles && { composeFiles }) });
    const [proxy = 0, frontEnd = 0, backEnd = 0, web = 0, https = 0] = Object.values(
      temporary.ports,
    );
    stack.ports = { proxy, frontEnd, backEnd, web, https };
    stack.env = temporary.env;
  });
  afterAll(() => temporary.remove());
  return stack;
}

/** Builds a stack, starts it and waits until every service is healthy. */
export async function bringUp(stack: Stack, args: readonly string[] = []): Promise<void> {
  await compose(stack, argv`up --detach --build --wait ${args}`);
}

/** @returns The ids of a project's containers, networks and volumes. */
export async function leftovers(project: string): Promise<string[]> {
  const label = `--filter=label=com.docker.compose.project=${project}`;
  const lists = await Promise.all(
    ["ps --all", "network ls", "volume ls"].map((list) =>
      run("docker", [...list.split(" "), "--quiet", label]),
    ),
  );
  return lists.join("\n").split("\n").filter(Boolean);
}
