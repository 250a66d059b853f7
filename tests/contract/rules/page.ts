import { type CheerioAPI, load } from "cheerio";

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
