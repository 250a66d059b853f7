import ts from "typescript";

/** @returns What a text file has that a container, a shell or a diff stumbles over. */
export function textProblems(content: Buffer): string[] {
  if (content.length === 0) return ["is empty"];
  if (content.includes(0)) return [];
  const text = content.toString("utf8");
  return [
    ...(text.includes("\r") ? ["has a carriage return"] : []),
    ...(text.endsWith("\n") ? [] : ["does not end with a newline"]),
    ...(/\n\n$/.test(text) ? ["ends with an empty line"] : []),
  ];
}

/**
 * A git link is a folder that stays empty in a clone; a symbolic link leads out of its folder, or
 * is a text file on Windows. https://git-scm.com/docs/git-ls-files
 * @param entry A line of `git ls-files --stage`, such as `100644 HASH 0\ttask0/Dockerfile`.
 */
export function entryProblems(entry: string): string[] {
  const [, mode = "", file = ""] = /^(\d+) \w+ \d\t(.*)$/s.exec(entry) ?? [];
  const foreign = /(^|\/)(node_modules|dist|vendor)\/|\.min\.\w+$|\.map$/;
  return [
    ...(mode === "160000" ? [`${file} is a git link`] : []),
    ...(mode === "120000" ? [`${file} is a symbolic link`] : []),
    ...(foreign.test(file) ? [`${file} is built or vendored`] : []),
  ];
}

/** The part of package-lock.json (version 3) that the rules look at. */
export interface Lock {
  packages: Record<string, { version?: string; resolved?: string; integrity?: string }>;
}

/** A lock file works with any registry: it names versions and checksums, but no address. */
export function lockProblems({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([name, { resolved, integrity }]) => [
    ...(resolved === undefined ? [] : [`${name} is tied to ${resolved}`]),
    ...(name !== "" && integrity === undefined ? [`${name} has no checksum`] : []),
  ]);
}

/**
 * Lock files agree on the packages that more than one of them has at its top.
 * @param locks By file name.
 */
export function versionProblems(
  locks: Record<string, Lock>,
  isShared: (name: string) => boolean,
): string[] {
  const versions = new Map<string, Map<string, string[]>>();
  for (const [file, { packages }] of Object.entries(locks)) {
    for (const [folder, { version = "" }] of Object.entries(packages)) {
      const name = folder.replace(/^node_modules\//, "");
      if (name === "" || name.includes("node_modules/") || !isShared(name)) continue;
      const byVersion = versions.get(name) ?? new Map<string, string[]>();
      versions.set(name, byVersion.set(version, [...(byVersion.get(version) ?? []), file]));
    }
  }
  return Array.from(versions)
    .filter(([, byVersion]) => byVersion.size > 1)
    .map(([name, byVersion]) => {
      const found = Array.from(
        byVersion,
        ([version, files]) => `${version} in ${files.join(", ")}`,
      );
      return `${name} is ${found.join("; ")}`;
    });
}

/**
 * A program imports only what its own package.json declares, and nothing from outside its folder.
 * @param folder Where the file is, with its package.json.
 * @param file From that folder.
 */
export function importProblems(file: string, source: string, dependencies: string[]): string[] {
  const imported = ts
    .preProcessFile(source, true, true)
    .importedFiles.map(({ fileName }) => fileName);
  return imported.flatMap((name) => {
    if (name.startsWith("node:")) return [];
    if (name.startsWith(".")) {
      const depth = file.split("/").length - 1;
      const up = name.split("/").filter((part) => part === "..").length;
      return up > depth ? [`${name} is outside the folder`] : [];
    }
    const [scope = "", part = ""] = name.split("/");
    const dependency = name.startsWith("@") ? `${scope}/${part}` : scope;
    return dependencies.includes(dependency) ? [] : [`${name} is not in package.json`];
  });
}
