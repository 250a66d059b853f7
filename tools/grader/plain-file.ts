import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";

// Waits neither for the other end of a fifo nor for a device, and follows no link
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a file to read it, if it is a regular one, and hands it over. Leaves its access time alone
 * where the system lets us.
 * @param use Gets the file descriptor and what the system says of the file.
 * @returns What `use` returns; undefined if it is another kind of file.
 * @throws {Error} if it is not there, is a link, or cannot be read.
 */
export function withPlainFile<T>(
  file: string,
  use: (descriptor: number, stat: Stats) => T,
): T | undefined {
  const descriptor = open(file);
  try {
    const stat = fstatSync(descriptor);
    return stat.isFile() ? use(descriptor, stat) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function open(file: string): number {
  try {
    return openSync(file, flags | (constants.O_NOATIME ?? 0));
  } catch (error) {
    // Only a file's owner may leave its access time alone
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    return openSync(file, flags);
  }
}

/**
 * Reads a regular file.
 * @returns Its bytes; undefined if it is not there, is anything else, cannot be read or is larger.
 */
export function readPlainFile(file: string, maxBytes: number): Buffer | undefined {
  try {
    return withPlainFile(file, (descriptor, { size }) => {
      if (size > maxBytes) return undefined;
      const bytes = Buffer.alloc(size);
      let end = 0;
      for (let read = -1; read !== 0 && end < size; end += read) {
        read = readSync(descriptor, bytes, end, size - end, null);
      }
      return bytes.subarray(0, end);
    });
  } catch {
    return undefined;
  }
}
