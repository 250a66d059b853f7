import { lstatSync } from "node:fs";
import path from "node:path";
import { readPlainFile } from "./plain-file";

const max = { indexBytes: 20_000_000, nameBytes: 4_096, links: 1_000 };

/**
 * Finds the git links of the repository that a folder is in. Does not run git, which would obey that
 * repository's configuration.
 * @returns Their paths on this machine; none for a worktree or a submodule, whose `.git` is a file.
 */
export function findGitLinks(folder: string): Set<string> {
  for (let top = folder; ; top = path.dirname(top)) {
    const git = path.join(top, ".git");
    const stat = lstatSync(git, { throwIfNoEntry: false });
    if (stat === undefined && top !== path.dirname(top)) continue;
    const bytes = stat?.isDirectory() && readPlainFile(path.join(git, "index"), max.indexBytes);
    return new Set(bytes ? parseGitLinks(bytes).map((name) => path.join(top, name)) : []);
  }
}

const gitLinkMode = 0o160000;

/**
 * Reads git's index, versions 2 to 4: https://git-scm.com/docs/index-format
 * @returns The paths of the git links in it; none if it is malformed.
 */
export function parseGitLinks(bytes: Buffer): string[] {
  const version = bytes.length < 12 ? 0 : bytes.readUInt32BE(4);
  if (bytes.toString("latin1", 0, 4) !== "DIRC" || version < 2 || version > 4) return [];
  const links: string[] = [];
  // In version 4 each name is what its end adds to the beginning of the name before it
  const name = Buffer.alloc(max.nameBytes);
  let [offset, length] = [12, 0];
  for (let left = bytes.readUInt32BE(8); left > 0; left -= 1) {
    const start = offset;
    // Ten numbers of the file's state, with its mode as the seventh; an object's name; flags
    if (start + 64 > bytes.length) return [];
    const isExtended = (bytes.readUInt16BE(start + 60) & 0x4000) !== 0;
    offset += isExtended ? 64 : 62;
    let kept = 0;
    if (version === 4) {
      const [dropped, next] = readOffset(bytes, offset);
      [kept, offset] = [length - dropped, next];
    }
    const end = bytes.indexOf(0, offset);
    length = kept + end - offset;
    if (kept < 0 || end === -1 || length > max.nameBytes) return [];
    bytes.copy(name, kept, offset, end);
    const isLink = bytes.readUInt32BE(start + 24) === gitLinkMode;
    if (isLink) links.push(name.toString("utf8", 0, length));
    if (links.length > max.links) return [];
    // Before version 4, one to eight zeros fill an entry up to a multiple of eight
    offset = version === 4 ? end + 1 : start + 8 * (Math.floor((end - start) / 8) + 1);
  }
  return links;
}

/** Reads a number as packs have it: seven bits a byte, each byte but the last adding one. */
function readOffset(bytes: Buffer, from: number): [number, number] {
  let [value, offset] = [-1, from];
  for (let byte = 0x80; byte & 0x80 && value < 2 ** 24; offset += 1) {
    byte = bytes[offset] ?? 0;
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return [value, offset];
}
