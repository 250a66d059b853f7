import { escapeHtml } from "./page";

/** As for HTML, without the characters that XML does not have. */
export const escapeXml = (text: string): string =>
  escapeHtml(text.replace(/[\p{Cs}\ufffe\uffff]/gu, "\ufffd").replace(/\s+/g, " "));

/** A coordinate. */
export const px = (value: number): string => String(Math.round(value * 10) / 10);

/** Estimates of a character's width, in parts of the font's size: rather too wide than too narrow. */
const narrow = /[iljtfrI.,:;'|!()[\]/\- ]/;
const broad = /[mwMW@%]/;
const capital = /[A-Z]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const ascii = /[\x00-\x7f]/;

function charWidth(character: string): number {
  if (narrow.test(character)) return 0.43;
  if (broad.test(character)) return 1;
  if (capital.test(character)) return 0.76;
  return ascii.test(character) ? 0.65 : 1.1;
}

/** Estimates the width of a text; nobody knows in which font it will be shown. */
export const textWidth = (text: string, size: number): number =>
  Array.from(text).reduce((sum, character) => sum + charWidth(character), 0) * size;

/** Shortens a text with an ellipsis where it is too wide. */
export function shorten(text: string, width: number, size: number): string {
  if (textWidth(text, size) <= width) return text;
  const characters = Array.from(text);
  while (characters.length > 0 && textWidth(`${characters.join("")}…`, size) > width) {
    characters.pop();
  }
  return `${characters.join("").trimEnd()}…`;
}

/** Breaks a text into lines, within a word where one is too wide by itself. */
export function wrap(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer, size) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = "";
    for (const character of word) {
      if (line !== "" && textWidth(line + character, size) > width) {
        lines.push(line);
        line = "";
      }
      line += character;
    }
  }
  return line === "" ? lines : [...lines, line];
}
