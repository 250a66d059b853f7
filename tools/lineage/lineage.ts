import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { argv } from "../lib/argv";
import { listFiles } from "../lib/git";
import { attempt } from "../lib/run";
import type { Descent } from "./declared";

/** A step's file that differs from its predecessor's. Paths are relative to the step's folder. */
export interface FileChange {
  file: string;
  kind: "added" | "changed";
  /** Lines. */
  inserted: number;
  deleted: number;
}

/** @returns The files of a step except its README, which each step writes anew. */
async function filesOf(repository: string, task: string): Promise<string[]> {
  const files = await listFiles(path.join(repository, task));
  return files.filter((file) => file !== "README.md");
}

const read = (file: string): Promise<Buffer | undefined> => readFile(file).catch(() => undefined);

const covers = (declared: string, file: string): boolean =>
  declared.endsWith("/") ? file.startsWith(declared) : file === declared;

const isDeclaredIn = (list: readonly string[], file: string): boolean =>
  list.some((declared) => covers(declared, file));

/**
 * Compares a step with its predecessor, byte for byte.
 * @returns Every undeclared difference: the file in the step's folder, and what is wrong with it.
 */
export async function findDepartures(repository: string, descent: Descent): Promise<string[]> {
  const { task, from, movedTo = "", added, changed } = descent;
  const departures: string[] = [];
  const files = new Set(await filesOf(repository, task));
  const inherited = new Set((await filesOf(repository, from)).map((file) => movedTo + file));
  const departs = (file: string, problem: string) => departures.push(`${file} ${problem}`);

  for (const file of inherited) {
    if (isDeclaredIn(added, file)) departs(file, `is declared as added, but ${from} has it`);
    else if (!files.has(file)) departs(file, `is missing, but ${from} has it`);
    else {
      const before = await readFile(path.join(repository, predecessorOf(descent, file)));
      const isChanged = !before.equals(await readFile(path.join(repository, task, file)));
      const isDeclared = isDeclaredIn(changed, file);
      if (isDeclared && !isChanged) departs(file, "is declared as changed, but is not");
      if (isChanged && !isDeclared) departs(file, `differs from ${from}'s`);
    }
  }
  for (const file of files) {
    if (!inherited.has(file) && !isDeclaredIn(added, file)) departs(file, `is not in ${from}`);
  }
  for (const declared of [...added, ...changed]) {
    if (![...files].some((file) => covers(declared, file))) departs(declared, "does not exist");
  }
  return departures;
}

/** @returns The path of the predecessor's version of a file, relative to the repository. */
function predecessorOf({ from, movedTo = "" }: Descent, file: string): string {
  return path.join(from, file.slice(movedTo.length));
}

/** @returns A step's added and changed files in declared order, with the lines of git's diff. */
export async function listChanges(repository: string, descent: Descent): Promise<FileChange[]> {
  const files = await filesOf(repository, descent.task);
  const measure = async (kind: FileChange["kind"], file: string): Promise<FileChange> => {
    const before = kind === "added" ? "/dev/null" : predecessorOf(descent, file);
    const after = path.join(descent.task, file);
    const diff = argv`diff --no-index --numstat ${before} ${after}`;
    const { stdout } = await attempt("git", diff, { cwd: repository });
    const [inserted = 0, deleted = 0] = stdout.split("\t").map(Number);
    return { file, kind, inserted, deleted };
  };
  return Promise.all(
    (["added", "changed"] as const).flatMap((kind) =>
      descent[kind].flatMap((declared) =>
        files.filter((file) => covers(declared, file)).map((file) => measure(kind, file)),
      ),
    ),
  );
}

/** What {@link carryForward} did to a file. The path is relative to the repository. */
export interface Carried {
  file: string;
  how: "copied" | "merged" | "conflict";
}

/**
 * Carries edits of a predecessor into a step. A file that the step inherits is copied. A file that it
 * changes is merged, with the last commit as the base; a failed merge leaves git's conflict markers.
 * Nothing is deleted.
 */
export async function carryForward(repository: string, descent: Descent): Promise<Carried[]> {
  const { task, from, movedTo = "", changed } = descent;
  const carried: Carried[] = [];
  for (const inherited of await filesOf(repository, from)) {
    const file = path.join(task, movedTo + inherited);
    const source = path.join(from, inherited);
    if (isDeclaredIn(changed, movedTo + inherited)) {
      const how = await merge(repository, source, file);
      if (how !== undefined) carried.push({ file, how });
      continue;
    }
    const target = path.join(repository, file);
    const content = await readFile(path.join(repository, source));
    if ((await read(target))?.equals(content)) continue;
    await cp(path.join(repository, source), target);
    carried.push({ file, how: "copied" });
  }
  return carried;
}

/** @returns What it did to the target; undefined if there was nothing to merge. */
async function merge(
  repository: string,
  source: string,
  target: string,
): Promise<Carried["how"] | undefined> {
  const git = (args: string[]) => attempt("git", args, { cwd: repository });
  const base = await git(["show", `HEAD:${source}`]);
  const before = (await read(path.join(repository, target)))?.toString();
  if (!base.ok || before === undefined) return undefined;
  if (/^[<>]{7} /m.test(before)) return "conflict";

  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-"));
  const baseFile = path.join(scratch, "base");
  try {
    await writeFile(baseFile, `${base.stdout}\n`);
    const labels = argv`-L ${target} -L ${`${source} as committed`} -L ${source}`;
    const merged = await git(argv`merge-file -p ${labels} ${target} ${baseFile} ${source}`);
    const after = `${merged.stdout}\n`;
    if (after === before) return undefined;
    // A conflict that the user has resolved would come back
    const isEdited = !(await git(argv`diff --quiet HEAD -- ${target}`)).ok;
    if (!merged.ok && isEdited) return undefined;
    await writeFile(path.join(repository, target), after);
    return merged.ok ? "merged" : "conflict";
  } finally {
    await rm(scratch, { recursive: true });
  }
}
