import { beforeAll, expect, it } from "vitest";
import { compose } from "../../tools/lib/compose";
import {
  describeInBrowser,
  desktop,
  expectNoSidewaysScroll,
  phone,
  TestBrowser,
  takePicture,
  wireBytes,
} from "../lib/browser";
import { bringUp, useStack } from "../lib/stacks";
import { counterUrl } from "../lib/visits";

describeInBrowser("the visitor counter in a browser", () => {
  const stack = useStack("visitor-counter", ["webapp"]);
  beforeAll(() => bringUp(stack));
  const browser = TestBrowser.use();
  const home = (): string => counterUrl(stack, "/");

  it.each(Object.entries({ desktop, phone }))("counts a visit on a %s", async (device, options) => {
    const { page, requests, complaints } = await browser.visit(home(), options);
    const count = page.locator(".count");
    const before = Number(await count.textContent());
    await takePicture(page, `visitor-counter-${device}`);
    await page.reload();
    expect(await count.textContent()).toBe(String(before));

    await page.getByRole("link", { name: "Count my visit" }).click();
    expect(new URL(page.url()).pathname).toBe("/count");
    expect(await count.textContent()).toBe(String(before + 1));
    await takePicture(page, `visitor-counter-counted-${device}`);
    await page.reload();
    expect(await count.textContent()).toBe(String(before + 2));

    await page.getByRole("link", { name: "Back to the start" }).click();
    expect(await count.textContent()).toBe(String(before + 2));
    expect(complaints).toEqual([]);
    expect(await wireBytes(requests.slice(0, 1))).toBeLessThan(5_000);
  });

  it("does not scroll sideways at any width, even with a long number", async () => {
    const { page } = await browser.visit(home());
    await page.evaluate("document.querySelector('.count').textContent = '9'.repeat(19)");
    await expectNoSidewaysScroll(page);
  });

  it("says that the count is not available, and that a visit may not have been counted", async () => {
    await compose(stack, ["stop", "redis"]);
    const { page, complaints } = await browser.visit(home());
    expect(await page.getByText("not available at the moment").isVisible()).toBe(true);
    await takePicture(page, "visitor-counter-without-redis");
    expect(complaints).toEqual([]);
    await page.getByRole("link", { name: "Count my visit" }).click();
    expect(await page.getByText("Redis is unavailable").isVisible()).toBe(true);
    await takePicture(page, "visitor-counter-unavailable");
    await compose(stack, ["start", "redis"]);
  });
});
