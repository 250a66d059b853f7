import { describe, expect, it } from "vitest";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import { accessibilityProblems, foreignAddresses, linkProblems, navigationOf } from "./rules/page";

const entries = [
  "Home",
  "About",
  "Work Process",
  "Testimonials",
  "Pricing Tables",
  "Blog Entries",
  "Contact Us",
];

const pages = ["task2", "task3", "task4", "task5", "task6", "production"];

/**
 * What a site is made of: its own files, and those that the Dockerfile takes from npm (DESIGN,
 * decision 3) or from the compiler.
 */
async function filesOf(task: string): Promise<Set<string>> {
  const folder = `${task}/front-end`;
  const own = await listRepositoryFiles(`${folder}/softy-pinko-front-end`);
  const scripts = (await listRepositoryFiles(folder)).filter((file) => /^scripts\//.test(file));
  const compiled = scripts.map((file) => file.replace(/\.ts$/, ".js"));
  return new Set([...own, ...compiled, ...(task === "task2" ? [] : ["jquery.min.js"])]);
}

describe.each(pages)("the page of %s", (task) => {
  const site = `${task}/front-end/softy-pinko-front-end`;
  const html = readRepositoryFile(site, "index.html");

  it("leads the visitor through the original's sections", () => {
    const more = task === "production" ? ["Load Balancer"] : [];
    expect(navigationOf(html)).toEqual([...entries, ...more]);
  });

  it("has a target for every link and a file for every asset", async () => {
    expect(linkProblems(html, await filesOf(task))).toEqual([]);
  });

  it("asks no other host for anything", async () => {
    const api = ["task3", "task4"].includes(task) ? "http://localhost:5252/api/hello" : undefined;
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

describe("production's page of the load balancer", () => {
  const site = "production/front-end/softy-pinko-front-end";
  const html = readRepositoryFile(site, "load-balancer.html");

  it("has a target for every link, and leads back", async () => {
    expect(linkProblems(html, await filesOf("production"))).toEqual([]);
    expect(navigationOf(html)).toEqual(["Home", "Load Balancer"]);
  });

  it("can be used without seeing it", () => {
    expect(accessibilityProblems(html)).toEqual([]);
  });

  it("has scripts that ask no other host for anything", async () => {
    const scripts = await listRepositoryFiles("production/front-end/scripts");
    expect(scripts).toContain("load-balancer.ts");
    for (const file of scripts) {
      const text = readRepositoryFile("production/front-end/scripts", file);
      // The name of SVG's elements, which nobody asks for
      const found = foreignAddresses(text, "http://www.w3.org/2000/svg");
      expect([file, ...found]).toEqual([file]);
    }
  });
});

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
<script>$(1)</script>
</body></html>
`;

describe("a page fails", () => {
  const files = new Set(["index.html", "favicon.svg", "a.svg", "jquery.min.js"]);
  const problemsOf = (html: string): string[] => [
    ...linkProblems(html, files),
    ...foreignAddresses(html),
    ...accessibilityProblems(html),
  ];

  it("in nothing when it keeps the rules", () => {
    expect(problemsOf(good)).toEqual([]);
    expect(navigationOf(good)).toEqual(["Home", "About"]);
  });

  it.each([
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
