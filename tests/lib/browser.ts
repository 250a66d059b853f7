import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Browser, BrowserContextOptions, Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject } from "vitest";
import { launchChromium, networkChanged } from "../../tools/lib/chromium";
import { root } from "../../tools/lib/course";
import { waitUntil } from "../../tools/lib/wait";

/** `describe`, skipped if there is no Docker engine or no Chromium. */
export const describeInBrowser = describe.skipIf(
  inject("engineMissing") !== undefined || inject("chromium") === undefined,
);

export const desktop = { viewport: { width: 1440, height: 900 } };
export const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** IFA_F_TENTATIVE in Linux's if_addr.h: duplicate address detection is still running. */
const tentative = 0x40;

/**
 * Waits until no IPv6 address of this machine is tentative, for at most 3 s. A new container's
 * network gets its address about a second late.
 */
async function settleNetwork(): Promise<void> {
  const isSettled = async (): Promise<boolean> => {
    // Linux only. Columns: address, index, prefix length, scope, flags, name
    const table = await readFile("/proc/net/if_inet6", "utf8").catch(() => "");
    const flags = table.split("\n").map((line) => Number.parseInt(line.split(/ +/)[4] ?? "0", 16));
    return flags.every((value) => (value & tentative) === 0);
  };
  const wait = { for: "the IPv6 addresses to settle", timeoutMs: 3_000 };
  // An address that another machine uses too stays tentative
  await waitUntil(isSettled, wait).catch(() => undefined);
}

/** An open page, and what happened on it so far. */
export interface Visit {
  page: Page;
  /** The requests that got a response. */
  requests: Request[];
  /** Failed requests, responses of 400 and more, console warnings and errors, exceptions. */
  complaints: string[];
}

/** A real Chromium for the tests of a `describe`. */
export class TestBrowser {
  #browser: Browser | undefined;
  #networkHasChanged = false;

  /** @param args Returns further command-line switches, after the stack has been started. */
  static use(args: () => readonly string[] = () => []): TestBrowser {
    const test = new TestBrowser();
    beforeAll(async () => {
      test.#browser = await launchChromium(inject("chromium") ?? "", args());
    });
    afterEach(async ({ task }) => {
      const isInvalid = task.result?.state === "fail" && test.#networkHasChanged;
      test.#networkHasChanged = false;
      for (const context of test.#browser?.contexts() ?? []) await context.close();
      // vitest.config.mts runs such a test again
      if (isInvalid) throw new Error(networkChanged);
    });
    afterAll(async () => {
      await test.#browser?.close();
    });
    return test;
  }

  /** Opens a URL in a new profile, which is closed after the test, and waits until it has loaded. */
  async visit(
    url: string,
    options: BrowserContextOptions = desktop,
    until: "networkidle" | "load" = "networkidle",
  ): Promise<Visit> {
    if (this.#browser === undefined) throw new Error("the browser has not been started");
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    const visit: Visit = { page, requests: [], complaints: [] };
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) visit.complaints.push(message.text());
    });
    page.on("pageerror", (error) => visit.complaints.push(error.message));
    page.on("requestfailed", (request) => {
      visit.complaints.push(`failed: ${request.url()}`);
      if (request.failure()?.errorText === networkChanged) this.#networkHasChanged = true;
    });
    page.on("response", (response) => {
      if (response.status() >= 400)
        visit.complaints.push(`${response.status()}: ${response.url()}`);
    });
    page.on("requestfinished", (request) => visit.requests.push(request));
    await settleNetwork();
    await page.goto(url, { waitUntil: until });
    return visit;
  }
}

/** Writes a picture of the whole page to the git-ignored `artifacts` folder. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = path.join(root, "artifacts/screenshots");
  await mkdir(folder, { recursive: true });
  // Otherwise sticky elements would be in the middle of the picture
  await page.evaluate("scrollTo({ top: 0, behavior: 'instant' })");
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

/** Expects that a page scrolls sideways at no width. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  for (const width of [320, 360, 768, 1024, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    expect({ width, overflow }).toEqual({ width, overflow: 0 });
  }
}

/** Scrolls through the whole page, so that lazy content is loaded. */
export async function readToTheEnd(page: Page): Promise<void> {
  const height = await page.evaluate("document.documentElement.scrollHeight");
  for (let y = 0; y < Number(height); y += 400) await page.mouse.wheel(0, 400);
  await page.waitForLoadState("networkidle");
}

/** @returns Bytes received for some requests, response headers included. */
export async function wireBytes(requests: readonly Request[]): Promise<number> {
  const sizes = await Promise.all(requests.map((request) => request.sizes()));
  return sizes.reduce((sum, size) => sum + size.responseHeadersSize + size.responseBodySize, 0);
}
