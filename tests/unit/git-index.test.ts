import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findGitLinks, parseGitLinks } from "../../tools/grader/git-index";
import { argv } from "../../tools/lib/argv";

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
  git(argv`init --quiet`);
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);
const git = (args: readonly string[]) => execFileSync("git", args, { cwd: folder });

/** @returns An index that git has written, with files and git links. */
function index(version: number, files: readonly string[], links: readonly string[]): Buffer {
  const blob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
  const entries = [
    ...files.map((file) => `100644,${blob},${file}`),
    ...links.map((link) => `160000,${"1".repeat(40)},${link}`),
  ].flatMap((entry) => ["--cacheinfo", entry]);
  git(argv`update-index --index-version ${version} --add ${entries}`);
  return fs.readFileSync(at(".git/index"));
}

describe("parseGitLinks", () => {
  it.each([2, 3, 4])("reads version %d, as git writes it", (version) => {
    // Names of every length up to eight end an entry at every distance from a multiple of eight
    const lengths = Array.from({ length: 8 }, (_, length) => `links/${"n".repeat(length + 1)}`);
    const long = `${"folder/".repeat(40)}link`;
    const links = [...lengths, long, "task2/front-end/caf\u00e9", "z"];
    let bytes = index(version, ["a", "task2/Dockerfile", "task2/front-end/conf"], links);
    if (version === 3) {
      // Git writes version 3 only if an entry has extended flags
      fs.writeFileSync(at("intended"), "");
      git(argv`add --intent-to-add intended`);
      bytes = fs.readFileSync(at(".git/index"));
    }
    expect(bytes.readUInt32BE(4)).toBe(version);
    expect(parseGitLinks(bytes).sort()).toEqual([...links].sort());
  });

  it.each([2, 4])("returns nothing if version %d is cut short", (version) => {
    const bytes = index(version, ["a"], ["b/c", "b/cd", "e"]);
    const end = bytes.indexOf("e\0", Math.max(bytes.indexOf("cd\0"), 0)) + 1;
    const parts = Array.from({ length: end }, (_, length) => bytes.subarray(0, length));
    expect(parts.flatMap(parseGitLinks)).toEqual([]);
  });

  it("does not throw on garbage, and takes linear time", () => {
    const values = [0, 0x7f, 0x80, 0xff];
    const bytes = index(4, ["a"], ["b/c", "b/cd", "e"]);
    for (const offset of bytes.keys()) {
      for (const value of values) {
        const broken = Buffer.from(bytes);
        broken[offset] = value;
        parseGitLinks(broken);
      }
    }
    const header = Buffer.from("DIRC\0\0\0\x04\xff\xff\xff\xff", "latin1");
    for (const value of values) {
      const start = performance.now();
      expect(parseGitLinks(Buffer.concat([header, Buffer.alloc(2_000_000, value)]))).toEqual([]);
      expect(performance.now() - start).toBeLessThan(2_000);
    }
  });

  it("ignores an index with very many git links", () => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32BE(0o160000, 24);
    entry.write("a", 62);
    const header = Buffer.from("DIRC\0\0\0\x02\0\0\x10\0", "latin1");
    expect(parseGitLinks(Buffer.concat([header, ...Array(4_096).fill(entry)]))).toEqual([]);
  });
});

describe("findGitLinks", () => {
  it("looks for the index in the parent folders, as git does", () => {
    index(2, [], ["port/task2/site"]);
    fs.mkdirSync(at("port"));
    expect([...findGitLinks(at("port"))]).toEqual([at("port/task2/site")]);
  });

  it.each([
    ["a .git that is a file", ".git", () => fs.writeFileSync(at(".git"), "gitdir: elsewhere\n")],
    ["a .git that is a link", ".git", () => fs.symlinkSync("elsewhere", at(".git"))],
    [
      "an index that is a link",
      ".git/index",
      () => fs.symlinkSync("../elsewhere", at(".git/index")),
    ],
    ["an index that is a fifo", ".git/index", () => execFileSync("mkfifo", [at(".git/index")])],
    ["no index", ".git/index", () => undefined],
    ["no repository", ".git", () => undefined],
  ])("finds none with %s", (_, name, replaceIt) => {
    index(2, [], ["site"]);
    fs.renameSync(at(name), at("elsewhere"));
    replaceIt();
    expect(findGitLinks(folder).size).toBe(0);
  });
});
