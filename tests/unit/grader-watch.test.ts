import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Point } from "../../tools/grader/point";
import { Board, changesBetween } from "../../tools/grader/watch/board";
import { differences, installationsIn, scan } from "../../tools/grader/watch/scan";
import { liveView, plainView, type View } from "../../tools/grader/watch/view";
import { printable } from "../../tools/lib/printable";

describe("the tasks that saved files concern", () => {
  let root = "";
  beforeEach(() => {
    root = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-")));
    for (const name of ["task0/Dockerfile", "task4/docker-compose.yml", "task4/site/index.html"]) {
      save(name);
    }
    fs.symlinkSync(root, at("task4/link"));
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  const at = (name: string): string => path.join(root, name);
  const save = (name: string, text = ""): void => {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
    fs.writeFileSync(at(name), text);
  };
  /** Keeps size and times, as two saves of a fast editor may. */
  const replace = (name: string): void => {
    const { atime, mtime } = fs.statSync(at(name));
    fs.cpSync(at(name), at("new"));
    fs.utimesSync(at("new"), atime, mtime);
    fs.renameSync(at("new"), at(name));
  };

  it.each<[string, () => void, Record<string, string[]>]>([
    ["a written file", () => save("task0/Dockerfile", "x"), { task0: ["task0/Dockerfile"] }],
    ["a replaced file", () => replace("task0/Dockerfile"), { task0: ["task0/Dockerfile"] }],
    ["a new folder", () => save("task4/a/b"), { task4: ["task4/a", "task4/a/b"] }],
    [
      "a removed folder",
      () => fs.rmSync(at("task4/site"), { recursive: true }),
      { task4: ["task4/site", "task4/site/index.html"] },
    ],
    ["a new task", () => save("Task5/a"), { task5: ["Task5/a"] }],
    [
      "a renamed task",
      () => fs.renameSync(at("task0"), at("TASK0")),
      { task0: ["task0/Dockerfile", "TASK0/Dockerfile"] },
    ],
    ["a file outside the tasks", () => save("README.md", "x"), {}],
    ["a package manager at work", () => save("task0/node_modules/a/index.js"), {}],
    [
      "a package manager that has finished",
      () => save("task0/node_modules/.package-lock.json"),
      { task0: ["task0/node_modules/.package-lock.json"] },
    ],
    ["git", () => save("task0/.git/index"), {}],
    ["an editor", () => ["a.swp", "a~", ".#a", "4913"].map((a) => save(`task0/${a}`)), {}],
    [
      "the whole repository, removed",
      () => fs.rmSync(root, { recursive: true }),
      { task0: [expect.anything()], task4: Array(4).fill(expect.anything()) },
    ],
  ])("%s", (_, change, expected) => {
    const before = scan(root);
    expect(differences(before, scan(root)).size).toBe(0);
    change();
    expect(Object.fromEntries(differences(before, scan(root)))).toEqual(expected);
  });

  it("include those whose packages were installed again", () => {
    save("x/task0/api/node_modules/.package-lock.json");
    fs.renameSync(at("task0"), at("task0-old"));
    fs.renameSync(at("task4"), at("task4-old"));
    const [before, again] = [1, 2].map((text) => {
      save("x/task0/api/node_modules/.package-lock.json", "x".repeat(text));
      return installationsIn(scan(root), "task0");
    });
    expect([...(before?.keys() ?? [])]).toEqual(["api/node_modules"]);
    expect(again).not.toEqual(before);
  });
});

const point = (id: string, rest: Partial<Point> = {}): Point => {
  return { id: `task4.${id}`, title: `the ${id} is there`, source: "4.", verdict: "pass", ...rest };
};
const wrong = point("ports", {
  verdict: "fail",
  cause: "it is 80",
  hint: "Write 9000.",
  file: "task4/a",
  line: 3,
});
const blocked = point("hello", { verdict: "skipped", cause: "needs: the ports" });

describe("what a report has that the one before has not", () => {
  it.each<[string, Point, Point, boolean]>([
    ["another verdict", wrong, point("ports"), true],
    ["another cause", wrong, { ...wrong, cause: "it is 81" }, true],
    ["another line", wrong, { ...wrong, line: 4 }, false],
    ["another observation", point("a", { cause: "x" }), point("a", { cause: "y" }), false],
    ["another point that is needed", blocked, { ...blocked, cause: "needs: the conf" }, false],
  ])("%s", (_, before, point, isChange) => {
    const expected = isChange ? [{ before: before.verdict, point }] : [];
    expect(changesBetween([before], [point])).toEqual(expected);
  });
});

describe("while a repository is watched", () => {
  /** Grades a task, and again after a mistake was mended. */
  function showAll(view: View): void {
    const board = new Board();
    const take = (isDone: boolean, ...points: Point[]): void => {
      const change = board.update({ task: "task4", source: "4.", points, seconds: 2 }, isDone);
      if (change !== undefined) view.show(board.states, change.before, change.now);
    };
    board.begin(["task4"], () => true);
    take(false, wrong);
    take(true, wrong, blocked);
    view.saved(["task4/\u001b[2Ja\nb", "x", "y"]);
    board.begin(["task4"], () => true);
    board.proceed("task4", "building task4-api");
    take(false, point("ports"));
    take(true, point("ports"), { ...point("hello"), title: "the hello has a longer title" });
    take(true, wrong);
    board.begin([], () => false);
    expect(board.states).toEqual([]);
  }

  it("a pipe gets what changes, first what can be read", () => {
    const written: string[] = [];
    showAll(plainView((text) => written.push(text)));
    expect(written.join("")).toBe(`task4: 0 of 2 hold, 1 fails, 1 skipped (2 s)
  ✘ task4.ports: it is 80 (task4/a:3)
    Write 9000.
saved: task4/a b and 2 others
task4: read
  ✘ → ✔ task4.ports: the ports is there
task4: 2 of 2 hold (2 s)
  – → ✔ task4.hello: the hello has a longer title
`);
  });

  it("a terminal gets one picture, no larger than itself, below what was on it", () => {
    const screens: string[] = [];
    const terminal = { rows: 9, columns: 44, write: (text: string) => screens.push(text) };
    showAll(liveView("Watching port", terminal));
    const [first, ...drawn] = screens.map(printable);
    expect(first).toBe("\n".repeat(9));
    expect(drawn[0]).toContain("\n  … task4  0 of 1 hold, 1 fails so far\n    waiting\n");
    expect(drawn[1]).toContain("\n  ✘ task4.ports: it is 80 (task4/a:3)\n    Write 9000.\n");
    expect(drawn[2]).toContain("\n  … task4  1 of 2 hold, 1 skipped\n    building task4-api\n");
    expect(drawn[3]).toBe(`Watching port  Ctrl-C ends it

  ✔ task4  2 of 2 hold  2 s

Saved: task4/a b and 2 others
  ✘ → ✔ task4.ports: the ports is there
  – → ✔ task4.hello: the hello has a
    longer title
`);
    expect(drawn).toHaveLength(4);
  });
});
