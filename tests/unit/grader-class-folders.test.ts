import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { digestOf, type Grading } from "../../tools/grader/class/digest";
import { findMembers, outputNames } from "../../tools/grader/class/members";
import { Output, prepareOutput } from "../../tools/grader/class/output";
import type { Task, TaskFolder } from "../../tools/grader/repository";
import { bad } from "../lib/class-rows";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

describe("the names in the output folder", () => {
  it.each([
    ["alice", /^alice$/],
    ["Zoë 李", /^Zoë-李$/],
    ["..", /^repository$/],
    ["-rf", /^rf$/],
    [".hidden", /^hidden$/],
    ["index.html", /^repository-index\.html$/],
    ["CON", /^repository-CON$/],
    ["<img src=x>\n=1", /^img-src-x-1$/],
    ["x".repeat(255), /^x{60}$/],
  ])("are plain for %j", (name, expected) => {
    expect(outputNames([`/class/${name}`])[0]).toMatch(expected);
  });

  it("differ even if case and composition of characters do not matter", () => {
    const folders = ["/1/bob", "/2/bob", "/1/BOB", "/1/e\u0301", "/1/\u00e9", "/1/b?", "/1/b!"];
    const names = outputNames(folders);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(folders.length);
    expect(outputNames(folders)).toEqual(names);
    // A learner who knows another's path could take its name
    const taken = outputNames(["/1/bob", "/2/bob", `/3/${names[0]}`]);
    expect(new Set(taken).size).toBe(3);
  });
});

describe("the repositories of a class", () => {
  it("are subfolders, with links marked, and without files, hidden folders and the output", () => {
    for (const name of ["b", "a\n\u001b[31mx", ".git", "out"]) mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, "notes.txt"), "");
    symlinkSync("b", path.join(folder, "link"));
    symlinkSync("notes.txt", path.join(folder, "link-to-file"));
    const members = findMembers([], folder, path.join(folder, "out"));
    expect(members.map(({ name, problem }) => [name, problem])).toEqual([
      ["a x", undefined],
      ["b", undefined],
      ["link", expect.stringContaining("symbolic link")],
    ]);
  });

  it("are given once, exist, and do not contain the output folder", () => {
    const given = [folder, `${folder}/.`];
    expect(findMembers(given, undefined, "/elsewhere")).toHaveLength(1);
    expect(() => findMembers(given, undefined, `${folder}/out`)).toThrow(
      /choose another with --out/,
    );
    expect(() => findMembers([], folder, "/elsewhere")).toThrow(/has no subfolder/);
    expect(() => findMembers([], `${folder}/none`, "/elsewhere")).toThrow(/cannot be read/);
  });
});

it("the digest changes with any file, name, mode, link and option, and with nothing else", () => {
  const task0 = { task: "task0", path: folder, name: "task0", entries: new Map() } as const;
  const digest = (options: Partial<Grading> = {}, refusal?: string): string => {
    const folders = new Map<Task, TaskFolder>([["task0", { ...task0, refusal }]]);
    const all: Grading = { tasks: ["task0"], buildTimeoutMs: 1, hints: "what", ...options };
    return digestOf({ folders, scratch: folder }, all);
  };
  const seen = [
    digest(),
    digest({ tasks: ["task0", "task1"] }),
    digest({ buildTimeoutMs: 2 }),
    digest({ hints: "none" }),
    digest({}, "too large"),
  ];
  const file = path.join(folder, "a");
  writeFileSync(file, "1");
  seen.push(digest());
  expect(digest()).toBe(seen.at(-1));
  for (const change of [
    () => writeFileSync(file, "2"),
    () => writeFileSync(path.join(folder, "b"), "2", { mode: 0o755 }),
    () => rmSync(file),
    () => symlinkSync("x", file),
    () => mkdirSync(path.join(folder, "c")),
  ]) {
    change();
    seen.push(digest());
  }
  expect(new Set(seen).size).toBe(seen.length);
});

describe("the output folder", () => {
  const member = { folder: "/class/bad", name: "bad", output: "bad" };

  it("returns a result with its digest, unless a file is missing or was damaged", () => {
    const output = new Output(folder, "Docker");
    output.writeMember(bad);
    expect(output.readMember(member)).toEqual({ ...bad, ...member });
    rmSync(path.join(folder, "bad/result.json"));
    expect(output.readMember(member)).toBeUndefined();
    output.writeMember(bad);
    writeFileSync(path.join(folder, "bad/report.json"), "{");
    expect(output.readMember(member)).toBeUndefined();
    output.writeMember(member);
    expect(existsSync(path.join(folder, "bad"))).toBe(false);
  });

  it("never writes through a link", () => {
    const [victim, out] = [path.join(folder, "victim"), path.join(folder, "out")];
    for (const made of [victim, out]) mkdirSync(made);
    writeFileSync(path.join(victim, "kept"), "kept");
    symlinkSync(victim, path.join(out, "bad"));
    for (const file of ["class.csv", "index.html", "index.html.new"]) {
      symlinkSync(path.join(victim, "kept"), path.join(out, file));
    }
    const output = new Output(out, "Docker");
    output.writeMember(bad);
    output.writeClass([bad]);
    expect(readFileSync(path.join(victim, "kept"), "utf8")).toBe("kept");
    expect(readdirSync(victim)).toEqual(["kept"]);
  });

  it("is not one with other files", () => {
    const out = path.join(folder, "new/out");
    prepareOutput(out);
    new Output(out, "Docker").writeClass([]);
    prepareOutput(out);
    writeFileSync(path.join(folder, "thesis.doc"), "");
    expect(() => prepareOutput(folder)).toThrow(/has other files/);
    expect(() => prepareOutput(path.join(folder, "thesis.doc"))).toThrow(/cannot be written/);
  });
});
