import { writeFile } from "node:fs/promises";
import { UserError } from "./errors";

/**
 * Makes sure that a report can be written: better found out before the work than after it.
 * @throws {UserError} when it cannot.
 */
export async function requireWritable(file: string): Promise<void> {
  await write(file, "", "a");
}

/**
 * Writes a report into a file that a person named.
 * @throws {UserError} when it cannot be written.
 */
export async function writeReport(file: string, content: string): Promise<void> {
  await write(file, content, "w");
}

async function write(file: string, content: string, flag: "a" | "w"): Promise<void> {
  await writeFile(file, content, { flag }).catch(({ message }: Error) => {
    throw new UserError(`the report cannot be written (${message}): choose another file.`);
  });
}
