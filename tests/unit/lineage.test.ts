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

const faithful = {
  "task1/api.ts": "one\ntwo\nthree\nfour\nfive\n",
  "task1/src/lib.ts": "lib\n",
  "task1/README.md": "the first step\n",
  "task2/README.md": "the second step\n",
  "task2/back-end/api.ts": "one\ntwo\nthree\nfour\nfive\nsix\n",
  "task2/back-end/src/lib.ts": "lib\n",
  "task2/front-end/index.html": "page\n",
  "task2/front-end/images/a.svg": "<svg/>\n",
  "task2/notes.txt": "notes\n",
};

let repository: ScratchRepository;

beforeEach(async () => {
  repository = await ScratchRepository.of(faithful);
});

afterEach(async () => {
  await repository.remove();
});

describe("departures of a step from its declaration", () => {
  it("are none in a faithful copy", async () => {
    expect(await findDepartures(repository.folder, descent)).toEqual([]);
  });

  it("leave out what git ignores", async () => {
    await repository.write({ ".gitignore": "dist/\n", "task2/back-end/dist/api.js": "built\n" });
    expect(await findDepartures(repository.folder, descent)).toEqual([]);
  });

  it("are seen before anything is committed", async () => {
    await repository.write({ "task1/new.ts": "new\n" });
    expect(await findDepartures(repository.folder, descent)).toEqual([
      { task: "task2", file: "back-end/new.ts", problem: "is missing, but task1 has it" },
    ]);
  });

  const same = faithful["task1/api.ts"];
  it.each<{
    name: string;
    files?: Record<string, string>;
    deleted?: string;
    declared?: Partial<Descent>;
    file: string;
    problem: string;
  }>([
    {
      name: "an inherited file that differs by a byte",
      files: { "task2/back-end/src/lib.ts": "lib\r\n" },
      file: "back-end/src/lib.ts",
      problem: "differs from task1's",
    },
    {
      name: "an inherited file that is missing",
      deleted: "task2/back-end/src/lib.ts",
      file: "back-end/src/lib.ts",
      problem: "is missing, but task1 has it",
    },
    {
      name: "a file that nobody declared",
      files: { "task2/back-end/extra.ts": "extra\n" },
      file: "back-end/extra.ts",
      problem: "is not in task1",
    },
    {
      name: "a declared change that is none",
      files: { "task2/back-end/api.ts": same },
      file: "back-end/api.ts",
      problem: "is declared as changed, but is not",
    },
    {
      name: "an addition that is inherited",
      declared: { added: [...descent.added, "back-end/src/"] },
      file: "back-end/src/lib.ts",
      problem: "is declared as added, but task1 has it",
    },
    {
      name: "a declared addition that does not exist",
      deleted: "task2/notes.txt",
      file: "notes.txt",
      problem: "does not exist",
    },
    {
      name: "a declared folder that is empty",
      declared: { added: [...descent.added, "proxy/"] },
      file: "proxy/",
      problem: "does not exist",
    },
    {
      name: "a declared change of a file that does not exist",
      declared: { changed: [...descent.changed, "back-end/gone.ts"] },
      file: "back-end/gone.ts",
      problem: "does not exist",
    },
  ])("are exactly one with $name", async ({ files, deleted, declared, file, problem }) => {
    await repository.write(files ?? {});
    if (deleted !== undefined) await repository.delete(deleted);
    expect(await findDepartures(repository.folder, { ...descent, ...declared })).toEqual([
      { task: "task2", file, problem },
    ]);
  });

  it("are all of the files when the folder was not moved", async () => {
    const departures = await findDepartures(repository.folder, {
      ...descent,
      movedTo: "",
      added: [...descent.added, "back-end/"],
      changed: [],
    });
    expect(departures.map(({ file, problem }) => `${file} ${problem}`)).toEqual([
      "api.ts is missing, but task1 has it",
      "src/lib.ts is missing, but task1 has it",
    ]);
  });
});

describe("the changes of a step", () => {
  it("are counted in lines, in declared order", async () => {
    expect(await listChanges(repository.folder, descent)).toEqual([
      { file: "front-end/images/a.svg", kind: "added", inserted: 1, deleted: 0 },
      { file: "front-end/index.html", kind: "added", inserted: 1, deleted: 0 },
      { file: "notes.txt", kind: "added", inserted: 1, deleted: 0 },
      { file: "back-end/api.ts", kind: "changed", inserted: 1, deleted: 0 },
    ]);
  });
});

