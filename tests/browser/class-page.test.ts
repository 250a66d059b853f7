import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { renderClass } from "../../tools/grader/class/render-class";
import { seriousFindings } from "../lib/accessibility";
import { describeInBrowser, TestBrowser } from "../lib/browser";
import { bad, broken, good } from "../lib/class-rows";
import { ownName } from "../lib/stacks";

/** @returns The first letters of the repositories that are shown. */
const shown = async (page: Page): Promise<string> => {
  const names = await page.locator("tbody tr:visible th").allTextContents();
  return names.map((name) => name.trim()[0]).join("");
};

describeInBrowser("the page of a class", () => {
  const browser = TestBrowser.use();

  it("sorts, filters and prints, is accessible, and runs no script of a learner's", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), ownName("page")));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = path.join(folder, "index.html");
    await writeFile(file, renderClass([good, bad, broken], "Docker"));
    const { page, complaints, requests } = await browser.visit(`file://${file}`);
    expect(await shown(page)).toBe("gb=");
    const orders: string[] = [];
    for (const heading of ["Repository", "Repository", "fail", "fail"]) {
      await page.getByRole("button", { name: heading, exact: true }).click();
      orders.push(await shown(page));
    }
    expect(orders).toEqual(["=bg", "gb=", "bg=", "=gb"]);
    expect(await page.locator("[aria-sort]").getAttribute("aria-sort")).toBe("ascending");
    await page.getByRole("combobox").selectOption("task1.port");
    expect(await shown(page)).toBe("b");
    expect(await page.getByRole("status").textContent()).toBe("1 of 3 repositories");
    await page.getByRole("combobox").selectOption("");
    await page.getByRole("link", { name: "task0.build" }).click();
    expect(await shown(page)).toBe("b");
    expect(await seriousFindings(page)).toEqual([]);
    await page.emulateMedia({ media: "print" });
    expect(await page.getByRole("combobox").isVisible()).toBe(false);

    await page.evaluate(
      "document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = 1'}))",
    );
    expect(await page.title()).toBe("Softy Pinko, the class");
    expect(complaints.filter((complaint) => !complaint.includes("Security Policy"))).toEqual([]);
    expect(requests).toHaveLength(1);
  });
});
