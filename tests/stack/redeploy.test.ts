import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { listContainers, type Stack } from "../../tools/lib/compose";
import { CommandError, UserError } from "../../tools/lib/errors";
import type { Answer } from "../../tools/lib/http";
import { redeploy } from "../../tools/lib/redeploy";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { fetchDuring } from "../lib/load";
import { bringUp, describeOnEngine, useStack } from "../lib/stacks";

describeOnEngine("a redeploy of production's API", () => {
  const stack = useStack("production", ["back-end", "front-end", "proxy"]);
  const target = () => ({
    service: "back-end",
    url: `http://localhost:${stack.ports.proxy}/api/hello`,
  });
  const serverIds = async (): Promise<string[]> =>
    (await listContainers(stack, "back-end")).map(({ id }) => id);
  const imagesOf = (ids: readonly string[]): Promise<string> =>
    run("docker", argv`inspect --format={{.Image}} ${ids}`);
  beforeAll(() => bringUp(stack, argv`--scale back-end=2`));

  /** The same stack with another override file, for a new image or container of the API. */
  async function withChange(backEnd: string): Promise<Stack> {
    const { COMPOSE_FILE = "" } = stack.env;
    const override = path.join(path.dirname(COMPOSE_FILE.split(":")[1] ?? ""), "change.yml");
    await writeFile(override, `services:\n  back-end:\n    ${backEnd}\n`);
    return { ...stack, env: { ...stack.env, COMPOSE_FILE: `${COMPOSE_FILE}:${override}` } };
  }

  const responsesDuring = (work: () => Promise<void>): Promise<Answer[]> =>
    fetchDuring(target().url, { connections: 4 }, work);

  const isWrong = ({ status, body }: Answer): boolean => status !== 200 || body !== "Hello, World!";

  it("replaces every server without a failed request", async () => {
    const before = await serverIds();
    const oldImages = await imagesOf(before);
    const responses = await responsesDuring(async () => {
      const version = await withChange('build: { labels: { version: "2" } }');
      expect(await redeploy(version, target())).toHaveLength(2);
    });
    expect(responses.length).toBeGreaterThan(100);
    expect(responses.filter(isWrong)).toEqual([]);

    const after = await serverIds();
    expect(after).toHaveLength(2);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    expect(await imagesOf(after)).not.toBe(oldImages);
  });

  it("keeps the old servers if the new version does not become healthy", async () => {
    const before = await serverIds();
    const unhealthy = `healthcheck: { test: [CMD, 'false'], interval: 200ms, retries: 1, start_period: 0s }`;
    const responses = await responsesDuring(async () => {
      const version = await withChange(unhealthy);
      await expect(redeploy(version, target())).rejects.toThrow(CommandError);
    });
    expect(responses.filter(isWrong)).toEqual([]);
    expect(await serverIds()).toEqual(before);
  });

  it("keeps the old servers on Ctrl-C", async () => {
    const before = await serverIds();
    const controller = new AbortController();
    const started = waitUntil(async () => (await serverIds()).length > before.length, {
      for: "a new server",
      timeoutMs: 10_000,
      intervalMs: 20,
    }).then(() => controller.abort());
    const { signal } = controller;
    await expect(redeploy(stack, { ...target(), signal })).rejects.toThrow();
    await started;
    expect(await serverIds()).toEqual(before);
  });

  it("is an error of the user if nothing runs", async () => {
    const other: Stack = { ...stack, project: `${stack.project}-other` };
    await expect(redeploy(other, target())).rejects.toThrow(UserError);
  });
});
