import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { seriousFindings } from "./accessibility";
import {
  desktop,
  expectNoSidewaysScroll,
  phone,
  readToTheEnd,
  type TestBrowser,
  takePicture,
  wireBytes,
} from "./browser";

const navigation = [
  { name: "Home", target: "#home" },
  { name: "About", target: "#about" },
  { name: "Work Process", target: "#work-process" },
  { name: "Testimonials", target: "#testimonials" },
  { name: "Pricing Tables", target: "#pricing-plans" },
  { name: "Blog Entries", target: "#blog" },
  { name: "Contact Us", target: "#contact-us" },
];

/** A running step's site. */
export interface Site {
  url: string;
  stopApi(): Promise<unknown>;
}

/** Tests that the front page of a step loads what it needs, and no more. */
export function itLoads(browser: TestBrowser, task: string, site: () => Site): void {
  // Only production compresses
  const maxKilobytes = task === "production" ? 60 : 150;
  for (const [device, options] of Object.entries({ desktop, phone })) {
    it(`loads from its host alone, in 10 requests and ${maxKilobytes} kB, on a ${device}`, async () => {
      const { page, requests, complaints } = await browser.visit(site().url, options);
      await readToTheEnd(page);
      await takePicture(page, `${task}-${device}`);
      expect(complaints).toEqual([]);
      const hosts = requests.map((request) => new URL(request.url()).hostname);
      expect(hosts.filter((host) => host !== "localhost")).toEqual([]);
      expect(requests.length).toBeLessThanOrEqual(10);
      const bytes = await wireBytes(requests);
      expect(bytes).toBeGreaterThan(5_000);
      expect(bytes).toBeLessThan(maxKilobytes * 1_000);
    });
  }
}

/** Tests the front page as a visitor uses it. task2 to task6 have the same page: lineage.test.ts. */
export function itIsUsable(browser: TestBrowser, site: () => Site): void {
  it("is accessible, and each of its links has a target", async () => {
    const { page } = await browser.visit(site().url);
    expect(await seriousFindings(page)).toEqual([]);
    const dead = await page.evaluate(`Array.from(document.querySelectorAll("a[href^='#']"))
      .map((link) => link.getAttribute("href"))
      .filter((href) => href === "#" || document.querySelector(href) === null)`);
    expect(dead).toEqual([]);
  });

  it("scrolls sideways at no width", async () => {
    const { page } = await browser.visit(site().url);
    await expectNoSidewaysScroll(page);
  });

  it("leads to each section by mouse", async () => {
    const { page } = await browser.visit(site().url);
    for (const { name, target } of navigation) {
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name }).click();
      await expect.poll(() => new URL(page.url()).hash, { timeout: 5_000 }).toBe(target);
      await expect.poll(() => isInView(page, target), { timeout: 5_000 }).toBe(true);
    }
  });

  it("leads to each section by keyboard", async () => {
    const { page } = await browser.visit(site().url, { ...desktop, reducedMotion: "reduce" });
    for (const [index, { target }] of navigation.entries()) {
      await page.goto(`${site().url}/`);
      // The skip link and the logo come before the navigation
      for (let tab = 0; tab < index + 3; tab += 1) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await expect.poll(() => new URL(page.url()).hash, { timeout: 5_000 }).toBe(target);
      await expect.poll(() => isInView(page, target), { timeout: 5_000 }).toBe(true);
    }
  });

  it("has a menu button on a phone that opens, closes on Escape and closes on a choice", async () => {
    const { page } = await browser.visit(site().url, phone);
    const menu = page.locator("#menu");
    const button = page.getByRole("button", { name: "Menu" });
    expect(await menu.isVisible()).toBe(false);
    await button.tap();
    expect(await menu.isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    expect(await menu.isVisible()).toBe(false);
    await button.focus();
    await page.keyboard.press("Enter");
    expect(await menu.isVisible()).toBe(true);
    await menu.getByRole("link", { name: "Contact Us" }).tap();
    expect(await menu.isVisible()).toBe(false);
    await expect.poll(() => isInView(page, "#contact-us"), { timeout: 5_000 }).toBe(true);
  });
}

/** Tests a front page that shows the API's response, from task3 on. */
export function itShowsWhatTheApiSays(browser: TestBrowser, task: string, site: () => Site): void {
  it("shows Hello, World! above the headline", async () => {
    const { page } = await browser.visit(site().url);
    expect(await page.locator("#dynamic-content").textContent()).toBe("Hello, World!");
    const [greeting, headline] = await page.locator("h1").all();
    const top = async (element = greeting): Promise<number> =>
      (await element?.boundingBox())?.y ?? Number.NaN;
    expect(await top(greeting)).toBeLessThan(await top(headline));
  });

  it("works without the API, but for the greeting", async () => {
    await site().stopApi();
    // Not "networkidle": a proxy without timeouts tries for a minute
    const { page, complaints } = await browser.visit(site().url, desktop, "load");
    await takePicture(page, `${task}-without-api`);
    expect(await page.locator("#dynamic-content").textContent()).toBe("");
    expect(await page.getByText("to grow up your business").isVisible()).toBe(true);
    await page.getByRole("link", { name: "Discover More" }).click();
    expect(new URL(page.url()).hash).toBe("#features");
    const others = complaints.filter((text) => !/api\/hello|Failed to load resource/.test(text));
    expect(others).toEqual([]);
  });
}

async function isInView(page: Page, selector: string): Promise<boolean> {
  const box = await page.locator(selector).boundingBox();
  const height = page.viewportSize()?.height ?? 0;
  return box !== null && box.y < height / 2 && box.y + box.height > 0;
}

/** Maps localhost:5252, to which the page sends its request in task3 and task4, to another port. */
export function apiAt(port: string | number): string[] {
  return [`--host-resolver-rules=MAP localhost:5252 127.0.0.1:${port}`];
}
