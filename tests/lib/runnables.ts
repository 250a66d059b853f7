import { expect, it } from "vitest";
import { attempt } from "../../tools/lib/run";
import { useCopy } from "./copy";
import { isShownAs, type Mark, runnablesIn } from "./markdown";
import { listRepositoryFiles, readRepositoryFile } from "./task-files";

const documents = (await listRepositoryFiles()).filter((file) => file.endsWith(".md"));

/**
 * Runs the blocks of all documents with a mark, in a copy of the repository.
 * @param change Applied to each script before it runs.
 */
export function itRuns(mark: Mark, change = (script: string) => script): void {
  const blocks = documents.flatMap((document) =>
    runnablesIn(readRepositoryFile(document), mark).map((block) => ({ ...block, document })),
  );
  const copy = useCopy();

  it("include marked ones", () => {
    expect(blocks).not.toEqual([]);
  });

  it.each(blocks)("work as shown: $document, line $line", async ({ script, output }) => {
    const result = await attempt("bash", ["-euo", "pipefail", "-c", change(script)], {
      cwd: copy.folder,
      // Without npm's two lines about the script that it starts
      env: { npm_config_loglevel: "silent" },
      timeoutMs: 110_000,
    });
    expect(result).toMatchObject({ exitCode: 0 });
    if (output !== undefined && !isShownAs(result.stdout, output)) {
      expect(result.stdout).toBe(output);
    }
  });
}
