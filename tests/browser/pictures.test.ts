import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { describeInBrowser } from "../lib/browser";
import { type Child, endScripts, startScript } from "../lib/child";
import { leftovers, ownName } from "../lib/stacks";

/** Starts `npm run pictures`. */
const start = (folder: string): Child =>
  startScript([path.join(root, "tools/pictures/cli.ts"), folder], { cwd: root });

describeInBrowser("npm run pictures", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), ownName("pictures")));
  });
  afterEach(endScripts);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("takes the README's pictures, in a size for a page, and leaves nothing", async () => {
    const child = start(folder);
    expect(await child.ended, child.output.stderr).toBe(0);
    const files = await readdir(folder);
    const readme = await readFile(path.join(root, "README.md"), "utf8");
    expect(files.filter((file) => !readme.includes(`docs/${file}`))).toEqual([]);
    expect(files).toHaveLength(2);
    for (const file of files) {
      const picture = await readFile(path.join(folder, file));
      expect(picture.subarray(8, 12).toString()).toBe("WEBP");
      expect(picture.length).toBeLessThan(150_000);
      // A picture of one color is a hundredth of that
      expect(picture.length).toBeGreaterThan(15_000);
    }
    expect(await leftovers(`softy-pinko-pictures-${child.process.pid}`)).toEqual([]);
  });

  it("reports in one line a folder that it cannot write, and starts nothing", async () => {
    const file = path.join(folder, "file");
    await writeFile(file, "");
    const child = start(path.join(file, "below"));
    expect(await child.ended).toBe(2);
    expect(child.output.stderr).toMatch(/^error: the pictures cannot be written \(.*\): choose an/);
    expect(child.output.stderr.trim()).not.toContain("\n");
  });
});
