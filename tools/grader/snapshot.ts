import * as fs from "node:fs";
import path from "node:path";
import { isUtf8, listNames, openPlainFile, Refusal, reading } from "./source";

export type Kind = "file" | "folder" | "empty folder" | "link";

/** The contents of a copy. */
export interface Snapshot {
  /** By the path from the folder; without node_modules. */
  entries: ReadonlyMap<string, Kind>;
  /** Why it is incomplete, if it is. */
  refusal: string | undefined;
}

/** How much has been copied. */
export interface Usage {
  entries: number;
  bytes: number;
}

/** Far more than the course needs, and too little to do harm. */
const max = {
  task: { what: "it holds", depth: 24, entries: 20_000, bytes: 200_000_000 },
  /** Left by `npm install`: no check reads it, but a build may copy it. */
  modules: { what: "its node_modules hold", depth: 40, entries: 50_000, bytes: 300_000_000 },
  all: { what: "the tasks together hold", entries: 150_000, bytes: 1_000_000_000 },
};

/**
 * Copies regular files, folders and symbolic links, which it does not follow, without `.git`. It opens
 * no special files and no files above the limits. Later changes of the source do not matter.
 * @param from Is not changed.
 * @param to Must not exist.
 * @param all What has been copied from the same repository; this copy is added.
 * @param skipped Paths from the folder, with what is in them.
 * @throws {Error} if the copy cannot be written.
 */
export function copyFolder(
  from: string,
  to: string,
  all: Usage,
  skipped: ReadonlySet<string> = new Set(),
): Snapshot {
  const copy = new Copy(from, to, all, skipped);
  let refusal: string | undefined;
  try {
    copy.addFolder("", 1, false);
    copy.addLinks();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusal = error.message;
  }
  return { entries: copy.entries, refusal };
}

class Copy {
  readonly entries = new Map<string, Kind>();
  private readonly task: Usage = { entries: 0, bytes: 0 };
  private readonly modules: Usage = { entries: 0, bytes: 0 };
  private readonly links = new Map<string, string>();

  constructor(
    private readonly from: string,
    private readonly to: string,
    private readonly all: Usage,
    private readonly skipped: ReadonlySet<string>,
  ) {}

  /** @returns Whether the folder is empty. */
  addFolder(folder: string, depth: number, isModule: boolean): boolean {
    const limit = isModule ? max.modules : max.task;
    if (depth > limit.depth) {
      throw new Refusal(`its folders are more than ${limit.depth} levels deep`);
    }
    const [source, target] = [path.join(this.from, folder), path.join(this.to, folder)];
    fs.mkdirSync(target, { mode: 0o700 });
    const { mode, names } = reading(folder, () => ({
      mode: fs.lstatSync(source).mode,
      names: listNames(source, limit.entries + 1),
    }));
    for (const name of names) {
      const file = path.posix.join(folder, name);
      if (!this.skipped.has(file)) this.add(file, depth, isModule || name === "node_modules");
    }
    // The copy's owner must be able to remove what is in it
    fs.chmodSync(target, (mode & 0o777) | 0o700);
    return names.length === 0;
  }

  /** Makes the links once all files are copied, so that none is written through a link. */
  addLinks(): void {
    for (const [file, target] of this.links) fs.symlinkSync(target, path.join(this.to, file));
  }

  private add(file: string, depth: number, isModule: boolean): void {
    this.count(isModule, 1, 0);
    const source = path.join(this.from, file);
    const stat = reading(file, () => fs.lstatSync(source));
    let kind: Kind = "file";
    if (stat.isSymbolicLink()) {
      kind = "link";
      const target = reading(file, () => fs.readlinkSync(source, "buffer"));
      if (isUtf8(target)) this.links.set(file, target.toString());
    } else if (stat.isDirectory()) {
      kind = this.addFolder(file, depth + 1, isModule) ? "empty folder" : "folder";
    } else {
      this.addFile(file, stat, isModule);
    }
    if (!isModule) this.entries.set(file, kind);
  }

  private addFile(file: string, stat: fs.Stats, isModule: boolean): void {
    const special = `${file} is neither a file nor a folder`;
    if (!stat.isFile()) throw new Refusal(special);
    const source = reading(file, () => openPlainFile(path.join(this.from, file)));
    // It was replaced since its kind was read
    if (source === undefined) throw new Refusal(special);
    try {
      this.count(isModule, 0, fs.fstatSync(source).size);
      const target = path.join(this.to, file);
      fs.writeFileSync(
        target,
        reading(file, () => fs.readFileSync(source)),
        { flag: "wx" },
      );
      fs.chmodSync(target, (stat.mode & 0o777) | 0o400);
    } finally {
      fs.closeSync(source);
    }
  }

  private count(isModule: boolean, entries: number, bytes: number): void {
    const part = isModule
      ? { usage: this.modules, limit: max.modules }
      : { usage: this.task, limit: max.task };
    for (const { usage, limit } of [part, { usage: this.all, limit: max.all }]) {
      usage.entries += entries;
      usage.bytes += bytes;
      if (usage.entries > limit.entries) {
        throw new Refusal(`${limit.what} more than ${limit.entries} files`);
      }
      if (usage.bytes > limit.bytes) {
        throw new Refusal(`${limit.what} more than ${limit.bytes / 1e6} MB`);
      }
    }
  }
}
