import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { listContainers, type Stack } from "../../tools/lib/compose";
import { CommandError, UserError } from "../../tools/lib/errors";
import { type Answer, fetchMany } from "../../tools/lib/http";
import { redeploy } from "../../tools/lib/redeploy";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { bringUp, describeOnEngine, type TestStack, useStack } from "../lib/stacks";

describeOnEngine("a new version of production's API", () => {
  const stack = useStack("production", ["back-end", "front-end", "proxy"]);
  const url = (): string => `http://localhost:${stack.ports.proxy}/api/hello`;
  const servers = async (): Promise<string[]> =>
    (await listContainers(stack, "back-end")).map(({ id }) => id);
  beforeAll(() => bringUp(stack, ["--scale", "back-end=2"]));

  /** The same stack with a further override, which makes another image or container of it. */
  async function changed(backEnd: string): Promise<Stack> {
    const override = path.join(
      path.dirname(stack.env.COMPOSE_FILE?.split(":")[1] ?? ""),
      "new.yml",
    );
    await writeFile(override, `services:\n  back-end:\n    ${backEnd}\n`);
    return {
      ...stack,
      env: { ...stack.env, COMPOSE_FILE: `${stack.env.COMPOSE_FILE}:${override}` },
    };
  }

  it("replaces every server without a single failed request", async () => {
    const before = await servers();
    const oldImage = await run("docker", ["inspect", "--format={{.Image}}", ...before]);
    const during = await whileAsked(url(), async () => {
      const version = await changed('build: { labels: { version: "2" } }');
      const fresh = await redeploy(version, { service: "back-end", url: url() });
      expect(fresh).toHaveLength(2);
    });
    expect(during.length).toBeGreaterThan(100);
    expect(during.filter(isWrong)).toEqual([]);

    const after = await servers();
    expect(after).toHaveLength(2);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    const newImage = await run("docker", ["inspect", "--format={{.Image}}", ...after]);
    expect(newImage).not.toBe(oldImage);
  });

  it("that does not become healthy is taken back, and the old servers go on", async () => {
    const before = await servers();
    const ill =
      "healthcheck: { test: [CMD, 'false'], interval: 200ms, retries: 1, start_period: 0s }";
    const during = await whileAsked(url(), async () => {
      const attempted = redeploy(await changed(ill), { service: "back-end", url: url() });
      await expect(attempted).rejects.toThrow(CommandError);
    });
    expect(during.filter(isWrong)).toEqual([]);
    expect(await servers()).toEqual(before);
  });

  it("is taken back on Ctrl-C", async () => {
    const before = await servers();
    const controller = new AbortController();
    const abortOnceStarted = async (): Promise<void> => {
      await waitUntil(async () => (await servers()).length > before.length, {
        for: "a new server",
        timeoutMs: 10_000,
        intervalMs: 20,
      });
      controller.abort();
    };
    const aborting = abortOnceStarted();
    const { signal } = controller;
    await expect(redeploy(stack, { service: "back-end", url: url(), signal })).rejects.toThrow();
    await aborting;
    expect(await servers()).toEqual(before);
  });

  it("has nothing to replace where nothing runs", async () => {
    const nobody: TestStack = { ...stack, project: `${stack.project}-nobody` };
    await expect(redeploy(nobody, { service: "back-end", url: url() })).rejects.toThrow(UserError);
  });
});

const isWrong = ({ status, body }: Answer): boolean => status !== 200 || body !== "Hello, World!";

/** @returns Every answer that came while something was done. */
async function whileAsked(url: string, work: () => Promise<void>): Promise<Answer[]> {
  const controller = new AbortController();
  const asking = fetchMany(url, { connections: 4, signal: controller.signal });
  try {
    await work();
  } finally {
    controller.abort();
  }
  return asking;
}
