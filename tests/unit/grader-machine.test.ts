import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { nameOfCommand } from "../../tools/grader/invocation";
import { pathOutside } from "../../tools/grader/leave";
import { readMessage } from "../../tools/grader/messages";

describe("pathOutside", () => {
  it("leaves out what is relative, npm's, or in the repository, and keeps the order", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(path.join(folder, "repository/bin"), { recursive: true });
    symlinkSync("repository/bin", path.join(folder, "link"));
    const inside = ["repository", "repository/bin", "repository/../repository/bin", "link"];
    const entries = ["", ".", "bin", "/usr/local/bin", "../x", "/a/node_modules/.bin", "/usr/bin"];
    const searchPath = [...entries, ...inside.map((entry) => path.join(folder, entry)), folder];
    expect(pathOutside(path.join(folder, "repository"), searchPath.join(":"))).toBe(
      ["/usr/local/bin", "/usr/bin", folder].join(":"),
    );
  });

  it("keeps a folder whose name only starts like the repository's", () => {
    expect(pathOutside("/a/b", "/a/bc:/a/..b:/a/b/..c")).toBe("/a/bc:/a/..b");
  });
});

it.each([
  ["npm run grade --", "/x/tools/grader/cli.ts", { npm_lifecycle_event: "grade" }],
  ["softy-pinko-grade", "/x/node_modules/.bin/softy-pinko-grade", {}],
  ["softy-pinko-grade", "/x/package/bin/grade.cjs", {}],
  ["npx softy-pinko-grade", "/x/node_modules/.bin/a", { npm_lifecycle_event: "npx" }],
  ["softy-pinko-grade", "/_npx/1f/node_modules/.bin/a", { npm_lifecycle_event: "npx" }],
  [
    "npx --package=./a.tgz softy-pinko-grade",
    "/_npx/1f/node_modules/.bin/a",
    { npm_lifecycle_event: "npx", npm_config_package: "./a.tgz" },
  ],
])("the help says %s for %s", (name, script, env) => {
  expect(nameOfCommand(script, env)).toBe(name);
});

describe("readMessage", () => {
  const point = { id: "a", title: "b", source: "c", verdict: "pass" };
  const done = (report: unknown) => JSON.stringify({ kind: "done", part: "task0", report });

  it.each([
    ["other text", "Segmentation fault"],
    ["an array", "[1]"],
    ["null", "null"],
    ["an unknown kind", '{"kind":"x","part":"task0"}'],
    ["an unknown part", '{"kind":"milestone","part":"task9","line":"x"}'],
    ["a property of every object as its part", '{"kind":"done","part":"constructor"}'],
    ["a picture of no task", '{"kind":"picture","part":"reading","picture":"x"}'],
  ])("ignores a line with %s", (_, line) => {
    expect(readMessage(line)).toBeUndefined();
  });

  it("passes a report on as it is", () => {
    const report = { source: "text", points: [{ ...point, cause: "d", line: 3 }], seconds: 1.5 };
    expect(readMessage(done(report))).toEqual({
      kind: "done",
      part: "task0",
      report: { task: "task0", ...report },
    });
  });

  it("removes terminal codes, line breaks, unknown keys and unknown verdicts", () => {
    const hostile = { ...point, title: "\u001b]0;x\u0007a\nb", verdict: "great", html: "<x>" };
    expect(readMessage(done({ source: {}, points: [hostile, 7, null], seconds: "x" }))).toEqual({
      kind: "done",
      part: "task0",
      report: {
        task: "task0",
        source: "[object Object]",
        points: [
          { ...point, title: "a b", verdict: "skipped" },
          ...Array(2).fill({ id: "", title: "", source: "", verdict: "skipped" }),
        ],
        seconds: 0,
      },
    });
  });

  it("bounds the number of points and the length of a text", () => {
    const many = Array(101).fill({ ...point, cause: "x".repeat(2_001) });
    const message = readMessage(done({ source: "", points: many, seconds: 1 }));
    if (message?.kind !== "done" || message.part === "reading") throw new Error("no report");
    expect(message.report.points).toHaveLength(100);
    expect(message.report.points[0]?.cause).toHaveLength(2_000);
  });
});
