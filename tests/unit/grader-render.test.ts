import { load } from "cheerio";
import { describe, expect, it } from "vitest";
import { type HintLevel, withhold } from "../../tools/grader/hints";
import type { TaskReport } from "../../tools/grader/messages";
import type { Point } from "../../tools/grader/point";
import { type HtmlReport, renderHtml } from "../../tools/grader/render-html";
import { renderText } from "../../tools/grader/render-text";
import { scoreLine } from "../../tools/grader/score";

const source = "4. Making it Simpler with Docker Compose";
const point = (id: string, rest: Partial<Point> = {}): Point => ({
  id: `task4.${id}`,
  title: `the ${id} is there`,
  source,
  verdict: "pass",
  ...rest,
});

const folder = point("folder");
const ports = point("ports", {
  verdict: "fail",
  cause: "front-end publishes 9000→80",
  hint: "Write 9000:9000.",
  file: "task4/docker-compose.yml",
  line: 14,
});
const order = point("order", { verdict: "deviation", cause: "it has no depends_on", hint: "Add." });
const hello = point("hello", { verdict: "skipped", cause: "needs: the ports is there" });
const browser = point("browser", { verdict: "skipped", cause: "there is no Chromium" });
const all = [folder, ports, order, hello, browser];

const task = (points: Point[]): TaskReport => ({ task: "task4", source, points, seconds: 3.2 });

const render = (points: Point[], rest: Partial<HtmlReport> = {}): string =>
  renderHtml({
    repository: "a-repository",
    graded: new Date("2026-03-04T05:06:00Z"),
    engine: "Docker Engine 27",
    tasks: [task(points)],
    pictures: new Map(),
    ...rest,
  });

/** @returns The text of each element that a selector finds in a page. */
function textsOf(html: string, selector: string): string[] {
  const $ = load(html);
  return Array.from($(selector), (found) => $(found).text().replace(/\s+/g, " ").trim());
}

