import { load } from "cheerio";
import { describe, expect, it } from "vitest";
import { exitCodeOfClass } from "../../tools/grader/class/command";
import { csvText, renderCsv } from "../../tools/grader/class/csv";
import { remaining } from "../../tools/grader/class/grade-class";
import { countMistakes } from "../../tools/grader/class/member";
import { renderClass } from "../../tools/grader/class/render-class";
import { renderResult } from "../../tools/grader/class/result-json";
import { bad, broken, good, hostile, reportOf } from "../lib/class-rows";

describe("the table of a class", () => {
  it.each([
    ["plain", "a, b; c-d", '"a, b; c-d"'],
    ["a quote", 'a"b', '"a""b"'],
    ["a formula", "=1+1", `"'=1+1"`],
    ["a formula behind blanks and quotes", ` "+1`, `"'""+1"`],
    ["a formula of full-width characters", "＝1", `"'＝1"`],
    ["another separator before a formula", "a;@SUM(1)|-1", `"a;'@SUM(1)|'-1"`],
    ["line breaks and control characters", "a\r\n=1\t\u001b[31m\u0000", '"a =1 \ufffd"'],
    ["characters that reverse text", "\u202egpj", '"\ufffdgpj"'],
  ])("writes %s as one harmless cell", (_, text, cell) => {
    expect(csvText(text)).toBe(cell);
  });

  it("has a line for each repository, and figures only for those that are graded", () => {
    const [header, ...lines] = renderCsv([good, bad, broken]).split("\r\n");
    expect(header).toMatch(/^\uFEFFrepository,points,hold,deviate,fail,skipped,task0,.*,report$/);
    expect(lines).toEqual([
      '"good",2,1,1,0,0,1,,,,,,,"","","2026-03-04T05:06:07.890Z","good/report.html"',
      expect.stringMatching(/^"bad",5,1,0,3,1,1,0,,,,,,"task0.build task1.port","",/),
      `"'=1+1""'></title><script>alert(1)</script>",,,,,,,,,,,,,"","'=1+1""'></title><script>alert(1)</script>","",""`,
      "",
    ]);
    const columns = header?.split(",").length;
    expect(lines[0]?.split(",")).toHaveLength(columns ?? 0);
  });
});

describe("result.json", () => {
  const resultOf = (...args: Parameters<typeof renderResult>) => JSON.parse(renderResult(...args));

  it("has one test a point, and counts none that could not be judged here", () => {
    const result = resultOf(bad, {});
    expect(result).toMatchObject({
      schema: "classroom50/result/v1",
      owner: "bad",
      submission: "submit/2026-03-04T05-06-07Z-abcdef0",
      datetime: "2026-03-04T05:06:07Z",
      score: 1,
      "max-score": 4,
    });
    expect(result.tests[1]).toEqual({
      "test-name": "task0.build",
      passed: false,
      score: 0,
      "max-score": 1,
      verdict: "fail",
    });
    expect(resultOf(good, {}).score).toBe(2);
  });

  it("takes what Classroom 50's runner knows from the environment", () => {
    const env = { CLASSROOM: "c", OWNER: "alice", SUBMISSION_TAG: "submit/1", COMMIT_URL: "u" };
    const expected = { classroom: "c", owner: "alice", submission: "submit/1", review: "u" };
    expect(resultOf(good, env)).toMatchObject({ ...expected, commit: "u" });
  });
});

describe("the page of a class", () => {
  const $ = load(renderClass([good, bad, { ...bad, output: "ü x" }, broken], "Docker"));

  it("counts the mistakes, the most common first, and none that the grader does not know", () => {
    const more = { ...good, tasks: [reportOf("task1", { port: "fail" })] };
    const counts = countMistakes([good, bad, more, broken]).map(({ id, count }) => [id, count]);
    expect(counts).toEqual([
      ["task1.port", 2],
      ["task0.build", 1],
    ]);
    expect($(".mistakes li").length).toBe(2);
    expect($("#filter option").text()).toContain("2 × task0.build: the API's image builds");
  });

  it("has a row for each repository, with a link to its report or the reason", () => {
    const failing = Array.from($("tbody tr"), (row) => $(row).attr("data-failing"));
    expect(failing).toEqual(["", "task0.build task1.port", "task0.build task1.port", ""]);
    const links = Array.from($("tbody a"), (link) => $(link).attr("href"));
    expect(links).toEqual(["good/report.html", "bad/report.html", "%C3%BC%20x/report.html"]);
    expect($("td.problem").text()).toBe(hostile);
  });

  it("runs only the grader's script, and loads nothing", () => {
    expect($("script")).toHaveLength(1);
    expect($("b:contains(title)")).toHaveLength(0);
    expect($("link, img, iframe, [onclick], [onerror]")).toHaveLength(0);
    const policy = $("meta[http-equiv='Content-Security-Policy']").attr("content");
    expect(policy).toMatch(/^default-src 'none'; .*; script-src 'sha256-[\w+/]{43}='$/);
  });
});

it("a class exits with 2 if a repository is not graded, or if strict and not judged", () => {
  const unjudged = { ...good, tasks: [reportOf("task0", { build: "skipped" })] };
  expect(exitCodeOfClass([good], true)).toBe(0);
  expect(exitCodeOfClass([good, bad], true)).toBe(1);
  expect(exitCodeOfClass([bad, broken], false)).toBe(2);
  expect([exitCodeOfClass([unjudged], false), exitCodeOfClass([unjudged], true)]).toEqual([0, 2]);
});

it.each<[string, ...Parameters<typeof remaining>]>([
  ["about 2 min left", 4, 2, [60_000]],
  ["less than a minute left", 2, 2, [60_000, 30_000, 0]],
  ["2 left", 2, 1, []],
  ["0 left", 0, 2, [60_000]],
])("the time that remains is %s", (expected, ...args) => {
  expect(remaining(...args)).toBe(expected);
});
