import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { withEngine } from "../engine/engine";
import { argv } from "../lib/argv";
import { findChromium, launchChromium, networkChanged } from "../lib/chromium";
import { commandLine, main } from "../lib/cli";
import { compose } from "../lib/compose";
import { root } from "../lib/course";
import { UserError } from "../lib/errors";
import type { Step } from "../lib/progress";
import { openTemporaryProject } from "../lib/temporary-project";

const maxAttempts = 3;

/** A screenshot of production. */
interface Picture {
  file: string;
  /** In CSS pixels. */
  viewport: { width: number; height: number };
  /** Prepares the page. It returns the part to capture; undefined for the viewport. */
  show: (page: Page) => Promise<Locator | undefined>;
}

const pictures: readonly Picture[] = [
  { file: "site.webp", viewport: { width: 1280, height: 800 }, show: showGreeting },
  { file: "load-balancer.webp", viewport: { width: 1120, height: 1000 }, show: showLoadBalancer },
];

main(async (signal) => {
  const program = commandLine("npm run pictures --")
    .description("Takes the README's screenshots of production in a real browser.")
    .argument("[folder]", "the output folder", path.join(root, "docs"))
    .parse();
  const [folder] = program.processedArgs as [string];
  const chromium = findChromium();
  if (chromium === undefined) {
    throw new UserError("no Chromium found: install it, or set CHROMIUM=/path/to/chromium.");
  }
  await mkdir(folder, { recursive: true }).catch(({ message }: Error) => {
    throw new UserError(`the pictures cannot be written (${message}): choose another folder.`);
  });

  const stack = await openTemporaryProject({
    folder: path.join(root, "production"),
    project: `softy-pinko-pictures-${process.pid}`,
    built: ["back-end", "front-end", "proxy"],
    portVariables: ["PROXY_PORT"],
  });
  const lines: string[] = [];
  let browser: Browser | undefined;
  const steps: Step[] = [
    {
      title: "production",
      run: async (report) => {
        report("building and starting");
        const up = argv`up --detach --build --wait --scale back-end=3`;
        await compose(stack, up, { signal, onLine: report.detail });
        return "production is up";
      },
    },
    ...pictures.map((picture) => ({
      title: picture.file,
      run: async () => {
        browser ??= await launchChromium(chromium);
        const url = `http://localhost:${stack.ports.PROXY_PORT}`;
        const image = await take(browser, url, picture);
        const file = path.join(folder, picture.file);
        await writeFile(file, image);
        lines.push(`${file}  ${Math.ceil(image.length / 1_000)} kB`);
        return undefined;
      },
    })),
  ];
  await withEngine(signal, steps, {
    cleanUp: async () => {
      await browser?.close();
      await stack.remove();
    },
  });
  process.stdout.write(`${lines.join("\n")}\n`);
  return undefined;
});

/** Takes a picture, and takes it again if it fails after Chromium has canceled a request. */
async function take(browser: Browser, url: string, { viewport, show }: Picture): Promise<Buffer> {
  for (let attempt = 1; ; attempt += 1) {
    const page = await browser.newPage({ viewport, deviceScaleFactor: 2 });
    let isCutOff = false;
    page.on("requestfailed", (request) => {
      isCutOff ||= request.failure()?.errorText === networkChanged;
    });
    try {
      await page.goto(url);
      return await capture(page, await show(page));
    } catch (error) {
      if (!isCutOff || attempt === maxAttempts) throw error;
    } finally {
      await page.close();
    }
  }
}

async function showGreeting(page: Page): Promise<undefined> {
  await page.locator("#dynamic-content", { hasText: "Hello, World!" }).waitFor();
}

/** @returns The part of the page to capture. */
async function showLoadBalancer(page: Page): Promise<Locator> {
  await page.goto(new URL("/load-balancer.html", page.url()).href);
  await page.getByRole("button", { name: "100 requests" }).click();
  await page.locator("#answered", { hasText: "100" }).waitFor();
  await page.getByRole("button", { name: "Steady stream" }).click();
  await page.locator("#answered", { hasText: /^1[1-9]\d$/ }).waitFor();
  return page.locator(".stage");
}

/** Captures WebP, a fifth of the size of PNG; Playwright supports only PNG and JPEG. */
async function capture(page: Page, part: Locator | undefined): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const box = await part?.boundingBox();
  const { data } = await session.send("Page.captureScreenshot", {
    format: "webp",
    quality: 90,
    ...(box && { clip: { ...box, scale: 1 } }),
  });
  return Buffer.from(data, "base64");
}
