import type { Locator, Page, Response } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose } from "../../tools/lib/compose";
import { fetchAnswer } from "../../tools/lib/http";
import { run } from "../../tools/lib/run";
import { seriousFindings } from "../lib/accessibility";
import { describeInBrowser, takePicture } from "../lib/browser";
import {
  click,
  numberAt,
  poll,
  rows,
  settle,
  useLoadBalancer,
  waitForState,
  watchApi,
} from "../lib/load-balancer";
import { everyResponse } from "../lib/served-files";
import { itShowsWhatTheApiSays } from "../lib/site-checks";

const { stack, browser, origin, site, serverNames, visit } = useLoadBalancer();

/** Opens the page and starts its stream of requests. */
async function openStream(): Promise<{ page: Page; responses: Response[] }> {
  const { page } = await visit();
  const responses = watchApi(page);
  await click(page, "Steady stream");
  const count = async (): Promise<number> => (await rows(page, "API servers")).length;
  await expect.poll(count, poll).toBeGreaterThan(1);
  return { page, responses };
}

const waitForSuccess = (path: string): Promise<void> =>
  expect.poll(async () => (await fetchAnswer(origin() + path)).status, poll).toBe(200);

/** Stops the stream, compares the page's numbers with the browser's, and starts it again. */
async function expectEveryResponseCounted(
  page: Page,
  responses: readonly Response[],
): Promise<void> {
  await click(page, "Stop");
  await settle(page, responses.length);
  const succeeded = responses.filter((response) => response.ok()).length;
  expect(await numberAt(page, "answered")).toBe(succeeded);
  expect(await numberAt(page, "failed")).toBe(responses.length - succeeded);
  await click(page, "Steady stream");
}

// A test that runs again may have left servers stopped
beforeEach(async () => {
  await compose(stack, ["start"]);
  for (const path of ["/", "/api/hello"]) await waitForSuccess(path);
});

describeInBrowser("the load balancer page while servers start and stop", () => {
  it("shows and announces a new server", async () => {
    const { page } = await openStream();
    const before = await serverNames();
    await compose(stack, argv`up --detach --wait --no-recreate --scale back-end=3`);
    const [added = ""] = (await serverNames()).filter((name) => !before.includes(name));
    await waitForState(page, added, "responds");
    const status = page.getByRole("status");
    await expect
      .poll(() => status.textContent(), poll)
      // The announcement can include servers that the page found just before
      .toMatch(new RegExp(`^New servers?: .*\\b${added}\\b.*\\.`));
    expect(await page.locator("#drawing .server").count()).toBe(3);
  });

  it("shows a killed server as gone, keeps its count, and shows its return", async () => {
    const { page, responses } = await openStream();
    const [killed = ""] = await serverNames();
    const gone: Locator = page.locator("#drawing .server.gone");
    await waitForState(page, killed, "responds");
    await run("docker", ["kill", killed]);
    await waitForState(page, killed, "no longer responds");
    await takePicture(page, "load-balancer-gone");
    expect(await gone.allTextContents()).toEqual([expect.stringContaining("no longer responds")]);
    const row = (await rows(page, "API servers")).find(([name]) => name === killed);
    expect(Number(row?.[1])).toBeGreaterThan(0);
    await expectEveryResponseCounted(page, responses);

    await run("docker", ["start", killed]);
    await waitForState(page, killed, "responds");
    expect(await gone.count()).toBe(0);
  });
});

describeInBrowser("the site without its front-end", () => {
  it("shows a page with its style and a link to its own address, but never reloads it", async () => {
    await compose(stack, ["stop", "front-end"]);
    const { page, complaints } = await browser.visit(origin());
    const { headers } = await fetchAnswer(origin());
    await compose(stack, ["start", "front-end"]);
    await waitForSuccess("/");
    // What its policy forbids would be another complaint
    expect(complaints.filter((text) => !text.includes("503"))).toEqual([]);
    expect(headers).toMatchObject({
      ...everyResponse,
      "cache-control": "no-store",
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
      "retry-after": "1",
    });
    expect(await page.locator("meta[http-equiv], script").count()).toBe(0);
    await page.getByRole("link", { name: "Try again" }).click();
    expect(await page.getByText("to grow up your business").isVisible()).toBe(true);
  });
});

describeInBrowser("the load balancer page without servers", () => {
  it("shows failed requests, each once", async () => {
    const { page, responses } = await openStream();
    await compose(stack, ["stop", "back-end"]);
    await expect.poll(() => numberAt(page, "failed"), poll).toBeGreaterThan(10);
    await takePicture(page, "load-balancer-failures");
    expect((await rows(page, "Last responses"))[0]?.slice(1, 3)).toEqual(["Failed: 503", "–"]);
    expect(await page.locator("#drawing .proxy").textContent()).toMatch(/Proxy✕ \d+ failed/);
    for (const name of await serverNames()) await waitForState(page, name, "no longer responds");
    expect(await seriousFindings(page)).toEqual([]);
    await expectEveryResponseCounted(page, responses);
    await compose(stack, ["start", "back-end"]);
    await waitForSuccess("/api/hello");
  });

  it("shows requests that get no response from the proxy", async () => {
    const { page } = await openStream();
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

  // Stops the API in the end
  itShowsWhatTheApiSays(browser, "production", site);
});
