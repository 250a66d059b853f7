import { createHash } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { describeInBrowser, TestBrowser } from "../lib/browser";
import { servedCertificate, useHttpsStack } from "../lib/https";
import { click, numberAt, settle } from "../lib/load-balancer";
import { bringUp } from "../lib/stacks";

const stack = useHttpsStack();
const secure = (): string => `https://localhost:${stack.ports.https}`;
let keyHash = "";

beforeAll(async () => {
  Object.assign(stack.env, { HTTPS_CERTIFICATES: "", HTTPS_NAME: "" });
  await bringUp(stack, argv`--scale back-end=2`);
  const key = (await servedCertificate(stack)).publicKey.export({ type: "spki", format: "der" });
  keyHash = createHash("sha256").update(key).digest("base64");
});

describeInBrowser("production with HTTPS in a browser", () => {
  const browser = TestBrowser.use(() => [`--ignore-certificate-errors-spki-list=${keyHash}`]);

  it.each([
    { from: "HTTPS", origin: secure },
    { from: "HTTP", origin: () => `http://localhost:${stack.ports.proxy}` },
  ])("shows the site and its greeting to a visitor who comes by $from", async ({ origin }) => {
    const { page, requests, complaints } = await browser.visit(`${origin()}/?a=b`);
    expect(page.url()).toBe(`${secure()}/?a=b`);
    expect(await page.locator("#dynamic-content").textContent()).toBe("Hello, World!");
    // All by HTTP/2; mixed content would be a complaint
    const protocols = `performance.getEntries().map((entry) => entry.nextHopProtocol).filter(Boolean)`;
    expect(new Set(await page.evaluate<string[]>(protocols))).toEqual(new Set(["h2"]));
    const secured = requests.filter((request) => request.url().startsWith(`${secure()}/`));
    expect(secured.length).toBeGreaterThan(3);
    expect(requests.length - secured.length).toBe(origin === secure ? 0 : 1);
    // Chromium's word for a form that opens the visitor's mail program
    const others = complaints.filter((text) => !text.includes("insecure endpoint 'mailto:"));
    expect(others).toEqual([]);
  });

  it("counts 100 requests on the live page", async () => {
    const { page, complaints } = await browser.visit(`${secure()}/load-balancer.html`);
    await click(page, "100 requests");
    await settle(page, 100);
    expect([await numberAt(page, "answered"), await numberAt(page, "failed")]).toEqual([100, 0]);
    expect(complaints).toEqual([]);
  });
});
