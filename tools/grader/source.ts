import * as fs from "node:fs";
import { printable } from "../lib/printable";

/** Why a folder is not copied completely, in the learner's terms. */
export class Refusal extends Error {
  constructor(message: string) {
    super(printable(message));
  }
}

/** Runs code that only reads from the source: if it fails, the repository is the cause. */
export function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${file || "its folder"} cannot be read`);
  }
}

/** @returns Whether decoding these bytes as UTF-8 loses none. */
export const isUtf8 = (bytes: Buffer): boolean => Buffer.from(bytes.toString()).equals(bytes);

/**
 * Lists a folder without `.git`, sorted by name.
 * @param limit The maximum number of names; the others are not read.
 * @throws {Refusal} if a name is not UTF-8: two such names could look the same.
 */
export function listNames(folder: string, limit: number): string[] {
  const names: string[] = [];
  // latin1 maps every byte to a character; other encodings lose bytes
  const opened = fs.opendirSync(folder, { encoding: "latin1" });
  try {
    for (let entry = opened.readSync(); entry && names.length < limit; entry = opened.readSync()) {
      const name = Buffer.from(entry.name, "latin1");
      if (!isUtf8(name)) throw new Refusal(`it has a file whose name is not UTF-8: ${name}`);
      if (entry.name !== ".git") names.push(name.toString());
    }
  } finally {
    opened.closeSync();
  }
  return names.sort();
}

/**
 * Opens a regular file for reading, without blocking on a fifo or a device.
 * @returns A file descriptor; undefined if it is not a regular file.
 * @throws {Error} if it is missing, a symbolic link, or cannot be read.
 */
export function openPlainFile(file: string): number | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const descriptor = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fs.fstatSync(descriptor).isFile()) return descriptor;
  fs.closeSync(descriptor);
  return undefined;
}
