import type { TestProject } from "vitest/node";
import { canInstallPackages, installPackages } from "../../tools/lib/apt";
import { findChromium } from "../../tools/lib/chromium";

declare module "vitest" {
  interface ProvidedContext {
    /** The path of Chromium or Chrome, if there is one. */
    chromium: string | undefined;
  }
}

/**
 * Finds a Chromium, or installs the distribution's. Without one, the tests are skipped with the
 * reason; in CI they fail.
 */
export default async function setup(project: TestProject): Promise<void> {
  const print = (line: string): void => {
    process.stderr.write(`${project.name}: ${line}\n`);
  };
  if (findChromium() === undefined && (await canInstallPackages())) {
    print("installing chromium");
    await installPackages(["chromium-headless-shell", "fonts-liberation"], {});
  }
  const chromium = findChromium();
  if (chromium === undefined) {
    const reason = "no Chromium found: install it, or set CHROMIUM=/path/to/chromium";
    if (process.env.CI !== undefined) throw new Error(reason);
    print(`skipped: ${reason}`);
  }
  project.provide("chromium", chromium);
}
