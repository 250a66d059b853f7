import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { argv } from "./argv";

const executables = [
  // Starts faster than the whole browser, and needs less of the processor
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * Why Chromium cancels requests when this machine gets an address. A container's network gets its own
 * about a second after the container starts.
 */
export const networkChanged = "net::ERR_NETWORK_CHANGED";

/** @returns The path of Chromium or Chrome: from the variable `CHROMIUM`, or the usual places. */
export function findChromium(): string | undefined {
  return process.env.CHROMIUM ?? executables.find((file) => existsSync(file));
}

/**
 * Starts a headless browser that sends no requests of its own.
 * @param args More command-line switches.
 */
export function launchChromium(
  executablePath: string,
  args: readonly string[] = [],
): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // The command handles Ctrl-C: Playwright would end the process during its clean-up
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    // Chromium has no sandbox for root
    chromiumSandbox: process.getuid?.() !== 0,
    args: argv`--disable-gpu --disable-quic --no-first-run --disable-background-networking
      --disable-component-update --disable-sync ${args}`,
  });
}
