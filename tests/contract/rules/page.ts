import { type CheerioAPI, load } from "cheerio";

/** What a step prescribes for its page; undefined where it prescribes nothing yet. */
export interface PageContract {
  /** The last script, to the letter but for white space. */
  script: string | undefined;
}

const scriptFor = (url: string, success: string): string => `
    // Load dynamic data from the back-end on port 5252
    $(function() {
        $.ajax({
            type: "GET",
            url: "${url}",
            success: ${success} {
                console.log(data);
                $('#dynamic-content').text(data);
            }
        });
    });
`;

const direct = scriptFor("http://localhost:5252/api/hello", "function(data)");
const throughProxy = scriptFor("/api/hello", "function (data)");

/** Spec, tasks 2, 3 and 5, by folder. */
export const pageContracts: readonly (PageContract & { folder: string })[] = [
  { folder: "task2/front-end", script: undefined },
  { folder: "task3/front-end", script: direct },
  { folder: "task4/front-end", script: direct },
  { folder: "task5/front-end", script: throughProxy },
  { folder: "task6/front-end", script: throughProxy },
];

const squeezed = (text: string): string => text.replace(/\s+/g, "");

/** The headline, the heading for the API's answer, and the link under it (spec, task 3). */
export function headlineProblems(html: string, { script }: PageContract): string[] {
  const $ = load(html);
  const headline = $("h1").filter((_, h1) => $(h1).text().startsWith("We provide the best"));
  const dynamic = $("h1#dynamic-content");
  const link = headline.parent().find("a.main-button-slider");
  const markup =
    "We provide the best <strong>strategy</strong><br>to grow up your <strong>business</strong>";
  const isRight = script === undefined ? dynamic.length === 0 : dynamic.length === 1;
  return [
    ...(headline.html() === markup ? [] : [`the headline is ${headline.html()}`]),
    ...(isRight ? [] : [`there are ${dynamic.length} headings for the API's answer`]),
    ...(dynamic.text() === "" ? [] : ["the heading for the API's answer is not empty"]),
    ...(dynamic.length === 1 && !dynamic.next().is(headline)
      ? ["the heading for the API's answer is not directly before the headline"]
      : []),
    ...(link.text() === "Discover More" && link.attr("href") === "#features"
      ? []
      : ["there is no Discover More to #features under the headline"]),
  ];
}

/** The script that asks the API, and the jQuery that it needs (spec, tasks 3 and 5). */
export function scriptProblems(html: string, { script }: PageContract): string[] {
  const $ = load(html);
  const scripts = $("script").toArray();
  const last = scripts.at(-1);
  const jquery = scripts.findIndex((element) => $(element).attr("src") === "jquery.min.js");
  if (script === undefined) {
    const asks = jquery !== -1 || /\$\.ajax|fetch\(|XMLHttpRequest/.test($("script").text());
    return asks ? ["it asks the API already"] : [];
  }
  const isLast = last !== undefined && /<\/script>\s*<\/body>/.test(html);
  return [
    ...(squeezed($(last).text()) === squeezed(script) ? [] : ["the last script is another one"]),
    ...(isLast ? [] : ["the last script is not at the end of the body"]),
    ...(jquery === -1 ? ["jQuery is not loaded from the same folder"] : []),
    ...scripts
      .slice(0, jquery === -1 ? 0 : jquery)
      .filter((element) => $(element).text().includes("$("))
      .map(() => "jQuery is used before it is loaded"),
    ...(jquery !== -1 && $(scripts[jquery]).is("[async], [defer], [type=module]")
      ? ["jQuery is loaded too late"]
      : []),
  ];
}

/** The entries of the main navigation, in the original's order. */
export function navigationOf(html: string): string[] {
  const $ = load(html);
  return Array.from($("nav").first().find("a"), (a) => $(a).text());
}

/**
 * Whatever a link or an asset leads to exists, below the page's own folder.
 * @param files The paths of the site's files, and of what the Dockerfile adds.
 */
export function linkProblems(html: string, files: ReadonlySet<string>): string[] {
  const $ = load(html);
  return [...addressesIn($)].flatMap((address) => {
    if (address.startsWith("mailto:")) return [];
    if (/^(\w+:|\/)/.test(address)) return [`${address} is not relative`];
    const [file = "", fragment] = address.split("#");
    if (file === "") {
      const isThere = fragment && $(`[id="${fragment}"]`).length === 1;
      return isThere ? [] : [`${address} has no target`];
    }
    return files.has(file) ? [] : [`${file} does not exist`];
  });
}

function addressesIn($: CheerioAPI): Set<string> {
  const attributes = ["href", "src", "action", "poster", "data", "xlink:href"];
  const found = attributes.flatMap((attribute) =>
    Array.from($("*"), (element) => $(element).attr(attribute)),
  );
  const sets = Array.from($("[srcset]"), (element) => $(element).attr("srcset") ?? "")
    .flatMap((set) => set.split(","))
    .map((candidate) => candidate.trim().split(/\s/)[0]);
  return new Set([...found, ...sets].filter((address) => address !== undefined));
}

/**
 * The page asks no other host for anything.
 * @param text HTML, CSS or SVG.
 * @param allowed The one address that the course prescribes, where it does.
 */
export function foreignAddresses(text: string, allowed?: string): string[] {
  const namespaces = /\bxmlns(:\w+)?=["'][^"']*["']/g;
  const addresses = /(\w+:)?\/\/[\w.-]+[\w/.:-]*/g;
  // A comment in a script, `// such as this`, has a space there; an address does not
  const found = text.replace(namespaces, "").match(addresses) ?? [];
  return found.filter((address) => address !== allowed);
}

/** What a screen reader needs: https://www.w3.org/WAI/WCAG22/quickref/#non-text-content */
export function accessibilityProblems(html: string): string[] {
  const $ = load(html);
  const fields = $("input:not([type=hidden], [type=submit]), textarea, select").toArray();
  const hasLabel = (field: (typeof fields)[number]): boolean =>
    $(field).closest("label").text().trim() !== "" ||
    $(`label[for="${$(field).attr("id")}"]`)
      .text()
      .trim() !== "" ||
    ($(field).attr("aria-label") ?? "") !== "";
  return [
    ...Array.from($("img:not([alt])"), (img) => `${$(img).attr("src")} has no alt`),
    ...fields
      .filter((field) => !hasLabel(field))
      .map((field) => `${$(field).attr("name")} has no label`),
    ...($("html").attr("lang") ? [] : ["the page has no language"]),
    ...($("title").text() ? [] : ["the page has no title"]),
  ];
}
