import { stripVTControlCharacters } from "node:util";

/** Escapes text for an element or a quoted attribute, and removes what would hide or reverse text. */
export const escapeHtml = (text: string | number): string =>
  stripVTControlCharacters(String(text))
    .replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu, "\u{fffd}")
    .replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

/** @returns Such as `4 March 2026 at 05:06 UTC`. */
export const formatDate = (moment: Date): string =>
  `${moment.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" })} UTC`;

/** The site's own colors and shapes, for every page that a tool writes. */
export const pageStyle = `
:root {
  --ink: #2a2140;
  --muted: #635d78;
  --ground: #f8f5ff;
  --card: #fff;
  --edge: #e6dff5;
  --pink: #d91a60;
  --violet: #6f36e8;
  --gradient: linear-gradient(105deg, #b83cc8, #9341ea 50%, #8248f5);
  --pass: #17794a;
  --deviation: #8a5a00;
  --fail: #c81457;
  --skipped: #635d78;
  --on-mark: #fff;
  --fail-tint: #fff0f5;
  --deviation-tint: #fff8e8;
  --shadow: 0 0.75rem 2.5rem rgb(72 30 140 / 0.1);
  --mono: ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  color-scheme: light;
}

@media screen and (prefers-color-scheme: dark) {
  :root {
    --ink: #f1ecfb;
    --muted: #b4abc9;
    --ground: #150f22;
    --card: #211936;
    --edge: #3b3055;
    --pink: #ff7aa8;
    --violet: #bda0ff;
    --pass: #5ed39b;
    --deviation: #f0b84e;
    --fail: #ff80ab;
    --skipped: #b4abc9;
    --on-mark: #211936;
    --fail-tint: #3b1a38;
    --deviation-tint: #352a2c;
    --shadow: none;
    color-scheme: dark;
  }
}

*, ::before, ::after { box-sizing: border-box; }

html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }

body {
  margin: 0;
  padding-block-end: 4rem;
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.55 "Avenir Next", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}

h1, h2, p, dl, dd, figure { margin: 0; }

ul, ol { margin: 0; padding: 0; list-style: none; }

h1, h2 { line-height: 1.25; text-wrap: balance; }

p { text-wrap: pretty; }

code { font-family: var(--mono); font-size: 0.9em; }

:focus-visible { outline: 3px solid var(--violet); outline-offset: 3px; border-radius: 0.35rem; }

.wrap { width: min(100% - 2 * clamp(0.75rem, 4vw, 2.5rem), 68rem); margin-inline: auto; }

.visually-hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.band {
  padding-block: clamp(2rem, 6vw, 4rem) clamp(6rem, 11vw, 8.5rem);
  background: var(--gradient);
  clip-path: polygon(0 0, 100% 0, 100% 100%, 0 calc(100% - clamp(1rem, 4vw, 3.5rem)));
  color: #fff;
}

.band h1 { font-size: clamp(1.8rem, 1.2rem + 2.8vw, 3.2rem); font-weight: 300; }

.band strong { font-weight: 700; }

.repository { margin-block: 0.4rem 1.1rem; font-size: clamp(1rem, 0.9rem + 0.5vw, 1.3rem); }

.band dl { display: flex; flex-wrap: wrap; gap: 0.2rem 2rem; font-size: 0.9rem; }

.band dl div { display: flex; gap: 0.5rem; }

.band dt { font-weight: 600; }

.card {
  margin-block-end: 1.5rem;
  padding: clamp(1.1rem, 3.5vw, 2rem);
  border: 1px solid var(--edge);
  border-radius: 1.25rem;
  background: var(--card);
  box-shadow: var(--shadow);
}
`;
