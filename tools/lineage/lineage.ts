import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { listFiles } from "../lib/git";
import { attempt } from "../lib/run";
import { type Descent, ownToEachStep } from "./declared";

/** How one file of a step stands to its predecessor's. Paths are relative to the step's folder. */
export interface FileChange {
  file: string;
  kind: "added" | "changed";
  /** Lines. */
  inserted: number;
  deleted: number;
}

/** Where a step is not what it is declared to be, and what to do about it. */
export interface Departure {
  task: string;
  file: string;
  problem: string;
}

/** The files of a step, from its folder. */
async function filesOf(repository: string, task: string): Promise<string[]> {
  const files = await listFiles(path.join(repository, task));
  return files.filter((file) => file !== ownToEachStep);
}

const read = (file: string): Promise<Buffer | undefined> => readFile(file).catch(() => undefined);

const covers = (declared: string, file: string): boolean =>
  declared.endsWith("/") ? file.startsWith(declared) : file === declared;

const isDeclaredIn = (list: readonly string[], file: string): boolean =>
  list.some((declared) => covers(declared, file));

/**
 * Compares a step with its predecessor, byte for byte.
 * @returns Every file in which the step departs from its declaration; none when it keeps to it.
 */
export async function findDepartures(repository: string, descent: Descent): Promise<Departure[]> {
  const { task, from, movedTo, added, changed } = descent;
  const departures: Departure[] = [];
  const complain = (file: string, problem: string): void => {
    departures.push({ task, file, problem });
  };

  const own = new Set(await filesOf(repository, task));
  const inherited = new Set((await filesOf(repository, from)).map((file) => movedTo + file));

  for (const file of inherited) {
    if (isDeclaredIn(added, file)) complain(file, `is declared as added, but ${from} has it`);
    else if (!own.has(file)) complain(file, `is missing, but ${from} has it`);
    else {
      const same = await isSame(repository, descent, file);
      if (same && isDeclaredIn(changed, file)) complain(file, "is declared as changed, but is not");
      if (!same && !isDeclaredIn(changed, file)) complain(file, `differs from ${from}'s`);
    }
  }
  for (const file of own) {
    if (!inherited.has(file) && !isDeclaredIn(added, file)) complain(file, `is not in ${from}`);
  }
  for (const declared of [...added, ...changed]) {
    if (![...own].some((file) => covers(declared, file))) complain(declared, "does not exist");
  }
  return departures;
}

async function isSame(repository: string, descent: Descent, file: string): Promise<boolean> {
  const [theirs, ours] = await Promise.all([
    readFile(path.join(repository, predecessorOf(descent, file))),
    readFile(path.join(repository, descent.task, file)),
  ]);
  return theirs.equals(ours);
}

/** The predecessor's path of a step's file, from the repository's root. */
function predecessorOf({ from, movedTo }: Descent, file: string): string {
  return path.join(from, file.slice(movedTo.length));
}

/**
 * Measures what a step adds and changes.
 * @returns Its files in declared order, with the lines that git's diff counts.
 */
export async function listChanges(repository: string, descent: Descent): Promise<FileChange[]> {
  const own = await filesOf(repository, descent.task);
  const count = async (kind: FileChange["kind"], file: string): Promise<FileChange> => {
    const before = kind === "added" ? "/dev/null" : predecessorOf(descent, file);
    const after = path.join(descent.task, file);
    const diff = await attempt("git", ["diff", "--no-index", "--numstat", before, after], {
      cwd: repository,
    });
    const [inserted = 0, deleted = 0] = diff.stdout.split("\t").map(Number);
    return { file, kind, inserted, deleted };
  };
  const declared = (list: readonly string[]): string[] =>
    list.flatMap((entry) => own.filter((file) => covers(entry, file)));
  return Promise.all([
    ...declared(descent.added).map((file) => count("added", file)),
    ...declared(descent.changed).map((file) => count("changed", file)),
  ]);
}

/** What carrying a change forward did to one file, from the repository's root. */
export interface Carried {
  file: string;
  how: "copied" | "merged" | "conflict";
}

/**
 * Carries what was edited in a predecessor into its successor. A file that the step inherits is
 * copied; one that it changes is merged, with the last commit as the common ground, and a merge
 * that fails leaves git's conflict marks in it. Nothing is ever deleted.
 * @param repository Its last commit is what "edited" is measured against.
 */
export async function carryForward(repository: string, descent: Descent): Promise<Carried[]> {
  const carried: Carried[] = [];
  for (const inherited of await filesOf(repository, descent.from)) {
    const file = descent.movedTo + inherited;
    const target = path.join(descent.task, file);
    const source = path.join(descent.from, inherited);
    if (isDeclaredIn(descent.changed, file)) {
      const how = await merge(repository, source, target);
      if (how !== undefined) carried.push({ file: target, how });
    } else if (
      !(await read(path.join(repository, target)))?.equals(
        await readFile(path.join(repository, source)),
      )
    ) {
      await mkdir(path.dirname(path.join(repository, target)), { recursive: true });
      await copyFile(path.join(repository, source), path.join(repository, target));
      carried.push({ file: target, how: "copied" });
    }
  }
  return carried;
}

/** @returns What became of the target, or undefined where there was nothing to merge. */
async function merge(
  repository: string,
  source: string,
  target: string,
): Promise<Carried["how"] | undefined> {
  const base = await attempt("git", ["show", `HEAD:${source}`], { cwd: repository });
  const before = (await read(path.join(repository, target)))?.toString();
  if (!base.ok || before === undefined) return undefined;
  if (/^[<>]{7} /m.test(before)) return "conflict";

  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-"));
  const baseFile = path.join(scratch, "base");
  try {
    await writeFile(baseFile, `${base.stdout}\n`);
    const labels = ["-L", target, "-L", `${source} as committed`, "-L", source];
    const merged = await attempt("git", ["merge-file", "-p", ...labels, target, baseFile, source], {
      cwd: repository,
    });
    const after = `${merged.stdout}\n`;
    if (after === before) return undefined;
    // What somebody has resolved by hand would come up again
    if (!merged.ok && (await isEdited(repository, target))) return undefined;
    await writeFile(path.join(repository, target), after);
    return merged.ok ? "merged" : "conflict";
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** Whether a file differs from the last commit's. */
async function isEdited(repository: string, file: string): Promise<boolean> {
  const same = await attempt("git", ["diff", "--quiet", "HEAD", "--", file], { cwd: repository });
  return !same.ok;
}
