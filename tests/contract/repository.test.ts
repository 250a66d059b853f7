import path from "node:path";
import { describe, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { root } from "../../tools/lib/course";
import { parseDockerfile } from "../../tools/lib/dockerfile";
import { run } from "../../tools/lib/run";
import { descents } from "../../tools/lineage/declared";
import { findDepartures } from "../../tools/lineage/lineage";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";

const files = await listRepositoryFiles();
const filesNamed = (name: string): string[] =>
  files.filter((file) => path.posix.basename(file) === name);

describe("the files", () => {
  /** Text that ends with one newline and has no carriage return; binary files have zero bytes. */
  const clean = /^[^\r]*[^\r\n]\n$|\0/;
  const generated = /(^|\/)(node_modules|dist|vendor)\/|\.min\.\w+$|\.map$/;

  it("have no carriage return, and one newline at their end", () => {
    expect(files.filter((file) => !clean.test(readRepositoryFile(file)))).toEqual([]);
  });

  it.each(["", "a", "a\n\n", "\n", "a\r\nb\n"])("may not be %j", (text) => {
    expect(text).not.toMatch(clean);
  });

  it("are neither links nor submodules, and nothing is built or vendored", async () => {
    const entries = (await run("git", argv`ls-files --stage`, { cwd: root })).split("\n");
    expect(entries.filter((entry) => !/^100(644|755) /.test(entry))).toEqual([]);
    expect(files.filter((file) => generated.test(file))).toEqual([]);
  });

  it.each(["site/jquery.min.js", "a/node_modules/b/c.js", "dist/api.js"])(
    "may not be named %s",
    (file) => expect(file).toMatch(generated),
  );

  it.each(descents)("of $task are those of $from, with the declared changes", async (descent) => {
    expect(await findDepartures(root, descent)).toEqual([]);
  });
});

interface Lock {
  packages: Record<string, { version?: string; resolved?: string; integrity?: string }>;
}

/** Finds the packages at the top of lock files that are there in more than one version. */
function unequalVersions(locks: readonly Lock[], isShared = (_name: string) => true): string[] {
  const versions = new Map<string, Set<string | undefined>>();
  for (const [folder, { version }] of locks.flatMap(({ packages }) => Object.entries(packages))) {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(folder) ?? [];
    if (name === undefined || !isShared(name)) continue;
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }
  return [...versions].filter(([, { size }]) => size > 1).map(([name]) => name);
}

describe("the packages", () => {
  const locks = new Map(
    filesNamed("package-lock.json").map((file) => [
      file,
      JSON.parse(readRepositoryFile(file)) as Lock,
    ]),
  );

  it.each([...locks])("in %s are locked by checksum, without a registry", (_, { packages }) => {
    const { "": _own, ...others } = packages;
    const problems = Object.entries(others).filter(
      ([, { resolved, integrity }]) => resolved !== undefined || integrity === undefined,
    );
    expect(problems).toEqual([]);
  });

  it("have one version in all steps, and those that ship also in the tests", () => {
    const shipped = ["express", "cors", "morgan", "@redis/client", "typescript", "ts-node"];
    expect(unequalVersions([...locks.values()], (name) => shipped.includes(name))).toEqual([]);
    const steps = [...locks].filter(([file]) => file !== "package-lock.json");
    expect(steps.length).toBeGreaterThan(10);
    expect(unequalVersions(steps.map(([, lock]) => lock))).toEqual([]);
  });

  it("are found if their versions differ", () => {
    const lock = (version: string): Lock => ({
      packages: {
        "node_modules/@a/b": { version },
        "node_modules/c/node_modules/d": { version },
      },
    });
    expect(unequalVersions([lock("1"), lock("2"), lock("1")])).toEqual(["@a/b"]);
    expect(unequalVersions([lock("1"), lock("1")])).toEqual([]);
  });

  // https://docs.docker.com/build/cache/optimize/#order-your-layers
  it.each(filesNamed("Dockerfile").filter((file) => /^(task|prod|visitor)/.test(file)))(
    "are installed by %s from the lock file, before the sources are copied",
    (file) => {
      const stages = parseDockerfile(readRepositoryFile(file));
      const steps = stages.flatMap(({ instructions }) => instructions);
      const commands = steps.map(({ keyword, args }) => `${keyword} ${args.join(" ")}`);
      const npm = commands.findIndex((command) => /^RUN npm/.test(command));
      if (npm === -1) return;
      expect(commands.join("\n")).not.toMatch(/npm (i|install|add)\b/);
      expect(commands.slice(0, npm).filter((command) => command.startsWith("COPY"))).toEqual([
        "COPY package.json package-lock.json ./",
      ]);
    },
  );
});

it("package.json runs each of vitest's projects in one script", () => {
  const { scripts } = JSON.parse(readRepositoryFile("package.json")) as {
    scripts: Record<string, string>;
  };
  const tests = Object.entries(scripts).filter(([name]) => name.startsWith("test"));
  const config = readRepositoryFile("vitest.config.mts");
  const projects = Array.from(config.matchAll(/\bname: "(\w+)"/g), ([, name]) => name);
  // Only plain names: vitest combines several negations with "or"
  const started = tests.flatMap(([, command]) =>
    Array.from(command.matchAll(/--project=(\S+)/g), ([, name]) => name),
  );
  expect(projects).toContain("unit");
  expect(started.sort()).toEqual(projects.sort());
});
