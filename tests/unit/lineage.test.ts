import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Descent, descents } from "../../tools/lineage/declared";
import { carryForward, findDepartures, listChanges } from "../../tools/lineage/lineage";
import { ScratchRepository } from "./lib/scratch-repository";

const descent: Descent = {
  task: "task2",
  from: "task1",
  movedTo: "back-end/",
  added: ["front-end/", "notes.txt"],
  changed: ["back-end/api.ts"],
};

const lines = "one\ntwo\nthree\nfour\nfive\n";
const files = {
  "task1/api.ts": lines,
  "task1/src/lib.ts": "lib\n",
  "task1/README.md": "the first step\n",
  "task2/README.md": "the second step\n",
  "task2/back-end/api.ts": `${lines}six\n`,
  "task2/back-end/src/lib.ts": "lib\n",
  "task2/front-end/index.html": "page\n",
  "task2/front-end/images/a.svg": "<svg/>\n",
  "task2/notes.txt": "notes\n",
};

let repository: ScratchRepository;
beforeEach(async () => {
  repository = await ScratchRepository.of(files);
});
afterEach(() => repository.remove());

describe("findDepartures", () => {
  const find = (declared: Partial<Descent> = {}) =>
    findDepartures(repository.folder, { ...descent, ...declared });

  it("finds nothing in a faithful copy, whatever git ignores", async () => {
    await repository.write({ ".gitignore": "dist/\n", "task2/back-end/dist/api.js": "built\n" });
    expect(await find()).toEqual([]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      "a changed byte",
      { "task2/back-end/src/lib.ts": "lib\r\n" },
      "back-end/src/lib.ts differs from task1's",
    ],
    ["an undeclared file", { "task2/back-end/new.ts": "new\n" }, "back-end/new.ts is not in task1"],
    ["a missing file", { "task1/new.ts": "new\n" }, "back-end/new.ts is missing, but task1 has it"],
    [
      "a declared change without a change",
      { "task2/back-end/api.ts": lines },
      "back-end/api.ts is declared as changed, but is not",
    ],
  ])("finds %s before it is committed", async (_, edits, departure) => {
    await repository.write(edits);
    expect(await find()).toEqual([departure]);
  });

  it.each<[string, Partial<Descent>, string]>([
    [
      "an inherited file",
      { added: [...descent.added, "back-end/src/"] },
      "back-end/src/lib.ts is declared as added, but task1 has it",
    ],
    ["a missing folder", { added: [...descent.added, "proxy/"] }, "proxy/ does not exist"],
    ["a missing file", { changed: [...descent.changed, "gone.ts"] }, "gone.ts does not exist"],
  ])("finds a declaration of %s", async (_, declared, departure) => {
    expect(await find(declared)).toEqual([departure]);
  });
});

it("listChanges counts the lines of each file, in declared order", async () => {
  expect(await listChanges(repository.folder, descent)).toEqual([
    { file: "front-end/images/a.svg", kind: "added", inserted: 1, deleted: 0 },
    { file: "front-end/index.html", kind: "added", inserted: 1, deleted: 0 },
    { file: "notes.txt", kind: "added", inserted: 1, deleted: 0 },
    { file: "back-end/api.ts", kind: "changed", inserted: 1, deleted: 0 },
  ]);
});

describe("carryForward", () => {
  const carry = () => carryForward(repository.folder, descent);
  const api = "task2/back-end/api.ts";

  it("copies, merges, and then has nothing to do", async () => {
    expect(await carry()).toEqual([]);
    const edited = lines.replace("one", "ONE");
    await repository.write({
      "task1/src/lib.ts": "better\n",
      "task1/new/file.ts": "new\n",
      "task1/api.ts": edited,
    });
    const carried = new Set([
      { file: api, how: "merged" },
      { file: "task2/back-end/src/lib.ts", how: "copied" },
      { file: "task2/back-end/new/file.ts", how: "copied" },
    ]);
    expect(new Set(await carry())).toEqual(carried);
    expect(await repository.read(api)).toBe(`${edited}six\n`);
    expect(await findDepartures(repository.folder, descent)).toEqual([]);
    expect(await carry()).toEqual([]);
  });

  it("marks a conflict until it is resolved", async () => {
    await repository.write({ "task1/api.ts": `${lines}seven\n` });
    expect(await carry()).toEqual([{ file: api, how: "conflict" }]);
    const marked = await repository.read(api);
    expect(marked).toMatch(/^<{7} task2\/back-end\/api\.ts\nsix$/m);
    expect(marked).toMatch(/^seven$/m);
    expect(await carry()).toEqual([{ file: api, how: "conflict" }]);
    expect(await repository.read(api)).toBe(marked);

    const resolved = `${lines}six\nseven\n`;
    await repository.write({ [api]: resolved });
    expect(await carry()).toEqual([]);
    expect(await repository.read(api)).toBe(resolved);
  });

  it("ignores files that the step declares but does not have", async () => {
    await repository.delete(api);
    await repository.write({ "task1/api.ts": "ONE\n" });
    expect(await carry()).toEqual([]);
  });

  it("deletes nothing and leaves the READMEs alone", async () => {
    await repository.delete("task1/src/lib.ts");
    await repository.write({ "task1/README.md": "rewritten\n" });
    expect(await carry()).toEqual([]);
    expect(await repository.read("task2/back-end/src/lib.ts")).toBe("lib\n");
    expect(await repository.read("task2/README.md")).toBe("the second step\n");
  });
});

it("the declared steps lead from task0 to production", () => {
  const folders = "task0 task1 task2 task3 task4 task5 task6 production".split(" ");
  expect(descents.map(({ from }) => from)).toEqual(folders.slice(0, -1));
  expect(descents.map(({ task }) => task)).toEqual(folders.slice(1));
});
