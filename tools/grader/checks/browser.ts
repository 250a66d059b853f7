import type { Page } from "playwright-core";
import { findChromium, launchChromium } from "../../lib/chromium";
import { type Check, type Finding, failed, skipped } from "../point";
import { type Role, roles, type Subject, shown } from "../subject";
import { findPage } from "./front-end";
import { addressOf, ports } from "./service";

/**
 * The page shows what the API says, in a real browser that reaches the stack at the text's own
 * addresses, and nothing else (spec, tasks 3 and 5).
 * @param home Who serves the page: the front-end, or the proxy.
 * @param needs What must hold before it is worth a look.
 */
export function showsGreeting(home: Role, needs: readonly string[]): Check<Subject> {
  return {
    id: "browser",
    title: "in a browser the page shows Hello, World!",
    needs,
    isLive: true,
    judge: async (subject) => {
      const chromium = await findChromium();
      if (chromium === undefined) return skipped("there is no Chromium to look at it with");
      const rules: string[] = [];
      for (const role of roles) {
        const url = subject.running[role]?.url ?? (await addressOf(subject, role));
        if (url !== undefined) rules.push(`MAP localhost:${ports[role]} ${new URL(url).host}`);
      }
      const browser = await launchChromium(chromium, [
        `--host-resolver-rules=${[...rules, "MAP * ~NOTFOUND"].join(", ")}`,
      ]);
      try {
        const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
        return await look(subject, page, `http://localhost:${ports[home]}/`);
      } finally {
        await browser.close();
      }
    },
  };
}

async function look(subject: Subject, page: Page, url: string): Promise<Finding | undefined> {
  const complaints: string[] = [];
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  const foreign: string[] = [];
  page.on("requestfailed", (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== "localhost") foreign.push(request.url());
  });
  await page.goto(url, { waitUntil: "load", timeout: 20_000 }).catch(() => undefined);
  const shows = (text: string): Promise<boolean> =>
    page
      .locator("#dynamic-content", { hasText: text })
      .waitFor({ state: "attached", timeout: 5_000 })
      .then(
        () => true,
        () => false,
      );
  const isShown = await shows("Hello, World!");
  const picture = await page.screenshot({ timeout: 10_000 }).catch(() => undefined);
  if (picture !== undefined) subject.picture = picture;
  if (isShown) return undefined;

  const jquery = foreign.find((address) => /jquery/i.test(address));
  if (jquery !== undefined) {
    return skipped(`the page loads jQuery from ${new URL(jquery).host}, which is not asked here`);
  }
  const blocked = complaints.find((text) => /CORS policy/.test(text));
  const cause = (blocked ?? complaints[0] ?? "its script gets no answer").split("\n")[0] ?? "";
  const hint = "Open the page, press F12, and read the console.";
  return failed(`it stays empty: ${cause.slice(0, 240)}`, hint, {
    file: shown(subject, findPage(subject) ?? ""),
  });
}
