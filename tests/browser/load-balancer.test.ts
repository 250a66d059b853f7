import { expect, it } from "vitest";
import {
  describeInBrowser,
  desktop,
  phone,
  readToTheEnd,
  takePicture,
  wireBytes,
} from "../lib/browser";
import {
  click,
  itIsReadable,
  numberAt,
  poll,
  rows,
  settle,
  useLoadBalancer,
  watchApi,
} from "../lib/load-balancer";
import { itKeepsToItsPolicy } from "../lib/policy-checks";
import { itIsUsable, itLoads } from "../lib/site-checks";

const { browser, origin, site, serverNames, visit } = useLoadBalancer();

describeInBrowser("production in a browser", () => {
  itLoads(browser, "production", site);
  itIsUsable(browser, site);
  itKeepsToItsPolicy(browser, site);
});

describeInBrowser("the load balancer page", () => {
  it.each(Object.entries({ desktop, phone }))(
    "loads less than 20 kB and counts 100 requests as 50 and 50, on a %s",
    async (device, options) => {
      const { page, requests, complaints } = await visit(options);
      await readToTheEnd(page);
      expect(new Set(requests.map((request) => new URL(request.url()).origin))).toEqual(
        new Set([origin()]),
      );
      expect(requests.length).toBeGreaterThanOrEqual(6);
      expect(await wireBytes(requests)).toBeLessThan(20_000);
      expect(requests.filter((request) => request.url().includes("/api"))).toEqual([]);

      const responses = watchApi(page);
      await click(page, "100 requests");
      await settle(page, 100);
      await takePicture(page, `load-balancer-${device}`);
      expect(responses).toHaveLength(100);
      expect(await numberAt(page, "failed")).toBe(0);
      const names = await serverNames();
      expect((await rows(page, "API servers")).sort()).toEqual(
        names.map((name) => [name, "50", "50 %", "responds"]),
      );
      const drawn = await page.locator("#drawing .server").allTextContents();
      expect(drawn.sort()).toEqual(names.map((name) => `${name}50 · 50 %`));
      const last = await rows(page, "Last responses");
      expect(last).toHaveLength(12);
      expect(last[0]).toEqual([
        expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3}$/),
        "200 OK",
        expect.stringMatching(new RegExp(`^(${names.join("|")})$`)),
        expect.stringMatching(/^\d+ ms$/),
      ]);
      expect(complaints).toEqual([]);
    },
  );

  it("shows which server responded to each request", async () => {
    const { page } = await visit();
    const responses = watchApi(page);
    for (let sent = 1; sent <= 6; sent += 1) {
      await click(page, "1 request");
      await settle(page, sent);
      const [last] = await rows(page, "Last responses");
      expect(last?.[2]).toBe(await responses.at(-1)?.headerValue("X-Served-By"));
    }
  });

  it("is linked from the front page, and links back", async () => {
    const { page } = await browser.visit(origin());
    await page.getByRole("link", { name: "Load Balancer" }).click();
    expect(new URL(page.url()).pathname).toBe("/load-balancer.html");
    await page.getByRole("link", { name: "Home" }).click();
    expect(await page.getByText("to grow up your business").isVisible()).toBe(true);
  });

  it("works by keyboard alone", async () => {
    const { page } = await visit();
    const focused = page.locator(":focus");
    const stream = page.getByRole("button", { name: "Steady stream" });
    const press = async (name: string, key: string): Promise<void> => {
      for (let tab = 0; tab < 12; tab += 1) {
        await page.keyboard.press("Tab");
        const ring = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
        expect(ring).toBe("solid");
        if ((await focused.textContent()) === name) break;
      }
      expect(await focused.textContent()).toBe(name);
      await page.keyboard.press(key);
    };
    await press("1 request", "Enter");
    await settle(page, 1);
    await press("10 requests", "Space");
    await settle(page, 11);
    await press("Steady stream", "Enter");
    await expect.poll(() => numberAt(page, "answered"), poll).toBeGreaterThan(15);
    expect(await stream.getAttribute("aria-pressed")).toBe("true");
    await press("Stop", "Enter");
    expect(await stream.getAttribute("aria-pressed")).toBe("false");
    await settle(page, 16);
    await press("Clear", "Enter");
    await expect.poll(() => numberAt(page, "answered"), poll).toBe(0);
    expect(await rows(page, "API servers")).toEqual([]);
    expect(await page.locator("#drawing .server").count()).toBe(0);
  });
});

describeInBrowser("the load balancer page for everyone", () => {
  itIsReadable(visit);
});

describeInBrowser("the drawing and the stream", () => {
  it("animates at most 120 requests at once, and removes them", async () => {
    const { page } = await visit();
    await page.evaluate(`{
      window.maxDots = 0;
      const drawing = document.querySelector("#drawing");
      new MutationObserver(() => {
        window.maxDots = Math.max(window.maxDots, drawing.querySelectorAll(".dot").length);
      }).observe(drawing, { childList: true, subtree: true });
    }`);
    for (let clicks = 0; clicks < 3; clicks += 1) await click(page, "100 requests");
    await settle(page, 300);
    await expect.poll(() => page.locator("#drawing .dot").count(), poll).toBe(0);
    const maxDots = await page.evaluate("window.maxDots");
    expect(maxDots).toBeGreaterThan(20);
    expect(maxDots).toBeLessThanOrEqual(120);
  });

  it("lights up lines instead if the visitor prefers reduced motion", async () => {
    const { page } = await visit({ ...desktop, reducedMotion: "reduce" });
    const lit = page.locator("#drawing .line.lit");
    await click(page, "Steady stream");
    await expect.poll(() => lit.count(), poll).toBe(2);
    expect(await page.locator("#drawing .dot").count()).toBe(0);
    await click(page, "Stop");
    await expect.poll(() => lit.count(), poll).toBe(0);
  });

  it("drops queued requests on Stop, and counts those that it sent", async () => {
    const { page } = await visit();
    const responses = watchApi(page);
    await page.evaluate(`{
      const press = (name) => document.querySelector(name).click();
      for (let clicks = 0; clicks < 5; clicks += 1) press("[data-count='100']");
      press("#stop");
    }`);
    await settle(page, 1);
    expect(await numberAt(page, "answered")).toBeLessThanOrEqual(6);
    expect(await numberAt(page, "answered")).toBe(responses.length);
  });

  it("pauses the stream while its tab is hidden", async () => {
    const { page } = await visit();
    const hide = (isHidden: boolean): Promise<unknown> =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true })`,
      );
    await click(page, "Steady stream");
    await expect.poll(() => numberAt(page, "answered"), poll).toBeGreaterThan(3);
    await hide(true);
    await expect.poll(() => numberAt(page, "waiting"), poll).toBe(0);
    const responses = watchApi(page);
    await page.waitForTimeout(1_000);
    expect(responses).toEqual([]);
    await hide(false);
    await expect.poll(() => responses.length, poll).toBeGreaterThan(3);
  });
});
