import { describe, expect, it } from "vitest";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import {
  accessibilityProblems,
  foreignAddresses,
  headlineProblems,
  linkProblems,
  navigationOf,
  pageContracts,
  scriptProblems,
} from "./rules/page";

const entries = [
  "Home",
  "About",
  "Work Process",
  "Testimonials",
  "Pricing Tables",
  "Blog Entries",
  "Contact Us",
];

const jquery = "jquery.min.js";

/**
 * What a site is made of: its own files, and those that the Dockerfile takes from npm (DESIGN,
 * decision 3) or from the compiler.
 */
async function filesOf({ folder, script }: (typeof pageContracts)[number]): Promise<Set<string>> {
  const own = await listRepositoryFiles(`${folder}/softy-pinko-front-end`);
  const scripts = (await listRepositoryFiles(folder)).filter((file) => /^scripts\//.test(file));
  const compiled = scripts.map((file) => file.replace(/\.ts$/, ".js"));
  return new Set([...own, ...compiled, ...(script === undefined ? [] : [jquery])]);
}

describe.each(pageContracts)("the page of $folder", (contract) => {
  const site = `${contract.folder}/softy-pinko-front-end`;
  const html = readRepositoryFile(site, "index.html");
  const { script } = contract;

  it("has the headline, and the heading for the API's answer when its time has come", () => {
    expect(headlineProblems(html, contract)).toEqual([]);
  });

  it(script === undefined ? "asks no API yet" : "asks the API in its last script", () => {
    expect(scriptProblems(html, contract)).toEqual([]);
  });

  it("leads the visitor through the original's sections", () => {
    const more = contract.folder === "task6/front-end" ? ["Load Balancer"] : [];
    expect(navigationOf(html)).toEqual([...entries, ...more]);
  });

  it("has a target for every link and a file for every asset", async () => {
    expect(linkProblems(html, await filesOf(contract))).toEqual([]);
  });

  it("asks no other host for anything", async () => {
    const api = script?.includes("localhost") ? "http://localhost:5252/api/hello" : undefined;
    const texts = (await listRepositoryFiles(site)).filter((file) =>
      /\.(html|css|svg)$/.test(file),
    );
    expect(texts).toEqual(expect.arrayContaining(["index.html", "styles.css", "favicon.svg"]));
    for (const file of texts) {
      expect([file, ...foreignAddresses(readRepositoryFile(site, file), api)]).toEqual([file]);
    }
  });

  it("can be used without seeing it", () => {
    expect(accessibilityProblems(html)).toEqual([]);
  });
});

describe("task6's page of the load balancer", () => {
  const contract = pageContracts.find(({ folder }) => folder === "task6/front-end");
  if (contract === undefined) throw new Error("there is no contract for task6");
  const site = "task6/front-end/softy-pinko-front-end";
  const html = readRepositoryFile(site, "load-balancer.html");

  it("has a target for every link, and leads back", async () => {
    expect(linkProblems(html, await filesOf(contract))).toEqual([]);
    expect(navigationOf(html)).toEqual(["Home", "Load Balancer"]);
  });

  it("can be used without seeing it", () => {
    expect(accessibilityProblems(html)).toEqual([]);
  });

  it("has scripts that ask no other host for anything", async () => {
    const scripts = await listRepositoryFiles("task6/front-end/scripts");
    expect(scripts).toContain("load-balancer.ts");
    for (const file of scripts) {
      const text = readRepositoryFile("task6/front-end/scripts", file);
      // The name of SVG's elements, which nobody asks for
      const found = foreignAddresses(text, "http://www.w3.org/2000/svg");
      expect([file, ...found]).toEqual([file]);
    }
  });
});

const throughProxy = pageContracts.find(({ folder }) => folder === "task5/front-end");
const script = throughProxy?.script;
const good = `<!DOCTYPE html>
<html lang="en"><head><title>T</title><link rel="icon" href="favicon.svg"></head>
<body><header><nav><a href="#home">Home</a><a href="#features">About</a></nav></header>
<div id="home">
  <h1 id="dynamic-content"></h1>
  <h1>We provide the best <strong>strategy</strong><br>to grow up your <strong>business</strong></h1>
  <a href="#features" class="main-button-slider">Discover More</a>
</div>
<div id="features"><img src="a.svg#part" alt=""><label>Name <input name="n"></label></div>
<script src="jquery.min.js"></script>
<script>${script}</script>
</body></html>
`;

describe("a page fails", () => {
  const contract = { script };
  const files = new Set(["index.html", "favicon.svg", "a.svg", "jquery.min.js"]);
  const problemsOf = (html: string): string[] => [
    ...headlineProblems(html, contract),
    ...scriptProblems(html, contract),
    ...linkProblems(html, files),
    ...foreignAddresses(html),
    ...accessibilityProblems(html),
  ];

  it("in nothing when it keeps the rules", () => {
    expect(problemsOf(good)).toEqual([]);
    expect(navigationOf(good)).toEqual(["Home", "About"]);
  });

  it.each([
    ["a headline without its accents", "<strong>strategy</strong>", "strategy", "the headline is"],
    ["no heading to fill", '<h1 id="dynamic-content"></h1>', "", "there are 0 headings for"],
    ["a heading that is filled", 'content"></h1>', 'content">Hi</h1>', "answer is not empty"],
    ["something in between", "  <h1>We", "  <br>\n  <h1>We", "is not directly before the headline"],
    ["another link", "Discover More", "Read more", "there is no Discover More to #features"],
    ["another link's target", 'href="#features" class', 'href="#home" class', "no Discover More"],
    ["the API of the step before", '"/api/hello"', '"/api/hallo"', "last script is another one"],
    ["a further script", "</body>", "<script>1</script></body>", "last script is another one"],
    ["something behind the script", "</body>", "<p></p></body>", "not at the end of the body"],
    ["no jQuery", '<script src="jquery.min.js"></script>', "", "jQuery is not loaded from"],
    ["a late jQuery", '<script src="jq', '<script defer src="jq', "jQuery is loaded too late"],
    [
      "jQuery used early",
      "<header>",
      "<header><script>$(1)</script>",
      "is used before it is loaded",
    ],
    ["a link to nowhere", 'href="#home"', 'href="#house"', "#house has no target"],
    ["an empty link", 'href="#home"', 'href="#"', "# has no target"],
    ["an asset that is missing", "a.svg", "b.svg", "b.svg does not exist"],
    ["an asset in other letters", "a.svg", "A.svg", "A.svg does not exist"],
    ["an asset from the root", "a.svg", "/a.svg", "/a.svg#part is not relative"],
    ["an image without words", ' alt=""', "", "a.svg#part has no alt"],
    ["a field without label", "<label>Name <input", "<label><input", "n has no label"],
    ["no language", ' lang="en"', "", "the page has no language"],
    ["no title", "<title>T</title>", "", "the page has no title"],
  ])("with %s", (_, from, to, problem) => {
    expect(problemsOf(broken(good, from, to))).toEqual([expect.stringContaining(problem)]);
  });

  it("when it asks the API before the course does", () => {
    const early = { script: undefined };
    expect([...headlineProblems(good, early), ...scriptProblems(good, early)]).toEqual([
      "there are 1 headings for the API's answer",
      "it asks the API already",
    ]);
  });

  it.each([
    ["a font", "@import url(https://fonts.example/css);", ["https://fonts.example/css"]],
    ["an address without a scheme", '<img src="//cdn.example/a.png">', ["//cdn.example/a.png"]],
    ["an image in CSS", "url('http://a.example/b.png')", ["http://a.example/b.png"]],
    ["a socket", 'new WebSocket("wss://a.example")', ["wss://a.example"]],
    ["another port of this host", '"http://localhost:80/x"', ["http://localhost:80/x"]],
  ])("with %s from another host", (_, text, addresses) => {
    expect(foreignAddresses(text, "http://localhost:5252/api/hello")).toEqual(addresses);
  });

  it.each([
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">',
    "// a comment in a script",
    'url: "http://localhost:5252/api/hello",',
  ])("not with %s", (text) => {
    expect(foreignAddresses(text, "http://localhost:5252/api/hello")).toEqual([]);
  });
});
