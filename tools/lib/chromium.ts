import { access } from "node:fs/promises";
import { type Browser, chromium } from "playwright-core";

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** @returns The path of a Chromium or Chrome: the one that `CHROMIUM` names, or where they usually are. */
export async function findChromium(): Promise<string | undefined> {
  if (process.env.CHROMIUM !== undefined) return process.env.CHROMIUM;
  for (const place of places) {
    const isThere = await access(place).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  return undefined;
}

/**
 * Starts a browser without a window that asks nobody for anything by itself.
 * @param executablePath As {@link findChromium} found it.
 * @param args Further command-line switches.
 */
export function launchChromium(
  executablePath: string,
  args: readonly string[] = [],
): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // As root it has no sandbox of its own
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync", ...args],
    ],
  });
}
