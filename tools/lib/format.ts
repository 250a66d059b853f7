import { stripVTControlCharacters } from "node:util";

/** Escapes text for an element or a quoted attribute, and removes what would hide or reverse text. */
export const escapeHtml = (text: string | number): string =>
  stripVTControlCharacters(String(text))
    .replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu, "\u{fffd}")
    .replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

/** @returns Such as `4 March 2026 at 05:06 UTC`. */
export const formatDate = (moment: Date): string =>
  `${moment.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" })} UTC`;
