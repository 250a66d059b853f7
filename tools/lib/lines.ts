import type { Readable } from "node:stream";

const maxLength = 64_000;

/** @returns The last line of what a program printed: its error, if it failed. */
export const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

/**
 * Reads a stream of UTF-8 line by line.
 * @param onLine Called with each line as it arrives, without its end. A line above 64 kB arrives in
 *   pieces, so that a program that never ends its line does not fill the memory.
 */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new TextDecoder();
  let line = "";
  const flush = (): void => {
    onLine(line.replace(/\r$/, ""));
    line = "";
  };
  stream.on("data", (chunk: Buffer) => {
    const parts = decoder.decode(chunk, { stream: true }).split(/\r?\n|\r(?!$)/);
    for (const [index, part] of parts.entries()) {
      if (index > 0) flush();
      line += part;
      while (line.length > maxLength) {
        onLine(line.slice(0, maxLength));
        line = line.slice(maxLength);
      }
    }
  });
  stream.on("close", () => line !== "" && flush());
}