describe("the report as a page", () => {
  it("says what was graded, when and with what", () => {
    const [header] = textsOf(render(all), ".band");
    expect(header).toMatch(
      /^Softy Pinko, graded a-repository .* 4 March 2026 at 05:06 UTC .* Docker Engine 27$/,
    );
  });

  it("has each point with its verdict in words, its cause, its hint and its place", () => {
    expect(textsOf(render(all), ".point")).toEqual([
      "✔ holds: the folder is there",
      "✘ fails: the ports is there front-end publishes 9000→80 → Write 9000:9000. task4/docker-compose.yml:14",
      "≈ deviates: the order is there it has no depends_on → Add.",
      "– skipped: the hello is there needs: the ports is there",
      "– skipped: the browser is there there is no Chromium",
    ]);
    const $ = load(render(all));
    // Skipped because of another failure
    expect(Array.from($(".consequence"), ({ attribs }) => attribs.id)).toEqual(["task4.hello"]);
  });

  it("counts the points of all tasks, and of each", () => {
    const html = render(all, { tasks: [task(all), { ...task([folder]), task: "task5" }] });
    expect(textsOf(html, "#total")).toEqual(["2 of 6 points hold"]);
    expect(textsOf(html, ".legend b")).toEqual(["2 hold", "1 deviates", "1 fails", "2 skipped"]);
    expect(textsOf(html, ".task .score")).toEqual([
      "1 of 5 hold, 1 fails, 1 deviates, 2 skipped in 3.2 s",
      "1 of 1 hold in 3.2 s",
    ]);
    expect(textsOf(render([], { tasks: [] }), "#total")).toEqual(["0 of 0 points hold"]);
  });

  it("opens a task unless all its points hold", () => {
    const isOpen = (points: Point[]): boolean => load(render(points))("details").is("[open]");
    expect([isOpen(all), isOpen([folder])]).toEqual([true, false]);
  });

  it("escapes what is not the grader's own text", () => {
    const text = `"'></title><script>alert(1)</script><img src=x onerror=alert(1)>`;
    const point = { ...ports, id: text, title: text, cause: text, hint: text, file: text };
    const $ = load(render([point], { repository: text, engine: text }));
    expect($("script, img, [onerror]")).toHaveLength(0);
    expect($(".point").attr("id")).toBe(text);
    for (const part of [".title", ".cause", ".hint", ".place", "h1 + p", "h1 + p + p"]) {
      expect($(part).text()).toContain(text);
    }
  });

  it.each([
    ["text between backticks as code", "`a <b>` fails, `", "a <b> fails, `", ["a <b>"]],
    ["no control characters", "\u001b[31mred\u001b[0m \u202egnp\u0000", "red \ufffdgnp\ufffd", []],
  ])("shows %s", (_, cause, shown, code) => {
    const html = render([{ ...ports, cause }]);
    expect(textsOf(html, ".cause")).toEqual([shown]);
    expect(textsOf(html, ".cause code")).toEqual(code);
  });

  it("contains the pictures and loads nothing", () => {
    const png = Buffer.from("89504e470d0a1a0a", "hex");
    const html = render(all, { pictures: new Map([["task4", png]]) });
    const $ = load(html);
    expect($("img").attr("src")).toBe(`data:image/png;base64,${png.toString("base64")}`);
    expect($("img").attr("alt")).toContain("task4");
    expect(html).not.toMatch(/https?:|url\(|@import/);
    expect($("script, link, iframe, object")).toHaveLength(0);
    const policy = $("meta[http-equiv='Content-Security-Policy']").attr("content");
    expect(policy).toBe("default-src 'none'; style-src 'unsafe-inline'; img-src data:");
  });
});

it("the score on one line has singular and plural", () => {
  expect(scoreLine([folder, ports])).toBe("1 of 2 hold, 1 fails");
  expect(scoreLine([ports, ports])).toBe("0 of 2 hold, 2 fail");
  expect(scoreLine([folder, order])).toBe("1 of 2 hold, 1 deviates");
  expect(scoreLine([order, order])).toBe("0 of 2 hold, 2 deviate");
});

it("the report as text has marks, scores, and each cause once", () => {
  const text = renderText([task(all)]);
  const score = "1 of 5 hold, 1 fails, 1 deviates, 2 skipped";
  expect(text).toContain(`task4  Making it Simpler with Docker Compose
  ✔ the folder is there
  ✘ the ports is there
  ≈ the order is there
  – the hello is there
  – the browser is there
`);
  expect(text).toContain(`
  ✘ task4.ports: front-end publishes 9000→80 (task4/docker-compose.yml:14)
    Write 9000:9000.
`);
  expect(text).toContain("\n  – task4.browser: there is no Chromium\n");
  expect(text).not.toContain("needs: ");
  expect(text).toMatch(
    / {2}1 of 5 .* \(3\.2 s\)\n\nIn total: .*\n1 point could not be judged on this machine\.\n$/,
  );
  expect(text.split(score)).toHaveLength(3);
  expect(text).not.toContain("\u001b");
});

describe("a report with fewer hints", () => {
  const [cause, hint, place] = ["9000→80", "Write 9000:9000.", "docker-compose.yml"];

  it.each<[HintLevel, string[], string[]]>([
    ["none", [], [cause, hint, place, "it has no depends_on", "Add."]],
    ["where", [cause, place, "it has no depends_on"], [hint, "Add."]],
    ["what", [cause, hint, place], []],
  ])("has with %s the same verdicts, and nothing that it withholds", (level, shown, withheld) => {
    const [report] = withhold([task(all)], level);
    const json = JSON.stringify(report);
    for (const text of [...shown, "there is no Chromium"]) expect(json).toContain(text);
    for (const text of withheld) expect(json).not.toContain(text);
    const verdicts = report?.points.map(({ id, title, verdict }) => ({ id, title, verdict }));
    expect(all).toMatchObject(verdicts ?? []);
  });
});
