import type { Page } from "playwright-core";

/** A screenshot of production. */
export interface Picture {
  file: string;
  /** CSS pixels. */
  size: { width: number; height: number };
  /**
   * Prepares the page, which starts as the front page.
   * @returns The part to capture, in CSS pixels; undefined for the viewport.
   */
  show(page: Page): Promise<Box | undefined>;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const pictures: readonly Picture[] = [
  {
    file: "site.webp",
    size: { width: 1280, height: 800 },
    show: async (page) => {
      await page.locator("#dynamic-content", { hasText: "Hello, World!" }).waitFor();
      return undefined;
    },
  },
  {
    file: "load-balancer.webp",
    size: { width: 1120, height: 1000 },
    show: async (page) => {
      await page.goto(new URL("/load-balancer.html", page.url()).href);
      await page.getByRole("button", { name: "100 requests" }).click();
      await page.locator("#answered", { hasText: "100" }).waitFor();
      await page.getByRole("button", { name: "Steady stream" }).click();
      await page.locator("#answered", { hasText: /^1[1-9]\d$/ }).waitFor();
      return (await page.locator(".stage").boundingBox()) ?? undefined;
    },
  },
];
