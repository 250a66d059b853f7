import { access, readFile } from "node:fs/promises";
import { type Browser, chromium, type Page, type Request } from "playwright-core";
import { waitUntil } from "./wait";

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
 * Waits until no IPv6 address of this machine is tentative any more, for at most three seconds. A
 * container's network has its own only a second or so after it is up, and Chromium, when an address
 * joins, gives up what is under way with `ERR_NETWORK_CHANGED`.
 */
export async function settleNetwork(): Promise<void> {
  const isSettled = async (): Promise<boolean> => {
    // Address, index, prefix length, scope, flags, name; Linux alone has it
    const table = await readFile("/proc/net/if_inet6", "utf8").catch(() => "");
    const flags = table.split("\n").map((line) => Number.parseInt(line.split(/ +/)[4] ?? "0", 16));
    return flags.every((value) => (value & tentative) === 0);
  };
  const wait = { for: "the machine's addresses to be settled", timeoutMs: 3_000 };
  // One that is somebody else's too stays tentative for ever
  await waitUntil(isSettled, wait).catch(() => undefined);
}

/** IFA_F_TENTATIVE in Linux's if_addr.h: not known yet to be nobody else's. */
const tentative = 0x40;

/**
 * Starts a browser without a window that asks nobody for anything by itself.
 * @param executablePath As {@link findChromium} found it.
 * @param args Further command-line switches.
 */
export async function launchChromium(
  executablePath: string,
  args: readonly string[] = [],
): Promise<Browser> {
  await settleNetwork();
  return chromium.launch({
    executablePath,
    // Ctrl-C is the command's to handle: Playwright would end the process in the middle of clean-up
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    // As root it has no sandbox of its own
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync", ...args],
    ],
  });
}

/** Scrolls through the whole page, so that whatever loads lazily is loaded. */
export async function readToTheEnd(page: Page): Promise<void> {
  const height = await page.evaluate("document.documentElement.scrollHeight");
  for (let y = 0; y < Number(height); y += 400) await page.mouse.wheel(0, 400);
  await page.waitForLoadState("networkidle");
}

/** @returns Bytes that came over the wire for some requests, headers included. */
export async function wireBytes(requests: readonly Request[]): Promise<number> {
  const sizes = await Promise.all(requests.map((request) => request.sizes()));
  return sizes.reduce((sum, size) => sum + size.responseHeadersSize + size.responseBodySize, 0);
}
