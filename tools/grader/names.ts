import { opendirSync } from "node:fs";

/** Why a folder is not copied to its end, in the learner's terms. */
export class Refusal extends Error {}

/**
 * Lists a folder, in the order of its names.
 * @param limit How many at most; the rest is not even read.
 * @throws {Refusal} if a name is not UTF-8: it could not be told apart from others.
 */
export function listNames(folder: string, limit: number): string[] {
  const names: string[] = [];
  // Each byte is a character: no other encoding keeps them all
  const opened = opendirSync(folder, { encoding: "latin1" });
  try {
    for (let entry = opened.readSync(); entry && names.length < limit; entry = opened.readSync()) {
      const name = Buffer.from(entry.name, "latin1");
      if (!isUtf8(name)) {
        throw new Refusal(`it has a file whose name is not UTF-8: ${printable(name.toString())}`);
      }
      if (entry.name !== ".git") names.push(name.toString());
    }
  } finally {
    opened.closeSync();
  }
  return names.sort();
}

/** @returns Whether no byte is lost when these are read as UTF-8. */
export const isUtf8 = (bytes: Buffer): boolean => Buffer.from(bytes.toString()).equals(bytes);

/** A file's name for a person: without what would command a terminal, and not without end. */
export const printable = (name: string): string =>
  name.replace(/\p{Cc}/gu, "\u{fffd}").slice(0, 200);
