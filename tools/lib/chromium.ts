import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Browser, chromium } from "playwright-core";
import { argv } from "./argv";
import { waitUntil } from "./wait";

const executables = [
  // Starts faster than the whole browser, and needs less of the processor
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** @returns The path of Chromium or Chrome: from the variable `CHROMIUM`, or the usual places. */
export function findChromium(): string | undefined {
  return process.env.CHROMIUM ?? executables.find((file) => existsSync(file));
}

/** IFA_F_TENTATIVE in Linux's if_addr.h: duplicate address detection is still running. */
const tentative = 0x40;

/**
 * Waits until no IPv6 address of this machine is tentative, for at most 3 s. A new container's
 * network gets its address about a second late, and Chromium aborts its requests with
 * `ERR_NETWORK_CHANGED` when an address is added.
 */
export async function settleNetwork(): Promise<void> {
  const isSettled = async (): Promise<boolean> => {
    // Linux only. Columns: address, index, prefix length, scope, flags, name
    const table = await readFile("/proc/net/if_inet6", "utf8").catch(() => "");
    const flags = table.split("\n").map((line) => Number.parseInt(line.split(/ +/)[4] ?? "0", 16));
    return flags.every((value) => (value & tentative) === 0);
  };
  const wait = { for: "the IPv6 addresses to settle", timeoutMs: 3_000 };
  // An address that another machine uses too stays tentative
  await waitUntil(isSettled, wait).catch(() => undefined);
}

/**
 * Starts a headless browser that sends no requests of its own.
 * @param args More command-line switches.
 */
export async function launchChromium(
  executablePath: string,
  args: readonly string[] = [],
): Promise<Browser> {
  await settleNetwork();
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
