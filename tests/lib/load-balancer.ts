import type { BrowserContextOptions, Page, Response } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, listContainers } from "../../tools/lib/compose";
import { seriousFindings } from "./accessibility";
import { desktop, phone, TestBrowser, type Visit } from "./browser";
import type { Site } from "./site-checks";
import { bringUp, useStack } from "./stacks";

/** Starts production with two API servers, and a browser, for the tests of a file. */
export function useLoadBalancer() {
  const stack = useStack("production", ["back-end", "front-end", "proxy"]);
  beforeAll(() => bringUp(stack, argv`--scale back-end=2`));
  const browser = TestBrowser.use();
  const origin = (): string => `http://localhost:${stack.ports.proxy}`;
  return {
    stack,
    browser,
    origin,
    site: (): Site => ({ url: origin(), stopApi: () => compose(stack, ["stop", "back-end"]) }),
    serverNames: async (): Promise<string[]> =>
      (await listContainers(stack, "back-end")).map(({ id }) => id.slice(0, 12)).sort(),
    /** Opens the live page. */
    visit: (options?: BrowserContextOptions): Promise<Visit> =>
      browser.visit(`${origin()}/load-balancer.html`, options),
  };
}

/** How long a page may take to show something. */
export const poll = { timeout: 20_000 };

/** Clicks a button. */
export const click = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

/** The texts in a table's body, row by row. */
export async function rows(
  page: Page,
  table: "API servers" | "Last responses",
): Promise<string[][]> {
  const found = await page.getByRole("table", { name: table }).locator("tbody tr").all();
  return Promise.all(found.map((row) => row.locator("th, td").allTextContents()));
}

/** @returns One of the three counts above the drawing. */
export async function numberAt(page: Page, id: "answered" | "failed" | "waiting"): Promise<number> {
  return Number(await page.locator(`#${id}`).textContent());
}

/** Waits until as many requests have ended and none is in flight. */
export async function settle(page: Page, count: number): Promise<void> {
  const ended = async (): Promise<number> =>
    (await numberAt(page, "answered")) + (await numberAt(page, "failed"));
  await expect.poll(ended, poll).toBeGreaterThanOrEqual(count);
  await expect.poll(() => numberAt(page, "waiting"), poll).toBe(0);
}

/** Waits until a server's row shows a state. */
export async function waitForState(page: Page, server: string, state: string): Promise<void> {
  const row = async (): Promise<string[] | undefined> =>
    (await rows(page, "API servers")).find(([name]) => name === server);
  await expect.poll(row, poll).toContain(state);
}

/** Records the API's responses as the browser received them. */
export function watchApi(page: Page): Response[] {
  const responses: Response[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith("/api/hello")) responses.push(response);
  });
  return responses;
}

/** Tests that the page can be read at any width, in light and dark mode. */
export function itIsReadable(visit: (options?: BrowserContextOptions) => Promise<Visit>): void {
  it("does not scroll sideways at any width, and draws all boxes inside the drawing", async () => {
    const { page } = await visit();
    await click(page, "10 requests");
    await settle(page, 10);
    const layout = `(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      const drawing = document.querySelector("#drawing").getBoundingClientRect();
      const isOutside = (box) => {
        const { left, right, bottom } = box.getBoundingClientRect();
        return left < drawing.left - 2 || right > drawing.right + 2 || bottom > drawing.bottom + 2;
      };
      const boxes = [...document.querySelectorAll("#drawing .box:not(.hidden)")];
      return [clientWidth, scrollWidth - clientWidth, boxes.filter(isOutside).length];
    })()`;
    for (const width of [320, 360, 560, 768, 1024, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      await expect.poll(() => page.evaluate(layout), poll).toEqual([width, 0, 0]);
    }
  });

  it.each([
    ["a desktop in light mode", { ...desktop, colorScheme: "light" }],
    ["a desktop in dark mode", { ...desktop, colorScheme: "dark" }],
    ["a phone in light mode", { ...phone, colorScheme: "light" }],
    ["a phone in dark mode", { ...phone, colorScheme: "dark" }],
  ] as const)("has no serious accessibility issue on %s", async (_, options) => {
    const { page } = await visit(options);
    expect(await seriousFindings(page)).toEqual([]);
    await click(page, "10 requests");
    await settle(page, 10);
    expect(await seriousFindings(page)).toEqual([]);
  });

  it("has a serious accessibility issue if text is too pale", async () => {
    const { page } = await visit();
    await page.evaluate("document.querySelector('#status').style.color = '#ddd'");
    expect(await seriousFindings(page)).toEqual([expect.stringMatching(/^color-contrast: /)]);
  });
}
