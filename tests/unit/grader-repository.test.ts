import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRepository, readText } from "../../tools/grader/repository";
import { copyFolder } from "../../tools/grader/snapshot";
import { argv } from "../../tools/lib/argv";
import { UserError } from "../../tools/lib/errors";

let [folder, scratch] = ["", ""];
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
  scratch = fs.mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
});
afterEach(() => {
  for (const each of [folder, scratch]) fs.rmSync(each, { recursive: true, force: true });
});

const at = (name: string): string => path.join(folder, name);

/** Writes files into the repository, and the folders that they are in. */
function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
    fs.writeFileSync(at(name), text);
  }
}

/** @returns The last entry of a folder in the order of the file system. */
function lastIn(name: string): string {
  const opened = fs.opendirSync(name);
  let last = "";
  for (let entry = opened.readSync(); entry; entry = opened.readSync()) last = entry.name;
  opened.closeSync();
  return last;
}

const open = () => openRepository(folder, scratch);

/** Opens a repository whose only task is task0. */
async function openTask0() {
  const task = (await open()).get("task0");
  if (task === undefined) throw new Error("there is no task0");
  return {
    ...task,
    kinds: Object.fromEntries(task.entries),
    copy: fs.readdirSync(task.path, { recursive: true }).map(String).sort(),
  };
}

/** Acts with the rights of a user who owns only the scratch folder. */
async function asNobody<T>(use: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return use();
  const nobody = 65_534;
  fs.chmodSync(folder, 0o755);
  fs.chownSync(scratch, nobody, nobody);
  process.seteuid?.(nobody);
  try {
    return await use();
  } finally {
    process.seteuid?.(0);
  }
}

describe("openRepository", () => {
  it("finds the tasks at the root, or in a folder of it", async () => {
    write({ "port/of/task0/Dockerfile": "FROM ubuntu\n", "port/of/task6/x": "" });
    const tasks = await open();
    expect([...tasks.keys()]).toEqual(["task0", "task6"]);
    expect(tasks.get("task0")).toMatchObject({ name: "port/of/task0" });
  });

  it.each([
    ["2000 folders", 3, 800],
    ["1000 entries of each folder", 1, 1_001],
  ])("searches at most %s", async (_, count, size) => {
    for (let outer = 0; outer < count; outer += 1) {
      fs.mkdirSync(at(`${outer}`));
      for (let inner = 0; inner < size; inner += 1) fs.mkdirSync(at(`${outer}/${inner}`));
    }
    const outer = lastIn(folder);
    write({ [`${outer}/${lastIn(at(outer))}/task0/Dockerfile`]: "" });
    await expect(open()).rejects.toThrow(/task0 to task6/);
  });

  it("finds tasks in capitals, and none in what a Mac adds to an archive", async () => {
    write({ "__MACOSX/task0/Dockerfile": "", "port/Task0/Dockerfile": "", "port/TASK1/x": "" });
    const names = Array.from(await open(), ([task, { name }]) => [task, name]);
    expect(names).toEqual([
      ["task0", "port/Task0"],
      ["task1", "port/TASK1"],
    ]);
  });

  it.each([
    ["a missing folder", "nowhere", /nowhere is /],
    ["a folder without a task", ".", /holds no task0 to task6/],
    ["a task that is a link", "linked", /holds no task0 to task6/],
  ])("explains %s in one line", async (_, name, message) => {
    fs.mkdirSync(at("linked"));
    fs.symlinkSync("/etc", at("linked/task0"));
    const opened = openRepository(at(name), scratch);
    await expect(opened).rejects.toThrow(UserError);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.not.toThrow(/\n/);
  });
});

