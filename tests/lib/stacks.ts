import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { compose, type Stack, takeDown } from "../../tools/lib/compose";
import { root } from "../../tools/lib/course";
import { freePort } from "../../tools/lib/ports";
import { attempt, run } from "../../tools/lib/run";
import { runPrefix } from "./sweep";

/** `describe`, skipped where no Docker engine can be had; the reason is on stderr by then. */
export const describeOnEngine = describe.skipIf(inject("engineMissing") !== undefined);

/** A name of this test's own, so that parallel tests and parallel runs on one machine do not meet. */
export function ownName(what: string): string {
  return `${runPrefix(inject("run"))}${randomBytes(3).toString("hex")}-${what}`;
}

export interface TestStack extends Stack {
  folder: string;
  project: string;
  env: Record<string, string>;
  ports: { proxy: number; frontEnd: number; backEnd: number; web: number };
}

/**
 * Gives the tests of a `describe` a folder's stack under a project name, host ports and image names
 * of its own; the folder's files stay as they are, and an override file adds the image names.
 * Afterwards its containers, networks, volumes and images are removed.
 * @param folder From the repository's root, such as `task6`.
 * @param services Those of its docker-compose.yml that are built.
 */
export function useStack(folder: string, services: readonly string[]): TestStack {
  const project = ownName(folder);
  const stack: TestStack = {
    folder: path.join(root, folder),
    project,
    env: {},
    ports: { proxy: 0, frontEnd: 0, backEnd: 0, web: 0 },
  };
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), project));
    const override = path.join(scratch, "images.yml");
    const images = services.map((service) => `  ${service}: { image: "${project}-${service}" }`);
    await writeFile(override, `services:\n${images.join("\n")}\n`);
    stack.ports = {
      proxy: await freePort(),
      frontEnd: await freePort(),
      backEnd: await freePort(),
      web: await freePort(),
    };
    stack.env = {
      COMPOSE_FILE: `docker-compose.yml:${override}`,
      PROXY_PORT: String(stack.ports.proxy),
      FRONT_END_PORT: String(stack.ports.frontEnd),
      BACK_END_PORT: String(stack.ports.backEnd),
      WEB_PORT: String(stack.ports.web),
    };
  });
  afterAll(async () => {
    await takeDown(stack, ["--volumes"]);
    await attempt("docker", ["image", "rm", ...services.map((name) => `${project}-${name}`)]);
    await rm(scratch, { recursive: true, force: true });
  });
  return stack;
}

/** Builds a stack and brings it up in the background until every service is healthy. */
export async function bringUp(stack: Stack, args: readonly string[] = []): Promise<void> {
  await compose(stack, ["up", "--detach", "--build", "--wait", ...args]);
}

/**
 * Counts what a project has left in the engine.
 * @returns Ids of its containers, networks and volumes.
 */
export async function leftovers(project: string): Promise<string[]> {
  const label = `--filter=label=com.docker.compose.project=${project}`;
  const lists = await Promise.all([
    run("docker", ["ps", "--all", "--quiet", label]),
    run("docker", ["network", "ls", "--quiet", label]),
    run("docker", ["volume", "ls", "--quiet", label]),
  ]);
  return lists.join("\n").split("\n").filter(Boolean);
}
