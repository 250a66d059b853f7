import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findGitLinks, parseGitLinks } from "../../tools/grader/git-index";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
  git("init", "--quiet");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (...args: string[]) => execFileSync("git", args, { cwd: folder });

/** Has git write an index with files and git links. */
function index(version: number, files: readonly string[], links: readonly string[]): Buffer {
  for (const file of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), "");
    git("add", file);
  }
  for (const link of links) {
    git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},${link}`);
  }
  git("update-index", "--index-version", String(version));
  return readFileSync(path.join(folder, ".git/index"));
}

describe("parseGitLinks", () => {
  // Names of every length up to eight end an entry at every distance from a multiple of eight
  const lengths = Array.from({ length: 8 }, (_, length) => `links/${"n".repeat(length + 1)}`);
  const long = `${"folder/".repeat(40)}link`;
  const links = [...lengths, long, "task2/front-end/caf\u00e9", "z"];

  it.each([2, 3, 4])("reads version %d, as git writes it", (version) => {
    const files = ["a", "task2/Dockerfile", "task2/front-end/conf"];
    const bytes = index(version, files, links);
    if (version === 3) {
      // Git writes version 3 only if an entry has extended flags
      writeFileSync(path.join(folder, "intended"), "");
      git("add", "--intent-to-add", "intended");
      const extended = readFileSync(path.join(folder, ".git/index"));
      expect(extended.readUInt32BE(4)).toBe(3);
      expect(parseGitLinks(extended).sort()).toEqual([...links].sort());
    }
    expect(parseGitLinks(bytes).sort()).toEqual([...links].sort());
  });

  it.each([2, 4])("finds nothing in a version %d that is cut short, anywhere", (version) => {
    const bytes = index(version, ["a"], ["b/c", "b/cd", "e"]);
    const end = bytes.indexOf("e\0", bytes.indexOf("cd\0") === -1 ? 0 : bytes.indexOf("cd\0")) + 2;
    for (let length = 0; length < bytes.length; length += 1) {
      const found = parseGitLinks(bytes.subarray(0, length));
      if (length < end - 1) expect(found).toEqual([]);
    }
  });

  it("never throws on garbage, and takes linear time", () => {
    const bytes = index(4, ["a"], ["b/c", "b/cd", "e"]);
    for (let offset = 0; offset < bytes.length; offset += 1) {
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const broken = Buffer.from(bytes);
        broken[offset] = value;
        expect(() => parseGitLinks(broken)).not.toThrow();
      }
    }
    const header = Buffer.from("DIRC\0\0\0\x04\xff\xff\xff\xff", "latin1");
    for (const byte of [0, 0x7f, 0x80, 0xff]) {
      const begun = performance.now();
      expect(parseGitLinks(Buffer.concat([header, Buffer.alloc(20_000_000, byte)]))).toEqual([]);
      expect(performance.now() - begun).toBeLessThan(2_000);
    }
  });

  it("takes no index with very many git links for one", () => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32BE(0o160000, 24);
    entry.write("a", 62);
    const header = Buffer.from("DIRC\0\0\0\x02\0\0\x10\0", "latin1");
    expect(parseGitLinks(Buffer.concat([header, ...Array(4_096).fill(entry)]))).toEqual([]);
  });
});

describe("findGitLinks", () => {
  it("looks for the index upward, as git does", () => {
    index(2, [], ["port/task2/site"]);
    mkdirSync(path.join(folder, "port"));
    expect([...findGitLinks(path.join(folder, "port"))]).toEqual([
      path.join(folder, "port/task2/site"),
    ]);
  });

  it.each([
    [
      "a .git that is a file",
      () => {
        renameSync(path.join(folder, ".git"), path.join(folder, "elsewhere"));
        writeFileSync(path.join(folder, ".git"), "gitdir: elsewhere\n");
      },
    ],
    [
      "a .git that is a link",
      () => {
        renameSync(path.join(folder, ".git"), path.join(folder, "elsewhere"));
        symlinkSync("elsewhere", path.join(folder, ".git"));
      },
    ],
    [
      "an index that is a link",
      () => {
        renameSync(path.join(folder, ".git/index"), path.join(folder, "elsewhere"));
        symlinkSync("../elsewhere", path.join(folder, ".git/index"));
      },
    ],
    [
      "an index that is a fifo",
      () => {
        rmSync(path.join(folder, ".git/index"));
        execFileSync("mkfifo", [path.join(folder, ".git/index")]);
      },
    ],
    ["no index", () => rmSync(path.join(folder, ".git/index"))],
    ["no repository", () => rmSync(path.join(folder, ".git"), { recursive: true })],
  ])("finds none with %s", (_, change) => {
    index(2, [], ["site"]);
    change();
    expect(findGitLinks(folder).size).toBe(0);
  });
});
