import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { type Copy, copyRepository } from "../lib/copy";
import { useHttpsStack } from "../lib/https";
import { useParts } from "../lib/parts";
import { bringUp, describeOnEngine, useStack } from "../lib/stacks";

let copy: Copy;
beforeAll(async () => {
  copy = await copyRepository();
  // As git clones under `umask 077`
  await run("chmod", argv`-R go= ${copy.folder}`);
});
afterAll(() => copy.remove());

// The folders of task3, task4 and task5 have the files of these: lineage.test.ts
describeOnEngine("a clone that only its owner can read", () => {
  const parts = useParts("task2", () => copy.folder);

  it("serves task2's page", async () => {
    const { url } = await parts.start("./front-end", 9000);
    await expect.poll(async () => (await fetchAnswer(`${url}/styles.css`)).status).toBe(200);
  });
});

describeOnEngine.each([
  { folder: "task6", built: ["back-end", "front-end", "proxy"], port: "proxy", api: "/api/hello" },
  {
    folder: "production",
    built: ["back-end", "front-end", "proxy"],
    port: "proxy",
    api: "/api/hello",
  },
] as const)("a clone that only its owner can read", ({ folder, built, port, api }) => {
  beforeAll(() => {
    stack.folder = path.join(copy.folder, folder);
  });
  const stack = useStack(folder, built);

  it(`serves the page and the API of ${folder}`, async () => {
    await bringUp(stack);
    const origin = `http://localhost:${stack.ports[port]}`;
    for (const target of ["/", api]) {
      expect([target, (await fetchAnswer(origin + target)).status]).toEqual([target, 200]);
    }
  });
});

describeOnEngine("a clone that only its owner can read", () => {
  beforeAll(() => {
    stack.folder = path.join(copy.folder, "production");
  });
  const stack = useHttpsStack();

  it("serves production by HTTPS", async () => {
    stack.env.HTTPS_CERTIFICATES = "";
    await bringUp(stack);
    const { status } = await fetchAnswer(`http://localhost:${stack.ports.proxy}/`);
    expect(status).toBe(308);
  });
});
