import axe from "axe-core";
import type { Page } from "playwright-core";

/**
 * Looks for what keeps people from using a page, with axe-core.
 * https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#results-object
 * @returns The serious and the critical findings, each with the elements that it is about.
 */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Given to the browser and not to the page, whose policy would refuse it
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run(document)")) as axe.AxeResults;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target).join("; ")})`,
    );
}
