import type { BrowserContextOptions, Locator, Page, Response } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compose, listContainers } from "../../tools/lib/compose";
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { seriousFindings } from "../lib/accessibility";
import {
  describeInBrowser,
  desktop,
  phone,
  readToTheEnd,
  TestBrowser,
  takePicture,
  type Visit,
  wireBytes,
} from "../lib/browser";
import { bringUp, useStack } from "../lib/stacks";

/** The busiest machine needs no longer for what is to happen soon. */
const soon = { timeout: 10_000 };

const button = (page: Page, name: string): Locator =>
  page.getByRole("button", { name, exact: true });

/**
 * The window's width, by how many pixels the page is wider, and how many boxes of the drawing stand
 * outside of it; as text for the page itself.
 */
const overflows = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const drawing = document.querySelector("#drawing").getBoundingClientRect();
  const isOutside = (box) => {
    const { left, right, bottom } = box.getBoundingClientRect();
    return left < drawing.left - 2 || right > drawing.right + 2 || bottom > drawing.bottom + 2;
  };
  const boxes = [...document.querySelectorAll("#drawing .box:not(.hidden)")];
  return [clientWidth, scrollWidth - clientWidth, boxes.filter(isOutside).length];
})()`;

/** The texts of a table's body, row by row. */
async function rows(page: Page, table: "API servers" | "Last responses"): Promise<string[][]> {
  const found = await page.getByRole("table", { name: table }).locator("tbody tr").all();
  return Promise.all(found.map((row) => row.locator("th, td").allTextContents()));
}

async function numberIn(page: Page, id: "answered" | "failed" | "waiting"): Promise<number> {
  return Number(await page.locator(`#${id}`).textContent());
}

/** Waits until nothing is under way. */
async function settle(page: Page, ended: number): Promise<void> {
  await waitUntil(
    async () => {
      const sum = (await numberIn(page, "answered")) + (await numberIn(page, "failed"));
      return sum >= ended && (await numberIn(page, "waiting")) === 0;
    },
    { for: `${ended} requests to end`, timeoutMs: 20_000, intervalMs: 50 },
  );
}

/** What the page was really told, by the browser itself. */
function watchApi(page: Page): Response[] {
  const responses: Response[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith("/api/hello")) responses.push(response);
  });
  return responses;
}

/** Waits for a server's row to have a text in it. */
async function waitForRow(page: Page, server: string, text: string): Promise<void> {
  await waitUntil(
    async () => {
      const row = (await rows(page, "API servers")).find(([name]) => name === server);
      return row?.includes(text);
    },
    { for: `${server} to be shown: ${text}`, timeoutMs: 20_000, intervalMs: 50 },
  );
}

