import { afterAll, beforeAll, expect, it } from "vitest";
import { attempt } from "../../tools/lib/run";
import { isShownAs, marks, runnablesIn } from "../contract/rules/markdown";
import { type Copy, copyRepository } from "../lib/copy";
import { describeOnEngine, ownName } from "../lib/stacks";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";

const documents = (await listRepositoryFiles()).filter((file) => file.endsWith(".md"));
const blocks = documents.flatMap((document) =>
  runnablesIn(readRepositoryFile(document), marks.runOnEngine).map((block) => ({
    ...block,
    name: `${document}:${block.line}`,
  })),
);

/**
 * What a reader types names the reader's own images and containers, and needs a terminal.
 * @returns The same with names of the test's own, and without the terminal.
 */
function asTest(script: string, own: string): string {
  return script.replaceAll("softy-pinko", own).replaceAll(" -it ", " ");
}

describeOnEngine("what the documents let a reader type", () => {
  let copy: Copy;
  const own = ownName("docs");
  beforeAll(async () => {
    copy = await copyRepository();
  });
  afterAll(async () => {
    await copy.remove();
    const images = await attempt("docker", [
      "image",
      "ls",
      "--quiet",
      `--filter=reference=${own}*`,
    ]);
    await attempt("docker", ["image", "rm", "--force", ...images.stdout.split("\n")]);
  });

  it("is there", () => {
    expect(blocks.length).toBeGreaterThan(0);
  });

  it.each(blocks)("works, and prints what is shown: $name", async ({ script, output }) => {
    const ended = await attempt("bash", ["-euo", "pipefail", "-c", asTest(script, own)], {
      cwd: copy.folder,
      env: { NO_COLOR: "1", npm_config_loglevel: "silent" },
      timeoutMs: 110_000,
    });
    expect(ended).toMatchObject({ exitCode: 0 });
    if (output !== undefined && !isShownAs(ended.stdout, output)) {
      expect(ended.stdout).toBe(output);
    }
  });
});

it("runs nothing under the reader's names", () => {
  const typed = "docker run -it --rm --name softy-pinko-task0 softy-pinko:task0";
  expect(asTest(typed, "x-1")).toBe("docker run --rm --name x-1-task0 x-1:task0");
});
