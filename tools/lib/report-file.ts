import { writeFile } from "node:fs/promises";
import { UserError } from "./errors";

/**
 * Checks that a report can be written, before the work rather than after it.
 * @throws {UserError} if it cannot.
 */
export async function requireWritable(file: string): Promise<void> {
  await writeReport(file, "", "a");
}

/** @throws {UserError} if the report cannot be written. */
export async function writeReport(file: string, content: string, flag = "w"): Promise<void> {
  await writeFile(file, content, { flag }).catch(({ message }: Error) => {
    throw new UserError(`the report cannot be written (${message}): choose another file.`);
  });
}
