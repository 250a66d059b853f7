import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { fetchAnswer } from "../lib/http";
import { attempt, run } from "../lib/run";
import { waitUntil } from "../lib/wait";

/** A page that is served until it is closed. */
export interface ServedPage {
  url: string;
  /** Removes the server. Comes to its end even after Ctrl-C. */
  close(): Promise<void>;
}

/**
 * Serves a stand-in of the original's front page, so that one browser can time both in one run:
 * that page itself is not ours to copy. It has the same weight, 26 requests and 2.1 MB, and the
 * make-up that the original shows: style sheets before anything is painted, web fonts, a banner as
 * the background of the headline, scripts before the end of the body.
 *
 * It is served as the course serves it, by `nginx:latest` with the course's plain configuration: so
 * the server is the same as ours, in a container as ours is. All that differs is in the original's
 * favour: there is no proxy in between; there is one host on this machine instead of two more on
 * the internet; scripts and style sheets are comments, which cost less than code; the fonts hold no
 * letters and are given up as soon as they are there; no image is broken.
 * @param container Its name, such as `softy-pinko-bench-1f2e3d-original-page`; nobody else's.
 * @returns Its address, once it answers.
 * @throws {CommandError} when the server cannot be started.
 */
export async function serveOriginalPage(
  container: string,
  signal: AbortSignal,
): Promise<ServedPage> {
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-original-page-"));
  const close = async (): Promise<void> => {
    await attempt("docker", ["rm", "--force", "--volumes", container], { detached: true });
  };
  try {
    const site = path.join(scratch, "site");
    await mkdir(site);
    for (const [name, content] of originalPage()) await writeFile(path.join(site, name), content);
    const conf = path.join(scratch, "default.conf");
    await writeFile(conf, configuration);

    const port = ["--publish=127.0.0.1::9000"];
    await run("docker", ["create", `--name=${container}`, ...port, "nginx:latest"], { signal });
    // Copied, not mounted: the engine need not see our files, nor its nginx be allowed to read them
    await run("docker", ["cp", site, `${container}:/srv`], { signal });
    await run("docker", ["cp", conf, `${container}:/etc/nginx/conf.d/`], { signal });
    await run("docker", ["start", container], { signal });

    const address = await run("docker", ["port", container, "9000/tcp"], { signal });
    const url = `http://${address.trim()}/`;
    await waitUntil(async () => (await fetchAnswer(url)).status === 200, {
      ...{ for: "the original page to be served", timeoutMs: 30_000, signal },
    });
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** As in the course: nothing is compressed. */
const configuration = `server {
  listen 9000;
  server_name softy-pinko-front-end;
  location / {
    root /srv/site;
    index index.html;
  }
}
`;

/** Bytes. Sums up, with the pictures and nginx's headers, to what the original has. */
const styles = { "framework.css": 160_000, "icons.css": 38_000, "fonts.css": 4_000 };
const siteStyle = 44_000;
const fonts = { "text.woff2": 36_000, "icons.woff2": 78_000 };
const scripts = {
  "library.js": 86_000,
  "popups.js": 80_000,
  "framework.js": 60_000,
  "reveal.js": 34_000,
  "waypoints.js": 10_000,
  "counters.js": 4_000,
  "images.js": 3_000,
  "site.js": 5_000,
};
const document = 26_000;

/** Pixels. Each has four bits. */
const pictures: Record<string, readonly [width: number, height: number]> = {
  "banner.png": [1440, 820],
  "steps.png": [1440, 592],
  "numbers.png": [1440, 290],
  "logo.png": [136, 36],
  "feature.png": [128, 128],
  "step.png": [64, 64],
  "quote.png": [64, 64],
  "talk.png": [320, 320],
  "help.png": [320, 320],
  "blog-1.png": [370, 210],
  "blog-2.png": [370, 210],
};

/** @returns Each file of the page by its name, the same each time. */
export function originalPage(): Map<string, Buffer> {
  const padded = (name: string, start: string, bytes: number): [string, Buffer] => [
    name,
    Buffer.from(`${start}${comment(name, bytes - start.length)}`),
  ];
  return new Map([
    ["index.html", Buffer.from(html())],
    ...Object.entries(styles).map(([name, bytes]) => {
      return padded(name, name === "fonts.css" ? fontFaces : "", bytes);
    }),
    padded("site.css", css, siteStyle),
    ...Object.entries(fonts).map(([name, bytes]): [string, Buffer] => [name, noise(name, bytes)]),
    ...Object.entries(scripts).map(([name, bytes]) => padded(name, "", bytes)),
    ...Object.entries(pictures).map(([name, [width, height]]): [string, Buffer] => [
      name,
      picture(name, width, height),
    ]),
  ]);
}

/** @returns Bytes that look random, so that nothing can compress them, but are always the same. */
function noise(seed: string, bytes: number): Buffer {
  return createHash("shake256", { outputLength: bytes }).update(seed).digest();
}

/** @returns A comment of so many bytes, for a style sheet or a script. */
function comment(seed: string, bytes: number): string {
  // Base64 has no asterisk, so it does not end early
  return `/*${noise(seed, bytes)
    .toString("base64")
    .slice(0, bytes - 5)}*/\n`;
}

/** @returns A PNG of pinks and violets. */
export function picture(seed: string, width: number, height: number): Buffer {
  const row = Math.ceil(width / 2);
  const pixels = noise(seed, (row + 1) * height);
  // Each row begins with the number of its filter: none
  for (let y = 0; y < height; y += 1) pixels[y * (row + 1)] = 0;

  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([4, 3], 8); // Bits for a pixel, which are indexes into a palette
  const palette = Array.from({ length: 16 }, (_, shade) => [255 - shade * 9, 70 + shade, 160]);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("PLTE", Buffer.from(palette.flat())),
    chunk("IDAT", deflateSync(pixels, { level: 0 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, checksum]);
}

const fontFaces = `@font-face { font-family: text; src: url(text.woff2) }
@font-face { font-family: icons; src: url(icons.woff2) }
`;

const css = `* { box-sizing: border-box; margin: 0 }
body { font: 16px/1.6 text, sans-serif; color: #777; text-align: center }
section { padding: 120px 15%; overflow: hidden }
.banner { height: 820px; padding-top: 330px; color: #fff; background: url(banner.png) center/cover }
.steps { color: #fff; background: url(steps.png) center/cover }
.numbers { color: #fff; background: url(numbers.png) center/cover }
.row { display: flex; gap: 30px; justify-content: space-around }
h1 { font-size: 36px } h2 { font-size: 24px }
footer { font-family: icons, sans-serif }
`;

/** @returns The page: sections in the original's order, with words that mean nothing. */
function html(): string {
  const lines = (before: string, names: string[], after: string): string =>
    names.map((name) => `${before}${name}${after}`).join("\n");
  const image = (name: string): string => `<img src="${name}.png" alt="">`;
  const of = (count: number, content: string): string => content.repeat(count);
  const text = "lorem ipsum dolor sit amet ";
  const start = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Stand-in</title><link rel="icon" href="data:,">
${lines('<link rel="stylesheet" href="', [...Object.keys(styles), "site.css"], '">')}
</head><body><header>${image("logo")}</header>
<section class="banner">
<h1>We provide the best <b>strategy</b><br>to grow up your <b>business</b></h1>
</section>
<section class="row">${of(3, `<div>${image("feature")}<h2>Lorem</h2>${text}</div>`)}</section>
<section>${image("talk")}<h2>Ipsum</h2>${of(6, text)}</section>
<section>${image("help")}<h2>Dolor</h2>${of(6, text)}</section>
<section class="steps row">${of(6, `<div>${image("step")}<h2>Sit</h2>${text}</div>`)}</section>
<section class="row">${of(3, `<div>${image("quote")}${of(4, text)}</div>`)}</section>
<section class="numbers row">${of(4, "<h1>126</h1>")}</section>
<section class="row">${image("blog-1")}${image("blog-2")}</section>
<footer>Ipsum</footer>
`;
  const end = `${lines('<script src="', Object.keys(scripts), '"></script>')}\n</body></html>\n`;
  const markup = "<!-- What the original spends on markup -->\n";
  const missing = Math.floor((document - start.length - end.length) / markup.length);
  return start + of(missing, markup) + end;
}