describe("carrying a change forward", () => {
  const carry = () => carryForward(repository.folder, descent);

  it("does nothing when nothing was edited", async () => {
    expect(await carry()).toEqual([]);
  });

  it("copies an edited and a new file that the step inherits", async () => {
    await repository.write({ "task1/src/lib.ts": "better\n", "task1/new/file.ts": "new\n" });
    expect(await carry()).toEqual(
      expect.arrayContaining([
        { file: "task2/back-end/src/lib.ts", how: "copied" },
        { file: "task2/back-end/new/file.ts", how: "copied" },
      ]),
    );
    expect(await repository.read("task2/back-end/src/lib.ts")).toBe("better\n");
    expect(await repository.read("task2/back-end/new/file.ts")).toBe("new\n");
    expect(await findDepartures(repository.folder, descent)).toEqual([]);
  });

  it("merges an edit into a file that the step changes", async () => {
    await repository.write({ "task1/api.ts": "ONE\ntwo\nthree\nfour\nfive\n" });
    expect(await carry()).toEqual([{ file: "task2/back-end/api.ts", how: "merged" }]);
    expect(await repository.read("task2/back-end/api.ts")).toBe(
      "ONE\ntwo\nthree\nfour\nfive\nsix\n",
    );
  });

  it("marks a conflict and leaves both versions to read", async () => {
    await repository.write({ "task1/api.ts": "one\ntwo\nthree\nfour\nfive\nseven\n" });
    expect(await carry()).toEqual([{ file: "task2/back-end/api.ts", how: "conflict" }]);
    const merged = await repository.read("task2/back-end/api.ts");
    expect(merged).toMatch(/^<{7} task2\/back-end\/api\.ts$/m);
    expect(merged).toMatch(/^six$/m);
    expect(merged).toMatch(/^seven$/m);
  });

  it("keeps saying that a conflict is unresolved, and believes who resolves it", async () => {
    await repository.write({ "task1/api.ts": "one\ntwo\nthree\nfour\nfive\nseven\n" });
    await carry();
    const marked = await repository.read("task2/back-end/api.ts");
    expect(await carry()).toEqual([{ file: "task2/back-end/api.ts", how: "conflict" }]);
    expect(await repository.read("task2/back-end/api.ts")).toBe(marked);

    const resolved = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
    await repository.write({ "task2/back-end/api.ts": resolved });
    expect(await carry()).toEqual([]);
    expect(await repository.read("task2/back-end/api.ts")).toBe(resolved);
  });

  it("passes over a file that the step declares but does not have", async () => {
    await repository.delete("task2/back-end/api.ts");
    await repository.write({ "task1/api.ts": "ONE\n" });
    expect(await carry()).toEqual([]);
  });

  it("does nothing the second time", async () => {
    await repository.write({
      "task1/src/lib.ts": "better\n",
      "task1/api.ts": "ONE\ntwo\nthree\nfour\nfive\n",
    });
    expect(await carry()).toHaveLength(2);
    expect(await carry()).toEqual([]);
  });

  it("deletes nothing and leaves each step its own README", async () => {
    await repository.delete("task1/src/lib.ts");
    await repository.write({ "task1/README.md": "rewritten\n" });
    expect(await carry()).toEqual([]);
    expect(await repository.read("task2/back-end/src/lib.ts")).toBe("lib\n");
    expect(await repository.read("task2/README.md")).toBe("the second step\n");
  });
});

describe("the declared descents", () => {
  it("lead from task0 to production, each from the one before", () => {
    expect(descents.map(({ from, task }) => `${from} → ${task}`)).toEqual([
      "task0 → task1",
      "task1 → task2",
      "task2 → task3",
      "task3 → task4",
      "task4 → task5",
      "task5 → task6",
      "task6 → production",
    ]);
  });

  it("move files once: task1 becomes the back-end of task2", () => {
    expect(descents.filter(({ movedTo }) => movedTo !== "")).toMatchObject([
      { task: "task2", movedTo: "back-end/" },
    ]);
  });
});
