import { escapeHtml, formatDate } from "../lib/format";
import type { TaskReport } from "./messages";
import type { Point, Verdict } from "./point";
import type { Task } from "./repository";
import { countOf, isConsequence, marks, placeOf, scoreOf, tally, verdicts, words } from "./score";

export interface HtmlReport {
  /** The name of the graded folder. */
  repository: string;
  graded: Date;
  /** The versions of Docker Engine and Compose. */
  engine: string;
  tasks: readonly TaskReport[];
  /** The front page of a task in a browser, as PNG, if it was opened. */
  pictures: ReadonlyMap<Task, Buffer>;
}

/** Markup. */
class Html {
  constructor(readonly markup: string) {}
}
type Value = string | number | Html | readonly Html[] | undefined;

/** Inserts values as text, escaped, unless they are {@link Html} themselves. */
function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  const markupOf = (value: Value): string => {
    if (value instanceof Html) return value.markup;
    if (typeof value === "object") return value.map(markupOf).join("");
    return value === undefined ? "" : escapeHtml(value);
  };
  return new Html(String.raw({ raw: strings }, ...values.map(markupOf)));
}

/** @returns The report as one page, to read and to print, without scripts and other files. */
export function renderHtml({ repository, graded, engine, tasks, pictures }: HtmlReport): string {
  const points = tasks.flatMap((task) => task.points);
  const counts = tally(points);
  const seconds = Math.round(tasks.reduce((sum, task) => sum + task.seconds, 0));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Softy Pinko, graded: ${repository}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header class="band">
<h1>Softy Pinko, <strong>graded</strong></h1>
<p>${repository}</p>
<p>Graded on <time datetime="${graded.toISOString()}">${formatDate(graded)}</time>
in ${Math.floor(seconds / 60)} min ${seconds % 60} s with ${engine}</p>
</header>
<main>
<section class="card" aria-labelledby="total">
<h2 id="total">${counts.pass} of ${points.length} points hold</h2>
<div class="bar" aria-hidden="true">${points
    .toSorted((a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict))
    .map(({ verdict }) => html`<i class="${verdict}"></i>`)}</div>
<ul class="legend" role="list">${verdicts.map(
    (verdict) => html`<li>${renderMark(verdict)} <b>${countOf(verdict, counts[verdict])}</b>
${meanings[verdict]}</li>`,
  )}</ul>
<nav aria-label="Tasks"><ol role="list">${tasks.map(
    ({ task, source, points }) => html`<li><a href="#${task}">${headingOf(task, source)}</a>
<span class="score">${renderScore(points)}</span></li>`,
  )}</ol></nav>
</section>
${tasks.map((task) => renderTask(task, pictures.get(task.task)))}
</main>
</body>
</html>
`.markup;
}

const meanings: Partial<Record<Verdict, string>> = {
  deviation: "(work, but differ from the text)",
  skipped: "(could not be judged)",
};

/** Never by color alone: the words follow, for screen readers too. */
const renderMark = (verdict: Verdict): Html =>
  html`<span class="mark ${verdict}" aria-hidden="true">${marks[verdict]}</span>`;

const renderScore = (points: readonly Point[]): Html[] =>
  scoreOf(points).map(({ verdict, text }, index) => {
    return html`${index > 0 ? ", " : ""}<span class="${verdict}">${text}</span>`;
  });

/** @returns Such as `Task 4: Making it Simpler with Docker Compose`. */
const headingOf = (task: Task, source: string): string =>
  `Task ${task.replace("task", "")}: ${source.replace(/^\d+\. /, "")}`;

/** A task is closed if all its points hold: there is nothing to do. */
function renderTask({ task, source, points, seconds }: TaskReport, picture?: Buffer): Html {
  const isComplete = points.every(({ verdict }) => verdict === "pass");
  return html`<section class="card task" id="${task}" aria-labelledby="${task}-name">
<h2 id="${task}-name">${headingOf(task, source)}</h2>
<p class="score">${renderScore(points)} <small>${seconds} s</small></p>
<details${isComplete ? "" : " open"}><summary>All ${points.length} points</summary>
<ul role="list">${points.map(renderPoint)}</ul></details>
${
  picture &&
  html`<figure><img alt="The front page of ${task} in a browser"
  src="data:image/png;base64,${picture.toString("base64")}">
<figcaption>The front page in a browser</figcaption></figure>`
}
</section>
`;
}

function renderPoint(point: Point): Html {
  const { id, title, verdict, cause, hint } = point;
  const place = placeOf(point);
  return html`<li class="point ${verdict}${isConsequence(point) ? " consequence" : ""}" id="${id}">
${renderMark(verdict)}
<div><p class="title"><span class="hidden">${words[verdict]}:</span> ${withCode(title)}</p>
${cause && html`<p class="cause">${withCode(cause)}</p>`}
${hint && html`<p class="hint">→ ${withCode(hint)}</p>`}
${place && html`<p class="place"><code>${place}</code></p>`}</div></li>
`;
}

/** Shows text between backticks as code. */
const withCode = (text: string): Html[] =>
  text
    .split(/`(.+?)`/)
    .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));

const style = `
:root { color-scheme: light dark; --card: light-dark(#fff, #211936);
  --ink: light-dark(#2a2140, #f1ecfb); --muted: light-dark(#635d78, #b4abc9);
  --ground: light-dark(#f8f5ff, #150f22); --edge: light-dark(#e6dff5, #3b3055);
  --link: light-dark(#6f36e8, #bda0ff); }
.pass { --own: light-dark(#17794a, #5ed39b); }
.deviation { --own: light-dark(#8a5a00, #f0b84e); }
.fail { --own: light-dark(#c81457, #ff80ab); }
.skipped { --own: light-dark(#635d78, #b4abc9); }
* { box-sizing: border-box; margin: 0; padding: 0; print-color-adjust: exact; }
body { background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
main, .band > * { width: min(100% - 2rem, 64rem); margin-inline: auto; }
ul, ol { list-style: none; }
h1, h2 { line-height: 1.25; text-wrap: balance; }
code { font: 0.9em ui-monospace, monospace; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; }
.hidden { position: absolute; clip-path: inset(50%); }
.band { padding-block: 2.5rem; background: linear-gradient(105deg, #a32fb3, #7a3bea); color: #fff; }
.band h1 { font-weight: 300; font-size: 2.4rem; }
.card { margin-block: 1.5rem; padding: 1.5rem; border: 1px solid var(--edge); border-radius: 1rem;
  background: var(--card); }
.bar { display: flex; height: 0.6rem; margin-block: 0.4rem; gap: 1px; }
.bar i { flex: 1; background: var(--own); }
.bar .deviation { border-block: 0.15rem solid var(--card); }
.bar .skipped { border-block: 0.25rem solid var(--card); }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 2rem; margin-block: 0.8rem; }
.mark { flex: none; width: 1.4rem; color: var(--own); font-variant-emoji: text; }
nav li { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; }
a { color: var(--link); }
.score, .hint, .place, .consequence, figcaption, small { color: var(--muted); font-size: 0.9rem; }
.score .fail, .score .deviation { color: var(--own); font-weight: 600; }
summary { width: fit-content; color: var(--link); cursor: pointer; }
.point { display: flex; gap: 0.5rem; padding: 0.2rem 0.7rem; border-inline-start: 4px solid #0000; }
.point > div { flex: 1; min-width: 0; }
.point:not(.pass, .consequence) { border-color: var(--own); background: var(--ground);
  margin-block: 0.5rem; .title { font-weight: 600; } }
figure { max-width: 26rem; margin-block-start: 1rem; }
img { display: block; width: 100%; border: 1px solid var(--edge); border-radius: 0.5rem; }
@media print {
  @page { size: A4; margin: 14mm; }
  :root { color-scheme: light; --ground: #fff; }
  html { font-size: 9pt; }
  .band { padding: 0; background: none; color: inherit; }
  main, .band > * { width: 100%; }
  .card { padding: 4mm; break-inside: avoid; }
  .point, figure, nav li { break-inside: avoid; }
  figure { max-width: 60mm; }
  /* On paper every task is open */
  summary { display: none; }
  details::details-content { display: block; content-visibility: visible; height: auto; }
}
`;
