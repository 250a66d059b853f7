import { formatDate } from "../lib/format";
import { type Html, html, renderMark, renderPage, renderScore, withCode } from "./html";
import type { TaskReport } from "./messages";
import type { Point, Verdict } from "./point";
import type { Task } from "./repository";
import { countOf, isConsequence, placeOf, tally, verdicts, words } from "./score";

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

/** @returns The report as one page, to read and to print, without scripts and other files. */
export function renderHtml({ repository, graded, engine, tasks, pictures }: HtmlReport): string {
  const points = tasks.flatMap((task) => task.points);
  const counts = tally(points);
  const seconds = Math.round(tasks.reduce((sum, task) => sum + task.seconds, 0));
  const header = html`<h1>Softy Pinko, <strong>graded</strong></h1>
<p>${repository}</p>
<p>Graded on <time datetime="${graded.toISOString()}">${formatDate(graded)}</time>
in ${Math.floor(seconds / 60)} min ${seconds % 60} s with ${engine}</p>`;
  const main = html`<section class="card" aria-labelledby="total">
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
${tasks.map((task) => renderTask(task, pictures.get(task.task)))}`;
  return renderPage({ title: `Softy Pinko, graded: ${repository}`, header, main });
}

const meanings: Partial<Record<Verdict, string>> = {
  deviation: "(work, but differ from the text)",
  skipped: "(could not be judged)",
};

/** @returns Such as `Task 4: Making it Simpler with Docker Compose`. */
const headingOf = (task: Task, source: string): string =>
  `Task ${task.replace("task", "")}: ${source.replace(/^\d+\. /, "")}`;

/** A task is closed if all its points hold: there is nothing to do. */
function renderTask({ task, source, points, seconds }: TaskReport, picture?: Buffer): Html {
  const isComplete = points.every(({ verdict }) => verdict === "pass");
  return html`<section class="card task" id="${task}" aria-labelledby="${task}-name">
<h2 id="${task}-name">${headingOf(task, source)}</h2>
<p class="score">${renderScore(points)} <small>in ${seconds} s</small></p>
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
