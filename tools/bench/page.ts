import type { Browser, Page, Request } from "playwright-core";
import { launchChromium, readToTheEnd, settleNetwork, wireBytes } from "../lib/chromium";
import type { PageWeight } from "./report";

/** Milliseconds; a page that is not there by then is not going to be. */
const longestWait = 30_000;

/** What is between the browser and the server; the browser itself holds the answers back. */
export interface Line {
  /** Millions of bits in a second, each way. */
  megabits: number;
  /** Milliseconds before each answer. */
  latencyMs: number;
}

/** That of a desktop in Lighthouse, Chrome's own measurement of pages. */
export const broadband: Line = { megabits: 10, latencyMs: 40 };

/**
 * Opens a page in a real Chromium, each time in a fresh profile, and reads it to its end. A visit
 * before the others does not count: it waits for the browser to find its fonts and its processes.
 * @param chromium The browser, as findChromium found it.
 * @param url The page.
 * @param visits How many times it is opened.
 * @param signal Ends it after the visit that is under way.
 * @param line Without it the bytes come as fast as they are copied, and how many there are is lost
 *   in the noise of the machine.
 * @returns Requests and bytes of the visit that needed the most bytes, and each visit's paint.
 * @throws {Error} for a request that fails or is answered with another status than 200, saying
 *   which; the signal's reason when it aborts.
 */
export async function measurePage(
  chromium: string,
  url: string,
  visits: number,
  signal: AbortSignal,
  line?: Line,
): Promise<PageWeight> {
  const browser = await launchChromium(chromium);
  try {
    await visit(browser, url, line);
    const weight: PageWeight = { requests: 0, bytes: 0, largestPaintMs: [] };
    for (let count = 0; count < visits; count += 1) {
      signal.throwIfAborted();
      const { requests, bytes, paintMs } = await visit(browser, url, line);
      if (bytes > weight.bytes) Object.assign(weight, { requests, bytes });
      weight.largestPaintMs.push(paintMs);
    }
    return weight;
  } finally {
    await browser.close();
  }
}

interface Visit {
  requests: number;
  bytes: number;
  paintMs: number;
}

async function visit(browser: Browser, url: string, line: Line | undefined): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    context.setDefaultTimeout(longestWait);
    const page = await context.newPage();
    const requests: Request[] = [];
    page.on("request", (request) => requests.push(request));
    if (line !== undefined) await slowDown(page, line);
    await settleNetwork();
    await page.goto(url, { waitUntil: "networkidle" });
    // Before the first scroll, after which the browser looks for no larger paint
    const paintMs = await largestPaint(page);
    await readToTheEnd(page);
    await requireSuccess(requests);
    return { requests: requests.length, bytes: await wireBytes(requests), paintMs };
  } finally {
    await context.close();
  }
}

async function slowDown(page: Page, { megabits, latencyMs }: Line): Promise<void> {
  const bytesPerSecond = (megabits * 1e6) / 8;
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("Network.enable");
  await protocol.send("Network.emulateNetworkConditions", {
    ...{ offline: false, latency: latencyMs },
    ...{ downloadThroughput: bytesPerSecond, uploadThroughput: bytesPerSecond },
  });
}

/** @returns Milliseconds from the start of the navigation to the largest paint so far. */
async function largestPaint(page: Page): Promise<number> {
  const paintMs: unknown = await page.evaluate(`new Promise((resolve) => {
    const last = (list) => resolve(list.getEntries().at(-1)?.startTime);
    new PerformanceObserver(last).observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(resolve, 5_000);
  })`);
  if (typeof paintMs !== "number") throw new Error(`${page.url()} has painted nothing in 5 s`);
  return paintMs;
}

async function requireSuccess(requests: readonly Request[]): Promise<void> {
  for (const request of requests) {
    const status = (await request.response())?.status();
    const problem = status === undefined ? request.failure()?.errorText : `answered with ${status}`;
    if (status !== 200) throw new Error(`${request.url()}: ${problem ?? "no answer"}`);
  }
}
