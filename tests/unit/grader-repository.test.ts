import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRepository, readText } from "../../tools/grader/repository";
import { copyFolder } from "../../tools/grader/snapshot";
import { UserError } from "../../tools/lib/errors";

let [folder, scratch] = ["", ""];
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
  scratch = fs.mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
});
afterEach(() => {
  for (const made of [folder, scratch]) fs.rmSync(made, { recursive: true, force: true });
});

const at = (name: string): string => path.join(folder, name);

/** Writes files into the repository, and the folders that they are in. */
function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
    fs.writeFileSync(at(name), text);
  }
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

/** Does something with the rights of a user who owns nothing but the scratch folder. */
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
    const found = await open();
    expect([...found.keys()]).toEqual(["task0", "task6"]);
    expect(found.get("task0")).toMatchObject({ name: "port/of/task0", bytes: 12 });
  });

  it("does not search without end", async () => {
    for (let index = 0; index < 2_100; index += 1)
      fs.mkdirSync(at(`a${index % 50}/${index}`), { recursive: true });
    await expect(open()).rejects.toThrow(/holds no task0/);
  });

  it.each([
    ["no such folder", "nowhere", /nowhere is not a folder/],
    ["a folder without a task", ".", /holds no task0 to task6/],
    ["a task that is a link", "linked", /holds no task0 to task6/],
  ])("says in one line of %s what to give it", async (_, name, message) => {
    fs.mkdirSync(at("linked"));
    fs.symlinkSync("/etc", at("linked/task0"));
    const opened = openRepository(at(name), scratch);
    await expect(opened).rejects.toThrow(UserError);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.not.toThrow(/\n/);
  });

  it("copies what it reads: what becomes of the repository later does not matter", async () => {
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

  it("copies a file with two names twice, and leaves the repository alone", async () => {
    write({ "task0/x": "original" });
    fs.linkSync(at("task0/x"), at("task0/y"));
    const before = fs.statSync(at("task0/x"));
    const task = await openTask0();
    const after = fs.statSync(at("task0/x"));
    expect([after.atimeMs, after.mtimeMs, after.ctimeMs]).toEqual([
      before.atimeMs,
      before.mtimeMs,
      before.ctimeMs,
    ]);
    fs.writeFileSync(path.join(task.path, "x"), "changed");
    expect(readText(task, "y")).toBe("original");
    expect(fs.readFileSync(at("task0/x"), "utf8")).toBe("original");
  });

  it("copies node_modules, which it does not look at, and no .git", async () => {
    write({ "task0/node_modules/a/index.js": "1", "task0/.git/config": "", "task0/x/.git": "" });
    fs.truncateSync(at("task0/.git/config"), 2 ** 31);
    const { kinds, bytes, copy, refusal } = await openTask0();
    expect({ kinds, bytes, refusal }).toEqual({ kinds: { x: "empty folder" }, bytes: 0 });
    expect(copy).toEqual([...["node_modules", "node_modules/a", "node_modules/a/index.js"], "x"]);
  });

  it.each([
    ["a link to a file", { a: "x" }, ["a"]],
    ["a link to a folder, and one through it", { "in/up": "../d", a: "in/up/y" }, ["in/up", "a"]],
    ["a chain", { a: "b", b: "c", c: "x" }, ["a", "b", "c"]],
    ["a link into node_modules", { "d/bin": "../node_modules/m" }, ["d/bin"]],
    ["an absolute link", { a: "/etc/passwd" }, []],
    ["a link that leaves", { a: "../../etc", "d/a": "../../x" }, []],
    [
      "a link that leaves and comes back",
      { a: "../task0/x", up: "d/..", b: "up/../task0/x" },
      ["up"],
    ],
    ["a chain that leaves", { a: "b", b: "/etc" }, []],
    ["a way through a link that leaves", { out: "/", a: "out/etc/passwd" }, []],
    ["loops", { a: "a", b: "c", c: "b", "d/e": "../d/e/x" }, []],
    ["dead links", { a: "nowhere", b: "x/y", c: ".git/config" }, []],
    [
      "a tangle",
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`l${n}`, `l${n + 1}`])),
      [],
    ],
  ])("keeps of links those that stay inside: %s", async (_, links, kept) => {
    write({
      "task0/x": "",
      "task0/d/y": "",
      "task0/in/z": "",
      "task0/node_modules/m": "",
      "task0/.git/config": "",
    });
    for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, at(`task0/${name}`));
    const { path: copy, entries, ...task } = await openTask0();
    const made = Object.keys(links).filter((name) =>
      fs.lstatSync(path.join(copy, name), { throwIfNoEntry: false }),
    );
    expect(made).toEqual(kept);
    expect(task.refusal).toBeUndefined();
    for (const name of Object.keys(links)) {
      expect(entries.get(name)).toBe("link");
      expect(readText({ ...task, path: copy, entries }, name)).toBeUndefined();
    }
    for (const name of made) expect(fs.realpathSync(path.join(copy, name))).toMatch(copy);
  });

  it.each<[string, () => void, string]>([
    [
      "a fifo",
      () => execFileSync("mkfifo", [at("task0/pipe")]),
      "pipe is neither a file nor a folder",
    ],
    [
      "a fifo that nobody reads",
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
  ])("bounds what all tasks hold together: %j", (all, refusal) => {
    write({ "task0/x": "1" });
    const copy = path.join(scratch, "task0");
    expect(copyFolder(at("task0"), copy, all)).toMatchObject({ refusal });
    expect(fs.existsSync(path.join(copy, "x"))).toBe(false);
  });

  it.each([
    ["a file", "task0/x", "x cannot be read"],
    ["a folder", "task0/d", "d cannot be read"],
    ["the task", "task0", "its folder cannot be read"],
  ])("refuses what it may not read: %s", async (_, name, refusal) => {
    write({ "task0/x": "", "task0/d/y": "" });
    fs.chmodSync(at(name), 0);
    expect((await asNobody(open)).get("task0")).toMatchObject({ refusal });
    fs.chmodSync(at(name), 0o700);
  });

  it("reads files of another user, whose access times it may not leave alone", async () => {
    write({ "task0/x": "text" });
    const task = (await asNobody(open)).get("task0");
    expect(task?.refusal).toBeUndefined();
    expect(task && readText(task, "x")).toBe("text");
  });

  it("throws if the copy cannot be written: that is not the learner's fault", async () => {
    write({ "task0/x": "" });
    fs.mkdirSync(path.join(scratch, "task0"));
    await expect(open()).rejects.toThrow(/EEXIST/);
  });
});
