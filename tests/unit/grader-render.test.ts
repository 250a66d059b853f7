import { load } from "cheerio";
import { describe, expect, it, vi } from "vitest";
import type { TaskReport } from "../../tools/grader/messages";
import type { Point } from "../../tools/grader/point";
import { type HtmlReport, renderHtml } from "../../tools/grader/render-html";
import { renderText } from "../../tools/grader/render-text";
import { scoreLine } from "../../tools/grader/score";

// picocolors decides when it is imported; in CI it would say yes
vi.hoisted(() => {
  process.env.NO_COLOR = "1";
});

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

const squeeze = (text: string): string => text.replace(/\s+/g, " ").trim();

describe("the report as a page", () => {
  it("says what was graded, when and with what", () => {
    const $ = load(render(all));
    expect($("h1").text()).toBe("Softy Pinko, graded");
    const header = squeeze($(".band").text());
    expect(header).toContain("a-repository");
    expect(header).toContain("4 March 2026 at 05:06 UTC");
    expect(header).toContain("Docker Engine 27");
  });

  it("has each point with its verdict in words", () => {
    const $ = load(render(all));
    const titles = $(".point .title").toArray();
    expect(titles.map((title) => squeeze($(title).text()))).toEqual([
      "holds: the folder is there",
      "fails: the ports is there",
      "deviates: the order is there",
      "skipped: the hello is there",
      "skipped: the browser is there",
    ]);
  });

  it("says of a point that fails why, what to do and where", () => {
    const $ = load(render(all));
    const text = squeeze($(`[id="task4.ports"]`).text());
    expect(text).toContain("front-end publishes 9000→80");
    expect(text).toContain("Write 9000:9000.");
    expect(text).toContain("task4/docker-compose.yml:14");
  });

  it("shows what only follows from another failure as a consequence", () => {
    const $ = load(render(all));
    expect(
      $(".consequence")
        .toArray()
        .map((one) => $(one).attr("id")),
    ).toEqual(["task4.hello"]);
  });

  it("counts the points of all tasks, and of each", () => {
    const $ = load(render(all, { tasks: [task(all), { ...task([folder]), task: "task5" }] }));
    expect(squeeze($("#total").text())).toBe("2 of 6 points hold");
    const legend = $(".legend li").toArray();
    expect(legend.map((one) => /\d+ \w+/.exec($(one).text())?.[0])).toEqual([
      "2 hold",
      "1 deviates",
      "1 fails",
      "2 skipped",
    ]);
    const scores = $(".task .score").toArray();
    expect(scores.map((score) => squeeze($(score).text()))).toEqual([
      "1 of 5 hold, 1 fails, 1 deviates, 2 skipped 3.2 s",
      "1 of 1 hold 3.2 s",
    ]);
  });

  it("opens a task with something to do, and leaves one closed where all holds", () => {
    const isOpen = (points: Point[]): boolean => load(render(points))("details").is("[open]");
    expect(isOpen(all)).toBe(true);
    expect(isOpen([folder])).toBe(false);
  });

  it.each(["cause", "hint", "file", "title", "id"] as const)("takes a %s as text", (field) => {
    const evil = `"'><script>alert(1)</script>`;
    const html = render([{ ...ports, [field]: evil }]);
    const $ = load(html);
    expect($("script, [onerror]")).toHaveLength(0);
    const told = field === "id" ? $(".point").attr("id") : $(".point").text();
    expect(told).toContain(evil);
  });

  it.each(["repository", "engine"] as const)("takes the %s as text", (field) => {
    const evil = "</title><script>alert(1)</script><img src=x onerror=alert(1)>";
    const $ = load(render(all, { [field]: evil }));
    expect($("script, img")).toHaveLength(0);
    expect($(".band").text()).toContain(evil);
  });

  it("shows code between backticks as code, whatever is in it", () => {
    const $ = load(render([{ ...ports, cause: "`a <b>` fails, `" }]));
    expect($(".cause code").text()).toBe("a <b>");
    expect($(".cause").text()).toBe("a <b> fails, `");
  });

  it("leaves out colours of a terminal and what turns text round", () => {
    const html = render([{ ...ports, cause: "\u001b[31mred\u001b[0m \u202egnp.exe\u0000" }]);
    expect(load(html)(".cause").text()).toBe("red \ufffdgnp.exe\ufffd");
  });

  it("holds the pictures itself, each with a text of its own", () => {
    const png = Buffer.from("89504e470d0a1a0a", "hex");
    const $ = load(render(all, { pictures: new Map([["task4", png]]) }));
    expect($("img").attr("src")).toBe(`data:image/png;base64,${png.toString("base64")}`);
    expect($("img").attr("alt")).toContain("task4");
  });

  it("asks nobody for anything", () => {
    const html = render(all, { pictures: new Map([["task4", Buffer.from("x")]]) });
    const $ = load(html);
    expect(html).not.toMatch(/https?:|url\(|@import/);
    expect($("script, link, iframe, object")).toHaveLength(0);
    const policy = $("meta[http-equiv='Content-Security-Policy']").attr("content");
    expect(policy).toBe("default-src 'none'; style-src 'unsafe-inline'; img-src data:");
  });

  it("is a page even where nothing was graded", () => {
    const $ = load(render([], { tasks: [] }));
    expect(squeeze($("#total").text())).toBe("0 of 0 points hold");
  });
});

describe("the score on one line", () => {
  it.each([
    [[folder], "1 of 1 hold"],
    [[folder, ports], "1 of 2 hold, 1 fails"],
    [[ports, ports], "0 of 2 hold, 2 fail"],
    [[folder, order], "1 of 2 hold, 1 deviates"],
    [[order, order], "0 of 2 hold, 2 deviate"],
    [[hello, browser], "0 of 2 hold, 2 skipped"],
    [all, "1 of 5 hold, 1 fails, 1 deviates, 2 skipped"],
  ])("of %# is in plain English", (points, line) => {
    expect(scoreLine(points)).toBe(line);
  });
});

describe("the report as text", () => {
  const text = renderText([task(all)]);
  const lines = text.split("\n");

  it("has a line for each point, with its mark", () => {
    expect(lines.slice(0, 6)).toEqual([
      "task4  Making it Simpler with Docker Compose",
      "  ✔ the folder is there",
      "  ✘ the ports is there",
      "  ≈ the order is there",
      "  – the hello is there",
      "  – the browser is there",
    ]);
  });

  it("says under the table why, where and what to do", () => {
    const cause = lines.indexOf(
      "  ✘ task4.ports: front-end publishes 9000→80 (task4/docker-compose.yml:14)",
    );
    expect(cause).toBeGreaterThan(6);
    expect(lines[cause + 1]).toBe("    Write 9000:9000.");
    expect(lines).toContain("  – task4.browser: there is no Chromium");
  });

  it("does not repeat a failure as the cause of what follows from it", () => {
    expect(text).not.toContain("needs: ");
  });

  it("ends each task, and all, with the score", () => {
    const score = "1 of 5 hold, 1 fails, 1 deviates, 2 skipped";
    expect(lines.slice(-4)).toEqual([`  ${score} (3.2 s)`, "", `In total: ${score}`, ""]);
  });

  it("has no colours where they are not wanted", () => {
    expect(text).not.toContain("\u001b");
  });
});
