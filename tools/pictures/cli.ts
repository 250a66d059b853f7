import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { withEngine } from "../engine/engine";
import { argv } from "../lib/argv";
import { findChromium, launchChromium } from "../lib/chromium";
import { commandLine, main } from "../lib/cli";
import { compose } from "../lib/compose";
import { root } from "../lib/course";
import { UserError } from "../lib/errors";
import type { Step } from "../lib/progress";
import { openTemporaryProject } from "../lib/temporary-project";
import { type Box, pictures } from "./pictures";

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
        await compose(stack, argv`up --detach --build --wait --scale back-end=3`, {
          signal,
          onLine: report.detail,
        });
        return "production is up";
      },
    },
    ...pictures.map(({ file, size, show }) => ({
      title: file,
      run: async () => {
        browser ??= await launchChromium(chromium);
        const page = await browser.newPage({ viewport: size, deviceScaleFactor: 2 });
        await page.goto(`http://localhost:${stack.ports.PROXY_PORT}`);
        const picture = await capture(page, await show(page));
        await writeFile(path.join(folder, file), picture);
        await page.close();
        lines.push(`${path.join(folder, file)}  ${Math.ceil(picture.length / 1_000)} kB`);
        return undefined;
      },
    })),
  ];
  await withEngine(signal, steps, async () => {
    await browser?.close();
    await stack.remove();
  });
  process.stdout.write(`${lines.join("\n")}\n`);
  return undefined;
});

/** Captures WebP, a fifth of the size of PNG; Playwright supports only PNG and JPEG. */
async function capture(page: Page, box: Box | undefined): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", {
    format: "webp",
    quality: 90,
    ...(box !== undefined && { clip: { ...box, scale: 1 } }),
  });
  return Buffer.from(data, "base64");
}
