import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { useCopy } from "../lib/copy";
import { servedCertificate, useHttpsStack } from "../lib/https";
import { useParts } from "../lib/parts";
import { bringUp, describeOnEngine, useStack } from "../lib/stacks";

const copy = useCopy();
// As git clones under `umask 077`
beforeAll(() => run("chmod", argv`-R go= ${copy.folder}`));

// The folders of task3, task4 and task5 have the files of these: lineage.test.ts
describeOnEngine("a clone that only its owner can read", () => {
  const parts = useParts("task2", () => copy.folder);

  it("serves task2's page", async () => {
    const { url } = await parts.start("./front-end", 9000);
    await expect.poll(async () => (await fetchAnswer(`${url}/styles.css`)).status).toBe(200);
  });
});

describeOnEngine.each([
  { folder: "task6", use: () => useStack("task6", ["back-end", "front-end", "proxy"]) },
  { folder: "production", use: useHttpsStack },
])("a clone that only its owner can read", ({ folder, use }) => {
  beforeAll(() => {
    stack.folder = path.join(copy.folder, folder);
  });
  const stack = use();

  it(`serves the page and the API of ${folder}`, async () => {
    stack.env.HTTPS_CERTIFICATES = "";
    await bringUp(stack);
    const isSecure = folder === "production";
    const ca = isSecure ? (await servedCertificate(stack)).toString() : undefined;
    const { proxy, https } = stack.ports;
    const origin = isSecure ? `https://localhost:${https}` : `http://localhost:${proxy}`;
    for (const target of ["/", "/api/hello"]) {
      expect([target, (await fetchAnswer(origin + target, { ca })).status]).toEqual([target, 200]);
    }
  });
});
