import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { run } from "../../tools/lib/run";
import { descents } from "../../tools/lineage/declared";
import { findDepartures } from "../../tools/lineage/lineage";
import { folders, listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import {
  entryProblems,
  importProblems,
  type Lock,
  lockProblems,
  textProblems,
  versionProblems,
} from "./rules/repository";

const readLock = (file: string): Lock => JSON.parse(readRepositoryFile(file)) as Lock;

it("runs each of vitest's projects with one script", () => {
  const { scripts } = JSON.parse(readRepositoryFile("package.json")) as {
    scripts: Record<string, string>;
  };
  const started = Object.entries(scripts)
    .filter(([script]) => /^test\b/.test(script))
    .flatMap(([, command]) => Array.from(command.matchAll(/--project=(\S+)/g), ([, name]) => name));
  const config = readRepositoryFile("vitest.config.mts");
  const projects = Array.from(config.matchAll(/\bname: "(\w+)"/g), ([, name]) => name);
  expect(projects.length).toBeGreaterThan(5);
  // With a negation, vitest would run all that any one of several allows
  expect(started.sort()).toEqual(projects.sort());
});

/** The root's, which the tests use, and those of the steps, which the images use. */
const locks = Object.fromEntries(
  [
    ...[".", "visitor-counter/webapp", ...folders.backEnds],
    ...folders.frontEnds.filter((folder) => !folder.startsWith("task2/")),
  ]
    .map((folder) => path.posix.join(folder, "package-lock.json"))
    .map((file) => [file, readLock(file)]),
);

async function trackedEntries(): Promise<string[]> {
  const staged = await run("git", ["ls-files", "--stage", "-z"], { cwd: root });
  const entries = staged.split("\0").filter((entry) => entry !== "");
  expect(entries).toContainEqual(expect.stringMatching(/\ttask0\/Dockerfile$/));
  return entries;
}

describe("the repository", () => {
  it("has text files that every tool can read", async () => {
    const files = (await trackedEntries()).map((entry) => entry.split("\t")[1] ?? "");
    const problems = files
      .filter((file) => existsSync(path.join(root, file)))
      .flatMap((file) =>
        textProblems(readFileSync(path.join(root, file))).map((problem) => `${file} ${problem}`),
      );
    expect(problems).toEqual([]);
  });

  it("holds neither links nor what others built", async () => {
    expect((await trackedEntries()).flatMap(entryProblems)).toEqual([]);
  });

  it("can be installed from any registry", async () => {
    const files = (await listRepositoryFiles()).filter((file) =>
      file.endsWith("package-lock.json"),
    );
    expect(files).toEqual(expect.arrayContaining(Object.keys(locks)));
    const problems = files.flatMap((file) =>
      lockProblems(readLock(file)).map((problem) => `${file}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it("tests the very versions that the images ship", () => {
    const shipped = ["express", "cors", "morgan", "@redis/client", "typescript", "ts-node"];
    expect(versionProblems(locks, (name) => shipped.includes(name))).toEqual([]);
  });

  it("ships the same packages in every step", () => {
    const { "package-lock.json": _, ...ofSteps } = locks;
    expect(versionProblems(ofSteps, () => true)).toEqual([]);
  });

  it.each(folders.backEnds)("has a program in %s that stands alone", (folder) => {
    const { dependencies } = JSON.parse(readRepositoryFile(folder, "package.json")) as {
      dependencies: Record<string, string>;
    };
    const source = readRepositoryFile(folder, "api.ts");
    expect(importProblems("api.ts", source, Object.keys(dependencies))).toEqual([]);
  });

  it.each(descents)("has in $task a copy of $from with the declared changes", async (descent) => {
    expect(await findDepartures(root, descent)).toEqual([]);
  });
});

describe("a repository fails", () => {
  it.each([
    ["", ["is empty"]],
    ["a", ["does not end with a newline"]],
    ["a\n\n", ["ends with an empty line"]],
    ["\n\n", ["ends with an empty line"]],
    ["a\r\nb\n", ["has a carriage return"]],
    ["a\nb\n", []],
    ["\u0089PNG\r\n\0", []],
  ])("with the file %j", (content, problems) => {
    expect(textProblems(Buffer.from(content))).toEqual(problems);
  });

  it.each([
    ["100644 0a1b 0\ttask0/Dockerfile", []],
    ["160000 0a1b 0\ttask2/front-end/site", ["task2/front-end/site is a git link"]],
    ["120000 0a1b 0\ttask2/api.ts", ["task2/api.ts is a symbolic link"]],
    ["100644 0a1b 0\tsite/jquery.min.js", ["site/jquery.min.js is built or vendored"]],
    ["100644 0a1b 0\ta/node_modules/b/c.js", ["a/node_modules/b/c.js is built or vendored"]],
    ["100644 0a1b 0\tdist/api.js", ["dist/api.js is built or vendored"]],
    ["100644 0a1b 0\ttools/distance.ts", []],
  ])("with the entry %j", (entry, problems) => {
    expect(entryProblems(entry)).toEqual(problems);
  });

  it("with a lock that names a registry or lacks a checksum", () => {
    const packages = {
      "": { version: "1.0.0" },
      "node_modules/a": { version: "1.0.0", integrity: "sha512-x", resolved: "https://r/a.tgz" },
      "node_modules/b": { version: "1.0.0" },
    };
    expect(lockProblems({ packages })).toEqual([
      "node_modules/a is tied to https://r/a.tgz",
      "node_modules/b has no checksum",
    ]);
  });

  it("with locks that disagree", () => {
    const lock = (version: string): Lock => ({
      packages: {
        "node_modules/a": { version },
        "node_modules/x/node_modules/a": { version: "0" },
      },
    });
    const disagreeing = { one: lock("1"), two: lock("2"), three: lock("1") };
    expect(versionProblems(disagreeing, () => true)).toEqual(["a is 1 in one, three; 2 in two"]);
    expect(versionProblems(disagreeing, (name) => name === "b")).toEqual([]);
    expect(versionProblems({ one: lock("1"), two: lock("1") }, () => true)).toEqual([]);
  });

  it.each([
    ['import a from "../tools/lib";', ["../tools/lib is outside the folder"]],
    ['const a = require("../a");', ["../a is outside the folder"]],
    ['import "cors";', ["cors is not in package.json"]],
    ['import type { A } from "@types/cors/a";', ["@types/cors/a is not in package.json"]],
    ['import "./a"; import "node:net"; import "express/lib/a"; import "@a/b/c";', []],
  ])("with the program %s", (source, problems) => {
    expect(importProblems("api.ts", source, ["express", "@a/b"])).toEqual(problems);
  });
});