describe("the copy", () => {
  it("copies what it reads, so that later changes of the repository do not matter", async () => {
    write({ "task0/Dockerfile": "FROM ubuntu\n", "task0/api/run.sh": "exit\n" });
    fs.chmodSync(at("task0/api/run.sh"), 0o4755);
    fs.chmodSync(at("task0/api"), 0o1777);
    const task = await openTask0();
    for (const name of ["task0/Dockerfile", "task0/api"]) {
      fs.rmSync(at(name), { recursive: true });
      fs.symlinkSync("/etc/passwd", at(name));
    }
    expect(task.path).toBe(path.join(fs.realpathSync(scratch), "task0"));
    expect(readText(task, "Dockerfile")).toBe("FROM ubuntu\n");
    expect(fs.readFileSync(path.join(task.path, "api/run.sh"), "utf8")).toBe("exit\n");
    const modes = ["api", "api/run.sh"].map((name) => fs.statSync(path.join(task.path, name)).mode);
    expect(modes.map((mode) => (mode & 0o7777).toString(8))).toEqual(["777", "755"]);
  });

  it("copies node_modules, which it does not list, and not .git", async () => {
    write({ "task0/node_modules/a/index.js": "1", "task0/.git/config": "", "task0/x/.git": "" });
    fs.truncateSync(at("task0/.git/config"), 2 ** 31);
    const { kinds, copy, refusal } = await openTask0();
    expect({ kinds, refusal }).toEqual({ kinds: { x: "empty folder" } });
    expect(copy).toEqual(argv`node_modules node_modules/a node_modules/a/index.js x`);
  });

  it.each([
    [
      "a link to a file, and to a folder, and one through it",
      { b: "x", "in/up": "../d", a: "in/up/y" },
    ],
    ["a link into node_modules", { "d/bin": "../node_modules/m" }],
    ["an absolute link", { a: "/etc/passwd" }],
    ["a way through a link that leaves", { out: "../..", a: "out/etc/passwd" }],
    ["loops", { a: "a", b: "c", c: "b", "d/e": "../d/e/x" }],
    ["dead links", { a: "nowhere", b: "x/y", c: ".git/config" }],
  ])("copies %s, and does not follow it", async (_, links) => {
    for (const file of argv`x d/y in/z node_modules/m .git/config`)
      write({ [`task0/${file}`]: "" });
    for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, at(`task0/${name}`));
    const task = (await open()).get("task0");
    if (task === undefined) throw new Error("there is no task0");
    expect(task.refusal).toBeUndefined();
    for (const [name, target] of Object.entries(links)) {
      expect(fs.readlinkSync(path.join(task.path, name))).toBe(target);
      expect(task.entries.get(name)).toBe("link");
      expect(readText(task, name)).toBeUndefined();
    }
  });
});

describe("a folder that is refused", () => {
  it.each<[string, () => void, string]>([
    [
      "a fifo",
      () => {
        fs.mkdirSync(at("task0/node_modules"));
        execFileSync("mkfifo", [at("task0/node_modules/\u0007")]);
      },
      "node_modules/ is neither a file nor a folder",
    ],
    ["a large file", () => fs.truncateSync(at("task0/x"), 2 ** 31), "it holds more than 200 MB"],
    [
      "large modules",
      () => {
        write({ "task0/node_modules/x": "" });
        fs.truncateSync(at("task0/node_modules/x"), 2 ** 31);
      },
      "its node_modules hold more than 300 MB",
    ],
    [
      "deep folders",
      () => fs.mkdirSync(at(`task0/${"d/".repeat(100)}`), { recursive: true }),
      "its folders are more than 24 levels deep",
    ],
    [
      "a name that is not UTF-8",
      () =>
        fs.writeFileSync(Buffer.concat([Buffer.from(at("task0/caf")), Buffer.from([0xe9])]), ""),
      "it has a file whose name is not UTF-8: caf\u{fffd}",
    ],
  ])("refuses %s", async (_, make, refusal) => {
    write({ "task0/x": "" });
    make();
    expect((await openTask0()).refusal).toBe(refusal);
  });

  it.each([
    [{ entries: 150_000, bytes: 0 }, "the tasks together hold more than 150000 files"],
    [{ entries: 0, bytes: 1e9 }, "the tasks together hold more than 1000 MB"],
  ])("bounds the sum of all tasks: %j", (all, refusal) => {
    write({ "task0/x": "1" });
    const copy = path.join(scratch, "task0");
    expect(copyFolder(at("task0"), copy, all)).toMatchObject({ refusal });
    expect(fs.existsSync(path.join(copy, "x"))).toBe(false);
  });

  it.each([
    ["a file", "task0/x", "x cannot be read"],
    ["a folder", "task0/d", "d cannot be read"],
    ["the task", "task0", "its folder cannot be read"],
  ])("refuses what it has no permission to read: %s", async (_, name, refusal) => {
    write({ "task0/x": "", "task0/d/y": "" });
    fs.chmodSync(at(name), 0);
    expect((await asNobody(open)).get("task0")).toMatchObject({ refusal });
    fs.chmodSync(at(name), 0o700);
  });

  it("reads files of another user", async () => {
    write({ "task0/x": "text" });
    const task = (await asNobody(open)).get("task0");
    expect(task?.refusal).toBeUndefined();
    expect(task && readText(task, "x")).toBe("text");
  });

  it("throws if it cannot write the copy: that is not the learner's fault", async () => {
    write({ "task0/x": "" });
    fs.mkdirSync(path.join(scratch, "task0"));
    await expect(open()).rejects.toThrow(/EEXIST/);
  });
});
