import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Browser, BrowserContextOptions, Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, inject } from "vitest";
import { launchChromium, settleNetwork } from "../../tools/lib/chromium";
import { root } from "../../tools/lib/course";

export { readToTheEnd, wireBytes } from "../../tools/lib/chromium";

/** `describe`, skipped where there is no Docker engine or no Chromium. */
export const describeInBrowser = describe.skipIf(
  inject("engineMissing") !== undefined || inject("chromium") === undefined,
);

export const desktop = { viewport: { width: 1440, height: 900 } };
export const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** What a page asked for and complained about while it was open. */
export interface Visit {
  page: Page;
  requests: Request[];
  /** Failed requests, answers of 400 and more, console errors, exceptions; empty when all is well. */
  complaints: string[];
}

/** A real Chromium for the tests of a `describe`. */
export class TestBrowser {
  #browser: Browser | undefined;

  /** @param args Further command-line switches, known only once the stack is up. */
  static use(args: () => readonly string[] = () => []): TestBrowser {
    const own = new TestBrowser();
    beforeAll(async () => {
      own.#browser = await launchChromium(inject("chromium") ?? "", args());
    });
    afterEach(async () => {
      for (const context of own.#browser?.contexts() ?? []) await context.close();
    });
    afterAll(async () => {
      await own.#browser?.close();
    });
    return own;
  }

  /** Opens an address in a fresh profile, closed after the test, and waits until the page is there. */
  async visit(
    url: string,
    options: BrowserContextOptions = desktop,
    waitUntil: "networkidle" | "load" = "networkidle",
  ): Promise<Visit> {
    if (this.#browser === undefined) throw new Error("the browser has not been started");
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    const visit: Visit = { page, requests: [], complaints: [] };
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) visit.complaints.push(message.text());
    });
    page.on("pageerror", (error) => visit.complaints.push(error.message));
    page.on("requestfailed", (request) => visit.complaints.push(`failed: ${request.url()}`));
    page.on("response", (response) => {
      if (response.status() >= 400)
        visit.complaints.push(`${response.status()}: ${response.url()}`);
    });
    page.on("requestfinished", (request) => visit.requests.push(request));
    await settleNetwork();
    await page.goto(url, { waitUntil });
    return visit;
  }
}

/** Writes a picture of the whole page to the git-ignored `artifacts` folder. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = path.join(root, "artifacts/screenshots");
  await mkdir(folder, { recursive: true });
  // What sticks to the window would otherwise stand somewhere in the middle
  await page.evaluate("scrollTo({ top: 0, behavior: 'instant' })");
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}
