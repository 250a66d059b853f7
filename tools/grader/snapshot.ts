import * as fs from "node:fs";
import path from "node:path";
import { staysInside } from "./links";
import { isUtf8, listNames, printable, Refusal } from "./names";
import { withPlainFile } from "./plain-file";

/** What stands at a path. A git link is the place of another repository that was not fetched. */
export type Kind = "file" | "folder" | "empty folder" | "git link" | "link";

/** What a copy consists of. */
export interface Snapshot {
  /** All of it but node_modules, and links that are not copied, by the path from the folder. */
  entries: ReadonlyMap<string, Kind>;
  /** Of its files, without node_modules. */
  bytes: number;
  /** Why it is not complete, if so. */
  refusal: string | undefined;
}

/** How much has been copied. */
export interface Usage {
  entries: number;
  bytes: number;
}

/** Far more than the course asks for, far less than does harm. */
const max = {
  task: { what: "it holds", depth: 24, entries: 20_000, bytes: 200_000_000 },
  /** What `npm install` has left: nobody reads it, but a build may take it. */
  modules: { what: "its node_modules hold", depth: 40, entries: 50_000, bytes: 300_000_000 },
  all: { what: "the tasks together hold", entries: 150_000, bytes: 1_000_000_000 },
};

/**
 * Copies the plain files of a folder: regular files, folders, and symbolic links that stay inside.
 * The copy shares nothing with its source, so what becomes of that later does not matter. Leaves out
 * `.git`. Opens no special file, and no file that does not fit.
 * @param from Is not changed.
 * @param to Does not exist yet.
 * @param gitLinks Paths of folders that are git links if they are empty.
 * @param all What has been copied of the same repository; what is copied here is added.
 * @throws {Error} if the copy cannot be written.
 */
export function copyFolder(
  from: string,
  to: string,
  gitLinks: ReadonlySet<string>,
  all: Usage,
): Snapshot {
  const copy = new Copy(from, to, gitLinks, all);
  let refusal: string | undefined;
  try {
    copy.addFolder("", 1, false);
    copy.addLinks();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusal = error.message;
  }
  return { entries: copy.entries, bytes: copy.task.bytes, refusal };
}

class Copy {
  readonly entries = new Map<string, Kind>();
  readonly task: Usage = { entries: 0, bytes: 0 };
  private readonly modules: Usage = { entries: 0, bytes: 0 };
  /** Whether each path is a folder, with node_modules. */
  private readonly copied = new Map<string, boolean>();
  private readonly links = new Map<string, string>();

  constructor(
    private readonly from: string,
    private readonly to: string,
    private readonly gitLinks: ReadonlySet<string>,
    private readonly all: Usage,
  ) {}

  /** @returns Whether the folder is empty. */
  addFolder(folder: string, depth: number, isModule: boolean): boolean {
    const bound = isModule ? max.modules : max.task;
    if (depth > bound.depth) {
      throw new Refusal(`its folders are more than ${bound.depth} levels deep`);
    }
    const [source, target] = [path.join(this.from, folder), path.join(this.to, folder)];
    fs.mkdirSync(target, { mode: 0o700 });
    const { mode, names } = reading(folder, () => ({
      mode: fs.lstatSync(source).mode,
      names: listNames(source, bound.entries + 1),
    }));
    for (const name of names) {
      const file = path.posix.join(folder, name);
      const isAside = isModule || name === "node_modules";
      this.count(isAside, 1, 0);
      const stat = reading(file, () => fs.lstatSync(path.join(this.from, file)));
      const kind = stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "file";
      if (!isAside) this.entries.set(file, kind);
      if (kind === "link") this.readLink(file);
      else this.copied.set(file, kind === "folder");
      if (kind === "file") this.addFile(file, stat, isAside);
      if (kind === "folder" && this.addFolder(file, depth + 1, isAside) && !isAside) {
        const isGitLink = this.gitLinks.has(path.join(this.from, file));
        this.entries.set(file, isGitLink ? "git link" : "empty folder");
      }
    }
    // The copy's owner must be able to remove what is in it
    fs.chmodSync(target, (mode & 0o777) | 0o700);
    return names.length === 0;
  }

  /** Makes the symbolic links whose targets have been copied. */
  addLinks(): void {
    for (const [file, target] of this.links) {
      if (staysInside(file, this.links, this.copied)) {
        fs.symlinkSync(target, path.join(this.to, file));
      }
    }
  }

  private readLink(file: string): void {
    const target = reading(file, () => fs.readlinkSync(path.join(this.from, file), "buffer"));
    if (isUtf8(target)) this.links.set(file, target.toString());
  }

  private addFile(file: string, stat: fs.Stats, isModule: boolean): void {
    const special = `${printable(file)} is neither a file nor a folder`;
    if (!stat.isFile()) throw new Refusal(special);
    this.count(isModule, 0, stat.size);
    const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
    const out = fs.openSync(path.join(this.to, file), O_WRONLY | O_CREAT | O_EXCL, 0o600);
    try {
      const size = reading(file, () =>
        withPlainFile(path.join(this.from, file), (descriptor) => {
          return copyBytes(descriptor, out, stat.size);
        }),
      );
      if (size === undefined) throw new Refusal(special);
      if (size > stat.size) throw new Refusal(`${printable(file)} grows while it is read`);
      fs.fchmodSync(out, (stat.mode & 0o777) | 0o400);
    } finally {
      fs.closeSync(out);
    }
  }

  private count(isModule: boolean, entries: number, bytes: number): void {
    const own = isModule
      ? ([this.modules, max.modules] as const)
      : ([this.task, max.task] as const);
    for (const [usage, bound] of [own, [this.all, max.all] as const]) {
      usage.entries += entries;
      usage.bytes += bytes;
      if (usage.entries > bound.entries) {
        throw new Refusal(`${bound.what} more than ${bound.entries} files`);
      }
      if (usage.bytes > bound.bytes) {
        throw new Refusal(`${bound.what} more than ${bound.bytes / 1e6} MB`);
      }
    }
  }
}

/** Runs what reads from the source: if that fails, it is the repository's fault. */
function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException;
    if (error instanceof Refusal || syscall === "write") throw error;
    throw new Refusal(`${printable(file) || "its folder"} cannot be read`);
  }
}

/**
 * Copies an open file, even if it says that it is empty.
 * @param size How much of it there should be.
 * @returns How much was copied: the first byte beyond `size` ends it.
 */
function copyBytes(from: number, to: number, size: number): number {
  const chunk = Buffer.allocUnsafe(Math.min(size + 1, 1_000_000));
  let copied = 0;
  while (copied <= size) {
    const length = fs.readSync(from, chunk, 0, chunk.length, null);
    if (length === 0) break;
    for (let done = 0; done < length; ) done += fs.writeSync(to, chunk, done, length - done);
    copied += length;
  }
  return copied;
}
