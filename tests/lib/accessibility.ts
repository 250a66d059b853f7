import axe from "axe-core";
import type { Page } from "playwright-core";

/**
 * Checks a page's accessibility with axe-core.
 * https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#results-object
 * @returns The serious and critical issues, each with its elements.
 */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Through the browser, because the page's policy blocks scripts of other origins
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run(document)")) as axe.AxeResults;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target).join("; ")})`,
    );
}