describeInBrowser("production's page of the load balancer", () => {
  const stack = useStack("production", ["back-end", "front-end", "proxy"]);
  const origin = (): string => `http://localhost:${stack.ports.proxy}`;
  const scaleTo = (servers: number): Promise<string> =>
    compose(stack, [
      ...["up", "--detach", "--wait", "--no-recreate", "--scale", `back-end=${servers}`],
    ]);
  const names = async (): Promise<string[]> =>
    (await listContainers(stack, "back-end")).map(({ id }) => id.slice(0, 12)).sort();
  beforeAll(() => bringUp(stack, ["--scale", "back-end=2"]));
  const browser = TestBrowser.use();
  const visit = (options?: BrowserContextOptions): Promise<Visit> =>
    browser.visit(`${origin()}/load-balancer.html`, options);

  for (const [device, options] of Object.entries({ desktop, phone })) {
    it(`comes in less than 20 kB, from its own host, without a complaint: on a ${device}`, async () => {
      const { page, requests, complaints } = await visit(options);
      await readToTheEnd(page);
      expect(complaints).toEqual([]);
      expect(requests.length).toBeGreaterThanOrEqual(6);
      const hosts = new Set(requests.map((request) => new URL(request.url()).host));
      expect([...hosts]).toEqual([new URL(origin()).host]);
      expect(await wireBytes(requests)).toBeLessThan(20_000);
      expect(requests.filter((request) => request.url().includes("/api"))).toEqual([]);
    });

    it(`counts 100 requests over two servers as 50 and 50: on a ${device}`, async () => {
      const { page, complaints } = await visit(options);
      const responses = watchApi(page);
      await button(page, "100 requests").click();
      await settle(page, 100);
      await takePicture(page, `load-balancer-${device}`);

      expect(responses).toHaveLength(100);
      const table = await rows(page, "API servers");
      expect(table.map(([name]) => name).sort()).toEqual(await names());
      expect(table.map((row) => row.slice(1))).toEqual([
        ["50", "50 %", "responds"],
        ["50", "50 %", "responds"],
      ]);
      const drawn = await page.locator("#drawing .server").allTextContents();
      expect(drawn.sort()).toEqual((await names()).map((name) => `${name}50 · 50 %`));
      expect(await numberIn(page, "failed")).toBe(0);
      expect(complaints).toEqual([]);

      const last = await rows(page, "Last responses");
      expect(last).toHaveLength(12);
      for (const [time, answer, server, took] of last) {
        expect(time).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
        expect(answer).toBe("200 OK");
        expect(await names()).toContain(server);
        expect(took).toMatch(/^\d+ ms$/);
      }
    });
  }

  it("shows of each request who really answered it", async () => {
    const { page } = await visit();
    const responses = watchApi(page);
    for (let sent = 1; sent <= 6; sent += 1) {
      await button(page, "1 request").click();
      await settle(page, sent);
      const [last] = await rows(page, "Last responses");
      expect(last?.[2]).toBe(await responses.at(-1)?.headerValue("X-Served-By"));
    }
  });

  it("is linked from the front page, and leads back", async () => {
    const { page } = await browser.visit(origin());
    const entry = page.getByRole("navigation", { name: "Main" }).getByRole("link", {
      name: "Load Balancer",
    });
    const boxes = await page.getByRole("navigation", { name: "Main" }).getByRole("link").all();
    const tops = await Promise.all(boxes.map(async (link) => (await link.boundingBox())?.y));
    expect(new Set(tops).size).toBe(1);
    await entry.click();
    expect(new URL(page.url()).pathname).toBe("/load-balancer.html");
    await page.getByRole("link", { name: "Home" }).click();
    expect(await page.getByText("to grow up your business").isVisible()).toBe(true);
  });

  it("works by keyboard alone", async () => {
    const { page } = await visit();
    const press = async (name: string, key: string): Promise<void> => {
      const focused = page.locator(":focus");
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
    await expect.poll(() => numberIn(page, "answered"), soon).toBeGreaterThan(15);
    expect(await button(page, "Steady stream").getAttribute("aria-pressed")).toBe("true");
    await press("Stop", "Enter");
    expect(await button(page, "Steady stream").getAttribute("aria-pressed")).toBe("false");
    await settle(page, 16);
    await press("Clear", "Enter");
    await expect.poll(() => numberIn(page, "answered"), soon).toBe(0);
    expect(await rows(page, "API servers")).toEqual([]);
    expect(await page.locator("#drawing .server").count()).toBe(0);
  });

  it("scrolls sideways at no width, and draws nothing outside its box", async () => {
    const { page } = await visit();
    await button(page, "10 requests").click();
    await settle(page, 10);
    for (const width of [320, 360, 560, 768, 1024, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      await expect.poll(() => page.evaluate(overflows), soon).toEqual([width, 0, 0]);
    }
  });

  describe("in motion", () => {
    const dots = (page: Page): Promise<number> => page.locator("#drawing .dot").count();

    it("lets requests travel, never more than 120 at once, and none remains", async () => {
      const { page } = await visit();
      await page.evaluate(`{
        window.most = 0;
        const drawing = document.querySelector("#drawing");
        new MutationObserver(() => {
          window.most = Math.max(window.most, drawing.querySelectorAll(".dot").length);
        }).observe(drawing, { childList: true, subtree: true });
      }`);
      for (let click = 0; click < 3; click += 1) await button(page, "100 requests").click();
      await settle(page, 300);
      await expect.poll(() => dots(page), soon).toBe(0);
      const most = await page.evaluate("window.most");
      expect(most).toBeGreaterThan(20);
      expect(most).toBeLessThanOrEqual(120);
    });

    it("lights up lines instead for those who want it still", async () => {
      const { page } = await visit({ ...desktop, reducedMotion: "reduce" });
      const lit = page.locator("#drawing .line.lit");
      await button(page, "Steady stream").click();
      await expect.poll(() => lit.count(), soon).toBe(2);
      expect(await dots(page)).toBe(0);
      await button(page, "Stop").click();
      await expect.poll(() => lit.count(), soon).toBe(0);
    });
  });

  it("stops what waits when told to, and counts all that it sent", async () => {
    const { page } = await visit();
    const responses = watchApi(page);
    await page.evaluate(`{
      const press = (name) => document.querySelector(name).click();
      for (let click = 0; click < 5; click += 1) press("[data-count='100']");
      press("#stop");
    }`);
    await settle(page, 1);
    expect(await numberIn(page, "answered")).toBeLessThanOrEqual(6);
    expect(await numberIn(page, "answered")).toBe(responses.length);
  });

  it("sends nothing while it is hidden, and has nothing to catch up on", async () => {
    const { page } = await visit();
    await button(page, "Steady stream").click();
    await expect.poll(() => numberIn(page, "answered"), soon).toBeGreaterThan(3);
    const hide = (isHidden: boolean): Promise<unknown> =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true })`,
      );
    await hide(true);
    await expect.poll(() => numberIn(page, "waiting"), soon).toBe(0);
    let sent = 0;
    page.on("request", () => {
      sent += 1;
    });
    await page.waitForTimeout(1_000);
    expect(sent).toBe(0);
    await hide(false);
    await expect.poll(() => sent, soon).toBeGreaterThan(3);
    await button(page, "Stop").click();
  });

  describe("to axe", () => {
    const places = { "front page": "/", "load balancer": "/load-balancer.html" };
    for (const [name, path] of Object.entries(places)) {
      for (const [device, options] of Object.entries({ desktop, phone })) {
        it.each(["light", "dark"] as const)(
          `has nothing serious in it: ${name}, ${device}, %s`,
          async (colorScheme) => {
            const { page } = await browser.visit(`${origin()}${path}`, { ...options, colorScheme });
            expect(await seriousFindings(page)).toEqual([]);
            if (path === "/") return;
            await button(page, "10 requests").click();
            await settle(page, 10);
            expect(await seriousFindings(page)).toEqual([]);
          },
        );
      }
    }

    it.each([
      ["an image without words", "document.body.append(new Image())", "image-alt"],
      [
        "a button without a name",
        "document.querySelector('#stop').textContent = ''",
        "button-name",
      ],
      [
        "a text that is too pale",
        "document.querySelector('#status').style.color = 'light-dark(#ddd, #333)'",
        "color-contrast",
      ],
      ["no language", "document.documentElement.removeAttribute('lang')", "html-has-lang"],
    ])("has something serious in it with %s", async (_, change, rule) => {
      const { page } = await visit();
      await page.evaluate(change);
      expect(await seriousFindings(page)).toEqual([expect.stringMatching(`^${rule}: `)]);
    });
  });

  // From here on servers come and go
  describe("while servers come and go", () => {
    let page: Page;
    let responses: Response[];
    beforeEach(async () => {
      ({ page } = await visit());
      responses = watchApi(page);
      await button(page, "Steady stream").click();
      await expect
        .poll(async () => (await rows(page, "API servers")).length, soon)
        .toBeGreaterThan(1);
    });

    it("shows a new server within 5 seconds, and says so", async () => {
      const before = await names();
      await scaleTo(3);
      const scaled = performance.now();
      const [fresh = ""] = (await names()).filter((name) => !before.includes(name));
      await waitForRow(page, fresh, "responds");
      expect(performance.now() - scaled).toBeLessThan(5_000);
      await expect
        .poll(() => page.locator("#status").textContent(), soon)
        // Together with another that was seen for the first time a moment ago
        .toMatch(new RegExp(`^New servers?: .*\\b${fresh}\\b.*\\.`));
      expect(await page.locator("#status").getAttribute("role")).toBe("status");
      expect(await page.locator("#drawing .server").count()).toBe(3);
    });

    it("shows a lost server as lost, keeps its count, and greets it when it is back", async () => {
      const [lost = ""] = await names();
      await waitForRow(page, lost, "responds");
      await run("docker", ["kill", lost]);
      await waitForRow(page, lost, "no longer responds");
      await takePicture(page, "load-balancer-lost");
      const drawn = page.locator("#drawing .server.gone");
      expect(await drawn.allTextContents()).toEqual([
        expect.stringContaining("no longer responds"),
      ]);
      const row = (await rows(page, "API servers")).find(([name]) => name === lost);
      expect(Number(row?.[1])).toBeGreaterThan(0);
      await expectEveryResponseCounted();

      await run("docker", ["start", lost]);
      await waitForRow(page, lost, "responds");
      expect(await drawn.count()).toBe(0);
    });

    it("shows failures as failures, once each", async () => {
      await compose(stack, ["stop", "back-end"]);
      await expect.poll(() => numberIn(page, "failed"), soon).toBeGreaterThan(10);
      await takePicture(page, "load-balancer-failures");
      expect((await rows(page, "Last responses"))[0]?.slice(1, 3)).toEqual(["Failed: 503", "–"]);
      expect(await page.locator("#drawing .proxy").textContent()).toMatch(/Proxy✕ \d+ failed/);
      for (const name of await names()) await waitForRow(page, name, "no longer responds");
      expect(await seriousFindings(page)).toEqual([]);
      await expectEveryResponseCounted();
      await compose(stack, ["start", "back-end"]);
      await waitUntil(async () => (await fetchAnswer(`${origin()}/api/hello`)).status === 200, {
        for: "the API to answer again",
        timeoutMs: 20_000,
      });
    });

    it("shows it when not even the proxy answers", async () => {
      await button(page, "Stop").click();
      await settle(page, 1);
      await compose(stack, ["stop", "proxy"]);
      const answered = await numberIn(page, "answered");
      await button(page, "10 requests").click();
      await settle(page, answered + 10);
      expect(await numberIn(page, "failed")).toBe(10);
      expect((await rows(page, "Last responses"))[0]?.[1]).toBe("Failed: no response");
      await expect
        .poll(() => page.locator("#status").textContent(), soon)
        .toMatch(new RegExp(`Done: ${answered} answered, 10 failed\\.$`));
    });

    /** Stops, and compares the page's own count with the browser's. */
    async function expectEveryResponseCounted(): Promise<void> {
      await button(page, "Stop").click();
      await settle(page, responses.length);
      const good = responses.filter((response) => response.ok()).length;
      expect(await numberIn(page, "answered")).toBe(good);
      expect(await numberIn(page, "failed")).toBe(responses.length - good);
      await button(page, "Steady stream").click();
    }
  });
});
