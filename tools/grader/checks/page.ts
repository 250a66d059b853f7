import type { CheerioAPI } from "cheerio/slim";
import { fetchAnswer } from "../../lib/http";
import { type Check, deviates, type Finding, failed } from "../point";
import { readHtml, unreadable } from "../read";
import { readText } from "../repository";
import { type Subject, shown } from "../subject";
import { findPage } from "./front-end";

type SubjectCheck = Check<Subject>;

type Look = ($: CheerioAPI, html: string, file: string) => Finding | undefined;

/** Has a look at the front page, if it can be read. */
function lookAtPage(subject: Subject, look: Look): Finding | undefined {
  const page = findPage(subject) ?? "";
  const file = shown(subject, page);
  try {
    return readHtml(readText(subject.folder, page), ($, html) => look($, html, file));
  } catch (error) {
    return unreadable(error, "Take the page of the text.", file);
  }
}

/** @returns The line of the first such text, counted from 1. */
function lineOf(html: string, text: string): { line?: number } {
  const index = html.indexOf(text);
  return index === -1 ? {} : { line: html.slice(0, index).split("\n").length };
}

/** The heading for the API's answer stands before the headline (spec, task 3). */
export const hasDynamicHeading: SubjectCheck = {
  id: "heading",
  title: '<h1 id="dynamic-content"> stands before the headline',
  needs: ["site"],
  judge: (subject) =>
    lookAtPage(subject, ($, html, file) => {
      const own = $("#dynamic-content");
      const line = lineOf(html, "dynamic-content");
      if (own.length !== 1) {
        const cause = `there are ${own.length} elements with the id dynamic-content`;
        return failed(cause, 'Add <h1 id="dynamic-content"></h1> once.', { file, ...line });
      }
      const headings = $("h1").toArray();
      const headline = headings.findIndex((h1) => /We provide the best/.test($(h1).text()));
      const position = headings.findIndex((h1) => $(h1).is("#dynamic-content"));
      if (position === -1) {
        return deviates("it is no h1", "The text has an h1.", { file, ...line });
      }
      return headline !== -1 && position > headline
        ? deviates("it stands after the headline", "Put it before.", { file, ...line })
        : undefined;
    }),
};

/**
 * The page asks the API (spec, tasks 3 and 5), by reading. Whether it works is seen in a browser.
 * @param url The address that the text prescribes.
 */
export function asksApi(url: string): SubjectCheck {
  return {
    id: "script",
    title: `the last script of the page asks ${url}`,
    needs: ["site"],
    judge: (subject) => lookAtPage(subject, judgeScripts(url)),
  };
}

const judgeScripts =
  (url: string): Look =>
  ($, html, file) => {
    const scripts = $("script").toArray();
    const asking = scripts.findIndex((script) => /api\/hello/.test($(script).text()));
    if (asking === -1) {
      return failed("no script asks for /api/hello", "Paste the text's script before </body>.", {
        file,
      });
    }
    const text = $(scripts[asking]).text();
    const line = lineOf(html, "api/hello");
    const between = text.split(/["'`]/).slice(1, -1);
    const asked = between.find((part) => part.includes("api/hello")) ?? "";
    if (asked !== url) {
      const hint = `Write url: "${url}".`;
      const base = "http://localhost/";
      const meansTheSame =
        URL.canParse(asked, base) && new URL(asked, base).href === new URL(url, base).href;
      return meansTheSame
        ? deviates(`it asks ${asked}`, hint, { file, ...line })
        : failed(`it asks ${asked}`, hint, { file, ...line });
    }
    const loadsJquery = scripts.findIndex((script) => /jquery/i.test($(script).attr("src") ?? ""));
    if (/\$\s*\(|jQuery/.test(text) && (loadsJquery === -1 || loadsJquery > asking)) {
      const cause = loadsJquery === -1 ? "jQuery is not loaded" : "jQuery is loaded after it";
      return failed(`it uses jQuery, but ${cause}`, "Load jQuery before.", { file, ...line });
    }
    return asking === scripts.length - 1
      ? undefined
      : deviates("another script comes after it", "The text has it last.", { file, ...line });
  };

/** A page of another origin may read the API's answer (spec, task 3). */
export const allowsOtherOrigins: SubjectCheck = {
  id: "cors",
  isLive: true,
  title: "the API lets a page of another origin read its answer",
  needs: ["hello"],
  judge: async (subject) => {
    const { url = "" } = subject.running["back-end"] ?? {};
    const origin = "http://localhost:9000";
    const answer = await fetchAnswer(`${url}/api/hello`, { headers: { Origin: origin } });
    const allowed = answer.headers["access-control-allow-origin"];
    if (allowed === "*" || allowed === origin) return undefined;
    const cause =
      allowed === undefined
        ? "its answer has no Access-Control-Allow-Origin"
        : `it allows only ${allowed}`;
    const hint = "Install the CORS package for your framework and use it for every route.";
    return failed(cause, hint, { file: shown(subject, subject.contexts["back-end"] ?? "") });
  },
};
