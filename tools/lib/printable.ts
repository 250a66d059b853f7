/**
 * Control sequences of a terminal (ECMA-48), in their 7-bit and 8-bit forms, then all other control
 * characters. No part of the expression can match past the next control character, so it takes
 * linear time.
 */
const controls = new RegExp(
  [
    // OSC, DCS, SOS, PM and APC, up to ST or BEL: title, clipboard, hyperlinks, graphics
    String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])\P{Cc}*(?:\x1b\\|\x9c|\x07)`,
    // CSI: colors, cursor movement, erasure
    String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
    // All others that begin with ESC: reset, character sets
    String.raw`\x1b[ -/]*[0-~]`,
    String.raw`[^\P{Cc}\n\t]`,
  ].join("|"),
  "gu",
);

/**
 * Makes a program's output safe to print: it could set the terminal's title, write the clipboard or
 * overwrite other lines.
 * @returns The text without control sequences and control characters, except newlines and tabs.
 */
export const printable = (text: string): string => text.replace(controls, "");

/** @returns A text that is safe to print, on one line. */
export const printableLine = (text: string): string => printable(text).replace(/\s+/g, " ");
