import type { TestProject } from "vitest/node";
import { canInstallPackages, installPackages, updatePackageLists } from "../../tools/lib/apt";
import { findChromium } from "../../tools/lib/chromium";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of a Chromium or Chrome; undefined where there is none. */
    chromium: string | undefined;
  }
}

/**
 * Finds a Chromium, or installs the distribution's where we may. Where none can be had the tests
 * are skipped with the reason, except in CI. `CHROMIUM` names another one.
 */
export default async function setup(project: TestProject): Promise<void> {
  const say = (line: string): void => {
    process.stderr.write(`${project.name}: ${line}\n`);
  };
  let chromium = await findChromium();
  if (chromium === undefined && (await canInstallPackages())) {
    say("installing chromium");
    await updatePackageLists({});
    await installPackages(["chromium", "fonts-liberation"], {});
    chromium = await findChromium();
  }
  if (chromium === undefined) {
    const reason = "no Chromium found: install one, or name it with CHROMIUM=/path/to/chromium";
    if (process.env.CI !== undefined) throw new Error(reason);
    say(`skipped: ${reason}`);
  }
  project.provide("chromium", chromium);
}
