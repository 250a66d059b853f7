import path from "node:path";
import type { CheerioAPI } from "cheerio/slim";
import { argv } from "../../lib/argv";
import { findDirectives } from "../../lib/nginx-conf";
import { reads, runs } from "../check";
import { deviate, fail, type Place } from "../point";
import { readHtml, readOrFail } from "../read";
import { decodeByMark, readText } from "../repository";
import { bounds } from "../sandbox";
import { confInImage, confNames, type Subject, siteFolder, siteInImage } from "../subject";
import { docker, requireEngine } from "../trouble";
import { imageOf } from "./images";

export const withoutSpace = (text: string): string => text.replace(/\s+/g, "");

export const hasSite = reads("site", [], (subject) => {
  const site = `${subject.contexts["front-end"]}/${siteFolder}`;
  const place = subject.at(site);
  const kind = subject.folder.entries.get(site);
  if (kind === "empty folder") {
    const cause = "it is empty: perhaps a git link (submodule)";
    const hint = "Clone with --recurse-submodules, or remove its .git folder and commit its files.";
    fail(cause, hint, place);
  }
  inspectPage(subject, () => undefined);
  const [page, wanted] = [subject.page(), `${site}/index.html`];
  if (page !== wanted) deviate(`the front page is ${page}`, `The text has ${wanted}.`, place);
});

export const hasConf = reads("conf", [], (subject) => {
  const { file } = subject.conf("front-end");
  const [name, wanted] = [path.posix.basename(file), confNames["front-end"]];
  if (name !== wanted) deviate(`it is called ${name}`, `The text has ${wanted}.`, subject.at(file));
});

/** Other paths in the image are a deviation if nginx finds the site and the conf there. */
export const hasPathsInImage = runs("paths", ["front-end-build", "conf"], async (subject) => {
  const { file, text, directives } = subject.conf("front-end");
  const root = findDirectives(directives, "root")[0]?.args[0] ?? siteInImage;
  const [isAtPath, isAtRoot, installed = "", effective = ""] = await printedIn(subject, [
    ...[siteInImage, root].map(hasIndex),
    `cat ${confInImage}`,
    "nginx -T 2>&1",
  ]);
  const name = path.posix.basename(file);
  const conf = subject.copyOf("front-end", name);
  if (withoutSpace(installed) !== withoutSpace(text) && conf.to !== confInImage) {
    const hint = `Write COPY ./${name} ${confInImage}.`;
    const cause = conf.to ? `the conf is copied to ${conf.to}` : "the conf is not copied into it";
    if (withoutSpace(effective).includes(withoutSpace(text))) deviate(cause, hint, conf.place);
    fail(conf.to ? `${cause}, where nginx does not read it` : cause, hint, conf.place);
  }
  if (isAtPath === "yes") return;
  const site = subject.copyOf("front-end", siteFolder);
  const target = site.to === undefined ? "" : `: it is copied to ${site.to}`;
  const cause = `there is no ${siteInImage}/index.html in it${target}`;
  const judge = isAtRoot === "yes" ? deviate : fail;
  judge(cause, `Write COPY ./${siteFolder} ${siteInImage}.`, site.place);
});

const hasIndex = (folder: string): string =>
  `test -f '${folder.replaceAll("'", "")}/index.html' && echo yes`;

/** Runs commands in a new container of the front-end, and returns what each has printed. */
async function printedIn(subject: Subject, commands: readonly string[]): Promise<string[]> {
  const { sandbox, folder } = subject;
  const mark = "--- softy-pinko-grader ---";
  const script = commands.join(`; echo; echo '${mark}'; `);
  const container = `${sandbox.prefix}-${folder.task}-paths`;
  const image = await imageOf(subject, "front-end");
  const outcome = await docker(
    argv`run --rm --name ${container} --network=none ${bounds} --entrypoint=sh ${image} -c ${script}`,
    { timeoutMs: 30_000, maxOutputBytes: 1_000_000, signal: sandbox.signal },
  );
  // Docker's own code if it cannot run the container
  if (outcome.exitCode === 125) requireEngine(outcome);
  return outcome.stdout.split(mark).map((printed) => printed.trim());
}

/** Inspects the front page. */
function inspectPage(subject: Subject, inspect: ($: CheerioAPI) => void): void {
  const file = subject.page();
  const hint = "Use the text's page.";
  const read = () => readHtml(readText(subject.folder, file, decodeByMark), inspect);
  readOrFail(subject.pathOf(file), hint, read);
}

/** @returns The first line of the front page with a text. */
function atText(subject: Subject, text: string): Place {
  const file = subject.page();
  const lines = readText(subject.folder, file, decodeByMark)?.split("\n") ?? [];
  return subject.at(file, lines.findIndex((line) => line.includes(text)) + 1 || undefined);
}

export const hasDynamicHeading = reads("heading", ["site"], (subject) =>
  inspectPage(subject, ($) => {
    const place = atText(subject, "dynamic-content");
    const { length } = $("#dynamic-content");
    if (length !== 1) {
      const hint = 'Add <h1 id="dynamic-content"></h1> once.';
      fail(`there are ${length} elements with the id dynamic-content`, hint, place);
    }
    const headings = $("h1").toArray();
    const headline = headings.findIndex((h1) => /We provide the best/.test($(h1).text()));
    const position = headings.findIndex((h1) => $(h1).is("#dynamic-content"));
    if (position === -1) deviate("it is not an h1", "The text has an h1.", place);
    if (headline === -1 || position < headline) return;
    deviate("it comes after the headline", "Move it before the headline.", place);
  }),
);

/**
 * The page requests the API, as far as reading tells: the browser shows whether it works.
 * @param url The text's.
 */
export const requestsApi = (url: string) =>
  reads("script", ["site"], (subject) =>
    inspectPage(subject, ($) => judgeScripts($, url, atText(subject, "api/hello"))),
  );

function judgeScripts($: CheerioAPI, url: string, place: Place): void {
  const scripts = $("script").toArray();
  const position = scripts.findIndex((script) => /api\/hello/.test($(script).text()));
  if (position === -1) {
    fail("no script requests /api/hello", "Paste the text's script before </body>.", place);
  }
  const text = $(scripts[position]).text();
  const strings = text.split(/["'`]/).slice(1, -1);
  const requested = strings.find((part) => part.includes("api/hello")) ?? "";
  if (requested !== url) {
    const base = "http://localhost/";
    const isEquivalent =
      URL.canParse(requested, base) && new URL(requested, base).href === new URL(url, base).href;
    const judge = isEquivalent ? deviate : fail;
    judge(`it requests ${requested}`, `Write url: "${url}".`, place);
  }
  const jquery = scripts.findIndex((script) => /jquery/i.test($(script).attr("src") ?? ""));
  if (/\$\s*\(|jQuery/.test(text) && (jquery === -1 || jquery > position)) {
    const cause = jquery === -1 ? "jQuery is not loaded" : "jQuery is loaded after it";
    fail(`it uses jQuery, but ${cause}`, "Load jQuery before.", place);
  }
  if (position !== scripts.length - 1) {
    deviate("another script comes after it", "The text has it last.", place);
  }
}
