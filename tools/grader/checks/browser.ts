import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { load } from "cheerio";
import { findChromium } from "../../lib/chromium";
import { attempt } from "../../lib/run";
import { type Check, type Finding, failed, skipped } from "../point";
import { readText } from "../repository";
import { type Role, roles, type Subject, shown } from "../subject";
import { findPage } from "./front-end";
import { addressOf, ports } from "./service";

/**
 * The page shows what the API says, in a real browser that reaches the stack at the text's own
 * addresses, and nothing else (spec, tasks 3 and 5).
 * @param home Who serves the page: the front-end, or the proxy.
 * @param needs What must hold before it is worth a look.
 */
export function showsGreeting(home: Role, needs: readonly string[]): Check<Subject> {
  return {
    id: "browser",
    title: "in a browser the page shows Hello, World!",
    needs,
    isLive: true,
    judge: async (subject) => {
      const chromium = await findChromium();
      if (chromium === undefined) return skipped("there is no Chromium to look at it with");
      const rules: string[] = [];
      for (const role of roles) {
        const url = subject.running[role]?.url ?? (await addressOf(subject, role));
        if (url !== undefined) rules.push(`MAP localhost:${ports[role]} ${new URL(url).host}`);
      }
      const visit = await visitPage(chromium, `http://localhost:${ports[home]}/`, rules, subject);
      subject.sandbox.signal.throwIfAborted();
      if (visit.picture !== undefined) subject.picture = visit.picture;
      return judgeVisit(subject, visit);
    },
  };
}

interface Visit {
  /** The page's HTML once its scripts have run; empty if the browser did not get that far. */
  html: string;
  /** What the page's console shows, each message once. */
  console: string[];
  picture: Buffer | undefined;
  /** Why it was ended, such as `timed out after 40 s`: the page keeps it busy. */
  ended: string | undefined;
  /** What it says of an end of its own. */
  failure: string | undefined;
}

/** A user without rights; Chromium uses its own sandbox unless it is root. */
const nobody = 65_534;

/**
 * Opens a page in a browser of its own, which exits once it has printed the page and a picture of it.
 * @param rules Where host names lead to; no other name leads anywhere.
 */
async function visitPage(
  chromium: string,
  url: string,
  rules: readonly string[],
  { sandbox }: Subject,
): Promise<Visit> {
  const profile = await mkdtemp(path.join(tmpdir(), "softy-pinko-browser-"));
  const picture = path.join(profile, "page.png");
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(profile, nobody, nobody);
  const withoutRights = [
    "setpriv",
    `--reuid=${nobody}`,
    `--regid=${nobody}`,
    "--clear-groups",
    "--no-new-privs",
  ];
  const [program = "", ...args] = [
    ...(isRoot ? withoutRights : []),
    chromium,
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--deny-permission-prompts",
    "--block-new-web-contents",
    // WebRTC asks addresses that host names do not hide
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy",
    `--host-resolver-rules=${[...rules, "MAP * ~NOTFOUND"].join(", ")}`,
    `--user-data-dir=${profile}`,
    "--window-size=1280,800",
    `--screenshot=${picture}`,
    "--dump-dom",
    "--enable-logging=stderr",
    // Of the page's own time, which stands still while it waits for a response
    "--virtual-time-budget=5000",
    url,
  ];
  try {
    const { ok, exitCode, stdout, stderr } = await attempt(program, args, {
      cwd: profile,
      env: { HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
      signal: sandbox.signal,
      timeoutMs: 40_000,
      maxOutputBytes: 8_000_000,
    });
    return {
      html: stdout,
      console: consoleIn(stderr),
      picture: await readFile(picture).catch(() => undefined),
      ended: exitCode === undefined ? stderr : undefined,
      failure: ok ? undefined : stderr.trim().split("\n").at(-1),
    };
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
}

/** Chromium logs `[1:2:0102/030405.6:INFO:CONSOLE:7] "message", source: http://localhost/ (7)`. */
function consoleIn(log: string): string[] {
  const lines = log.split("\n").flatMap((line) => {
    const start = line.indexOf("CONSOLE");
    const [from, to] = [line.indexOf('"', start), line.lastIndexOf('", source:')];
    return start === -1 || to <= from ? [] : [line.slice(from + 1, to)];
  });
  return [...new Set(lines)];
}

function judgeVisit(subject: Subject, visit: Visit): Finding | undefined {
  const { html, console, ended, failure } = visit;
  const shows = load(html)("#dynamic-content").text();
  if (shows.includes("Hello, World!")) return undefined;
  const page = findPage(subject) ?? "";
  const [host] = load(readText(subject.folder, page) ?? "")("script")
    .toArray()
    .map(({ attribs }) => attribs.src ?? "")
    .filter((src) => /jquery/i.test(src))
    .flatMap((src) => /^(?:https?:)?\/\/([^/]*)/.exec(src)?.[1] ?? []);
  if (host !== undefined) {
    return skipped(`the page loads jQuery from ${host}, which is not asked here`);
  }
  if (ended === undefined && failure !== undefined) {
    return skipped(`the browser does not open it: ${failure.slice(0, 240)}`);
  }
  const blocked = console.find((text) => /CORS policy/.test(text));
  const cause = blocked ?? console[0] ?? ended ?? "its script gets no answer";
  const hint = "Open the page, press F12, and read the console.";
  return failed(`it stays empty: ${cause.slice(0, 240)}`, hint, { file: shown(subject, page) });
}
