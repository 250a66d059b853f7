import { createHash } from "node:crypto";
import { escapeHtml } from "../lib/format";
import { style } from "./page-style";
import type { Point, Verdict } from "./point";
import { marks, scoreOf } from "./score";

/** Markup. */
export class Html {
  constructor(readonly markup: string) {}
}
type Value = string | number | Html | readonly Html[] | undefined;

/** Inserts values as text, escaped, unless they are {@link Html} themselves. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  const markupOf = (value: Value): string => {
    if (value instanceof Html) return value.markup;
    if (typeof value === "object") return value.map(markupOf).join("");
    return value === undefined ? "" : escapeHtml(value);
  };
  return new Html(String.raw({ raw: strings }, ...values.map(markupOf)));
}

interface Page {
  title: string;
  /** In the band at the top. */
  header: Html;
  main: Html;
  /** A script of the grader's: the page runs no other. */
  script?: string;
}

/** @returns A page that loads no other file, and runs no script but its own. */
export function renderPage({ title, header, main, script }: Page): string {
  const hash = createHash("sha256")
    .update(script ?? "")
    .digest("base64");
  const scripts = script === undefined ? "" : `; script-src 'sha256-${hash}'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; img-src data:${new Html(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header class="band">
${header}
</header>
<main>
${main}
</main>
${script === undefined ? "" : html`<script>${new Html(script)}</script>\n`}</body>
</html>
`.markup;
}

/** Never by color alone: the words follow, for screen readers too. */
export const renderMark = (verdict: Verdict): Html =>
  html`<span class="mark ${verdict}" aria-hidden="true">${marks[verdict]}</span>`;

export const renderScore = (points: readonly Point[]): Html[] =>
  scoreOf(points).map(({ verdict, text }, index) => {
    return html`${index > 0 ? ", " : ""}<span class="${verdict}">${text}</span>`;
  });

/** Shows text between backticks as code. */
export const withCode = (text: string): Html[] =>
  text
    .split(/`(.+?)`/)
    .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
