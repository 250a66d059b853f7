import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { desktop, type TestBrowser } from "./browser";
import type { Site } from "./site-checks";

/** Ways to inject code into a page, as scripts that it evaluates. The last one cannot be undone. */
const injections = (foreign: string): Record<string, string> => ({
  "a script": `const script = document.createElement("script");
    script.textContent = "injected = true";
    document.body.append(script);`,
  "a handler": `document.body.insertAdjacentHTML("beforeend", '<button onclick="injected = true">');
    document.body.lastElementChild.click();`,
  "a script for a link": `
    document.body.insertAdjacentHTML("beforeend", '<a href="javascript:void(injected = true)">x</a>');
    document.body.lastElementChild.click();`,
  "a text to evaluate": `setTimeout("injected = true")`,
  "another host's script": `const script = document.createElement("script");
    script.src = "${foreign}/script.js";
    document.body.append(script);`,
  "another host's image": `document.body.append(Object.assign(new Image(), { src: "${foreign}/x" }));`,
  "another host's response": `fetch("${foreign}/x").catch(() => undefined);`,
  "another host's base": `
    document.head.insertAdjacentHTML("afterbegin", '<base href="${foreign}/">');
    fetch("x").catch(() => undefined);
    document.querySelector("base").remove();`,
  "another host's frame": `document.body.insertAdjacentHTML("beforeend", '<iframe src="${foreign}/frame">');`,
  "a style": `document.body.insertAdjacentHTML("beforeend", "<style>body { color: rgb(1, 2, 3) }</style>");`,
});

/** Another site, which records its requests. */
function useForeignSite(page: () => string): { origin: () => string; requests: string[] } {
  const requests: string[] = [];
  let server: Server;
  beforeAll(async () => {
    server = createServer(({ url = "" }, response) => {
      requests.push(url);
      response.setHeader("Content-Type", url.endsWith(".js") ? "text/javascript" : "text/html");
      response.end(url.endsWith(".js") ? "injected = true" : page());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function inject(page: Page, script: string, requests: string[]): Promise<void> {
  requests.length = 0;
  await page.evaluate("delete window.injected");
  await page.evaluate(script);
}

/** @returns Whether an injected script or style took effect, or the other site got a request. */
async function hasEffect(page: Page, requests: string[]): Promise<boolean> {
  // What is allowed takes effect before this request, which the page sends afterwards
  await page.evaluate("fetch('/api/hello').then((response) => response.text())");
  const ran = await page.evaluate(
    "'injected' in window || getComputedStyle(document.body).color === 'rgb(1, 2, 3)'",
  );
  return ran === true || requests.length > 0;
}

/** Tests a page with a Content-Security-Policy. */
export function itKeepsToItsPolicy(browser: TestBrowser, site: () => Site): void {
  const foreign = useForeignSite(() => `<iframe src="${site().url}"></iframe>`);

  it("may send its form by mail, but to no other site", async () => {
    const { page, complaints } = await browser.visit(site().url);
    const submit = (action: string): Promise<unknown> =>
      page.evaluate(`{
        const form = document.querySelector("form");
        form.action = ${JSON.stringify(action)};
        form.noValidate = true;
        form.requestSubmit();
      }`);
    const violations = (): string[] => complaints.filter((text) => text.includes("form-action"));
    const action = await page.locator("form").getAttribute("action");
    expect(action).toMatch(/^mailto:/);
    await submit(action ?? "");
    await submit(`${foreign.origin()}/form`);
    await expect.poll(violations).toEqual([expect.stringContaining(foreign.origin())]);
    expect(foreign.requests).not.toContain("/form");
  });

  it("blocks every injection", async () => {
    const { page, complaints } = await browser.visit(site().url);
    for (const [kind, script] of Object.entries(injections(foreign.origin()))) {
      complaints.length = 0;
      await inject(page, script, foreign.requests);
      const report = (): string => complaints.join("\n");
      await expect
        .poll(report, { message: kind, timeout: 10_000 })
        .toContain("Content Security Policy");
      expect(await hasEffect(page, foreign.requests), kind).toBe(false);
    }
  });

  it("would block none without its policy", async () => {
    const { page } = await browser.visit(site().url, { ...desktop, bypassCSP: true });
    for (const [kind, script] of Object.entries(injections(foreign.origin()))) {
      await inject(page, script, foreign.requests);
      await expect
        .poll(() => hasEffect(page, foreign.requests), { message: kind, timeout: 10_000 })
        .toBe(true);
    }
  });

  it("cannot be shown inside another site", async () => {
    const { complaints } = await browser.visit(foreign.origin(), desktop, "load");
    await expect.poll(() => complaints.join("\n")).toContain("frame-ancestors");
  });
}
