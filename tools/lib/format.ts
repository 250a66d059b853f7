import { stripVTControlCharacters } from "node:util";

/** Removes a terminal's control sequences, and replaces characters that would hide or reverse text. */
export const visible = (text: string): string =>
  stripVTControlCharacters(text).replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu, "\u{fffd}");

/** Escapes text for an element or a quoted attribute, and makes it {@link visible}. */
export const escapeHtml = (text: string | number): string =>
  visible(String(text)).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

/** @returns Such as `4 March 2026 at 05:06 UTC`. */
export const formatDate = (moment: Date): string =>
  `${moment.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" })} UTC`;

/** @returns A number with thousands separators; `-` if it was not measured. */
export function decimal(value: number | undefined, digits: number): string {
  if (value === undefined || !Number.isFinite(value)) return "-";
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString("en-US", options);
}

export const whole = (value: number | undefined): string => decimal(value, 0);

/** Pads the cells of each column to the same width: words on the left, figures on the right. */
export function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `  ${cells.join("  ")}`;
  });
}
