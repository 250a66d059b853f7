import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { load } from "cheerio";
import { argv } from "../../lib/argv";
import { findChromium } from "../../lib/chromium";
import { lastLine } from "../../lib/lines";
import { attempt } from "../../lib/run";
import { type Ids, ports, rolesOf, runs } from "../check";
import { fail, raise, skipped } from "../point";
import { decodeByMark, readText } from "../repository";
import type { Role, Subject } from "../subject";
import { wasStopped } from "../trouble";
import { serverOf } from "./running";

/**
 * The page shows the API's response, in a real browser that reaches the stack at the text's URLs, and
 * nothing else (spec, tasks 3 and 5).
 * @param home The role that serves the page.
 */
export const showsGreeting = (home: Role, needs: Ids) =>
  runs("browser", needs, async (subject) => {
    const chromium = await findChromium();
    if (chromium === undefined) raise(skipped("there is no Chromium to open the page with"));
    const rules: string[] = [];
    for (const role of rolesOf(subject)) {
      const { url } = await serverOf(subject, role);
      if (url !== undefined) rules.push(`MAP localhost:${ports[role]} ${new URL(url).host}`);
    }
    const open = () => visitPage(chromium, `http://localhost:${ports[home]}/`, rules, subject);
    let visit = await open();
    for (let again = 0; visit.isCutOff && again < 3; again += 1) visit = await open();
    subject.sandbox.signal.throwIfAborted();
    subject.picture = visit.picture;
    judgeVisit(subject, visit);
  });

/** ERR_NETWORK_CHANGED in Chromium's network log: an address was added to this machine. */
const networkChanged = '"net_error":-21';

/** A user without rights; Chromium uses its own sandbox unless it is root. */
const nobody = 65_534;

/**
 * Opens a page in a new browser, which exits once it has printed the page and a picture of it.
 * @param rules Where host names lead; all other names lead nowhere.
 */
async function visitPage(
  chromium: string,
  url: string,
  rules: readonly string[],
  { sandbox }: Subject,
) {
  const profile = await mkdtemp(path.join(tmpdir(), "softy-pinko-browser-"));
  const picture = path.join(profile, "page.png");
  const networkLog = path.join(profile, "network.json");
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(profile, nobody, nobody);
  const withoutRights = isRoot
    ? argv`setpriv --reuid=${nobody} --regid=${nobody} --clear-groups --no-new-privs`
    : [];
  const network = argv`
    --host-resolver-rules=${[...rules, "MAP * ~NOTFOUND"].join(", ")}
    --webrtc-ip-handling-policy=disable_non_proxied_udp --force-webrtc-ip-handling-policy
    --disable-background-networking --disable-component-update --disable-sync`;
  // Virtual time is the page's own: it stands still while the page waits for a response
  const [program = "", ...args] = argv`
    ${withoutRights} ${chromium} --headless --disable-gpu --disable-dev-shm-usage --no-first-run
    --deny-permission-prompts --block-new-web-contents ${network} --user-data-dir=${profile}
    --log-net-log=${networkLog} --net-log-max-size-mb=20 --window-size=1280,800
    --screenshot=${picture} --dump-dom --enable-logging=stderr
    --virtual-time-budget=5000 ${url}`;
  try {
    const outcome = await attempt(program, args, {
      cwd: profile,
      env: { HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
      signal: sandbox.signal,
      timeoutMs: 40_000,
      maxOutputBytes: 8_000_000,
    });
    const { ok, stdout, stderr } = outcome;
    return {
      /** The page's HTML after its scripts have run; empty if the browser did not get that far. */
      html: stdout,
      console: consoleIn(stderr),
      picture: await readFile(picture).catch(() => undefined),
      /** Requests were given up for what happens on this machine, such as another container's start. */
      isCutOff: (await readFile(networkLog, "utf8").catch(() => "")).includes(networkChanged),
      /** Why it was ended, such as `timed out after 40 s`: the page keeps it busy. */
      ended: wasStopped(outcome) ? stderr : undefined,
      /** Its last message if it failed. */
      failure: ok ? undefined : lastLine(stderr),
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

function judgeVisit(
  subject: Subject,
  { html, console, isCutOff, ended, failure }: Awaited<ReturnType<typeof visitPage>>,
): void {
  if (load(html)("#dynamic-content").text().includes("Hello, World!")) return;
  if (isCutOff) raise(skipped("this machine's network changes while the page loads"));
  const page = subject.page();
  const [host] = load(readText(subject.folder, page, decodeByMark) ?? "")("script")
    .toArray()
    .map(({ attribs }) => attribs.src ?? "")
    .filter((src) => /jquery/i.test(src))
    .flatMap((src) => /^(?:https?:)?\/\/([^/]*)/.exec(src)?.[1] ?? []);
  if (host !== undefined) {
    raise(skipped(`the page loads jQuery from ${host}, which is not reachable here`));
  }
  if (ended === undefined && failure !== undefined) {
    raise(skipped(`the browser does not open it: ${failure.slice(0, 240)}`));
  }
  const blocked = console.find((text) => /CORS policy/.test(text));
  const cause = blocked ?? console[0] ?? ended ?? "its script gets no response";
  const hint = "Open the page, press F12, and read the console.";
  fail(`it stays empty: ${cause.slice(0, 240)}`, hint, subject.at(page));
}
