import type { BrowserContextOptions, Locator, Page, Response } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, listContainers } from "../../tools/lib/compose";
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
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
import { itKeepsToItsPolicy } from "../lib/policy-checks";
import { itIsUsable, itLoads, itShowsWhatTheApiSays, type Site } from "../lib/site-checks";
import { bringUp, useStack } from "../lib/stacks";

const poll = { timeout: 20_000 };

const click = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

/** The texts in a table's body, row by row. */
async function rows(page: Page, table: "API servers" | "Last responses"): Promise<string[][]> {
  const found = await page.getByRole("table", { name: table }).locator("tbody tr").all();
  return Promise.all(found.map((row) => row.locator("th, td").allTextContents()));
}

async function numberAt(page: Page, id: "answered" | "failed" | "waiting"): Promise<number> {
  return Number(await page.locator(`#${id}`).textContent());
}

/** Waits until as many requests have ended and none is in flight. */
async function settle(page: Page, count: number): Promise<void> {
  const ended = async (): Promise<number> =>
    (await numberAt(page, "answered")) + (await numberAt(page, "failed"));
  await expect.poll(ended, poll).toBeGreaterThanOrEqual(count);
  await expect.poll(() => numberAt(page, "waiting"), poll).toBe(0);
}

/** Waits until a server's row shows a state. */
async function waitForState(page: Page, server: string, state: string): Promise<void> {
  const row = async (): Promise<string[] | undefined> =>
    (await rows(page, "API servers")).find(([name]) => name === server);
  await expect.poll(row, poll).toContain(state);
}

/** Records the API's responses as the browser received them. */
function watchApi(page: Page): Response[] {
  const responses: Response[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith("/api/hello")) responses.push(response);
  });
  return responses;
}

describeInBrowser("production in a browser", () => {
  const stack = useStack("production", ["back-end", "front-end", "proxy"]);
  const origin = (): string => `http://localhost:${stack.ports.proxy}`;
  const serverNames = async (): Promise<string[]> =>
    (await listContainers(stack, "back-end")).map(({ id }) => id.slice(0, 12)).sort();
  beforeAll(() => bringUp(stack, argv`--scale back-end=2`));
  const browser = TestBrowser.use();
  const site = (): Site => ({ url: origin(), stopApi: () => compose(stack, ["stop", "back-end"]) });
  itLoads(browser, "production", site);
  itIsUsable(browser, site);
  itKeepsToItsPolicy(browser, site);

  const visit = (options?: BrowserContextOptions): Promise<Visit> =>
    browser.visit(`${origin()}/load-balancer.html`, options);

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

  // These start and stop servers, so they come last
  describe("while servers start and stop", () => {
    let page: Page;
    let responses: Response[];
    beforeEach(async () => {
      ({ page } = await visit());
      responses = watchApi(page);
      await click(page, "Steady stream");
      const count = async (): Promise<number> => (await rows(page, "API servers")).length;
      await expect.poll(count, poll).toBeGreaterThan(1);
    });

    const waitForSuccess = (path: string): Promise<void> =>
      expect.poll(async () => (await fetchAnswer(origin() + path)).status, poll).toBe(200);

    /** Stops the stream, compares the page's numbers with the browser's, and starts it again. */
    async function expectEveryResponseCounted(): Promise<void> {
      await click(page, "Stop");
      await settle(page, responses.length);
      const succeeded = responses.filter((response) => response.ok()).length;
      expect(await numberAt(page, "answered")).toBe(succeeded);
      expect(await numberAt(page, "failed")).toBe(responses.length - succeeded);
      await click(page, "Steady stream");
    }

    it("shows and announces a new server within 5 seconds", async () => {
      const before = await serverNames();
      await compose(stack, argv`up --detach --wait --no-recreate --scale back-end=3`);
      const scaled = performance.now();
      const [added = ""] = (await serverNames()).filter((name) => !before.includes(name));
      await waitForState(page, added, "responds");
      expect(performance.now() - scaled).toBeLessThan(5_000);
      const status = page.getByRole("status");
      await expect
        .poll(() => status.textContent(), poll)
        // The announcement can include servers that the page found just before
        .toMatch(new RegExp(`^New servers?: .*\\b${added}\\b.*\\.`));
      expect(await page.locator("#drawing .server").count()).toBe(3);
    });

    it("shows a killed server as gone, keeps its count, and shows its return", async () => {
      const [killed = ""] = await serverNames();
      const gone: Locator = page.locator("#drawing .server.gone");
      await waitForState(page, killed, "responds");
      await run("docker", ["kill", killed]);
      await waitForState(page, killed, "no longer responds");
      await takePicture(page, "load-balancer-gone");
      expect(await gone.allTextContents()).toEqual([expect.stringContaining("no longer responds")]);
      const row = (await rows(page, "API servers")).find(([name]) => name === killed);
      expect(Number(row?.[1])).toBeGreaterThan(0);
      await expectEveryResponseCounted();

      await run("docker", ["start", killed]);
      await waitForState(page, killed, "responds");
      expect(await gone.count()).toBe(0);
    });

    it("shows failed requests, each once", async () => {
      await compose(stack, ["stop", "back-end"]);
      await expect.poll(() => numberAt(page, "failed"), poll).toBeGreaterThan(10);
      await takePicture(page, "load-balancer-failures");
      expect((await rows(page, "Last responses"))[0]?.slice(1, 3)).toEqual(["Failed: 503", "–"]);
      expect(await page.locator("#drawing .proxy").textContent()).toMatch(/Proxy✕ \d+ failed/);
      for (const name of await serverNames()) await waitForState(page, name, "no longer responds");
      expect(await seriousFindings(page)).toEqual([]);
      await expectEveryResponseCounted();
      await compose(stack, ["start", "back-end"]);
      await waitForSuccess("/api/hello");
    });

    it("shows requests that get no response from the proxy", async () => {
      await click(page, "Stop");
      await settle(page, 1);
      await compose(stack, ["stop", "proxy"]);
      const answered = await numberAt(page, "answered");
      await click(page, "10 requests");
      await settle(page, answered + 10);
      expect(await numberAt(page, "failed")).toBe(10);
      expect((await rows(page, "Last responses"))[0]?.[1]).toBe("Failed: no response");
      await expect
        .poll(() => page.getByRole("status").textContent(), poll)
        .toMatch(new RegExp(`Done: ${answered} answered, 10 failed\\.$`));
      await compose(stack, ["start", "proxy"]);
      await waitForSuccess("/");
    });
  });

  // Stops the API in the end
  itShowsWhatTheApiSays(browser, "production", site);
});
