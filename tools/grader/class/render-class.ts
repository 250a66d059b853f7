import { readFileSync } from "node:fs";
import path from "node:path";
import { formatDate } from "../../lib/format";
import { type Html, html, renderMark, renderPage } from "../html";
import { type Task, tasks } from "../repository";
import { tally, type verdicts } from "../score";
import { countMistakes, failingOf, pointsOf, type Row } from "./row";

interface ClassReport {
  rows: readonly Row[];
  /** The versions of Docker Engine and Compose. */
  engine: string;
}

/** How many mistakes are listed; the filter has all. */
const maxMistakes = 12;

/** @returns The class as one page, to read, sort and print, which loads no other file. */
export function renderClass({ rows, engine }: ClassReport): string {
  const graded = rows.filter(({ tasks }) => tasks !== undefined);
  const complete = graded.filter((row) => failingOf(row).length === 0);
  const latest = graded.map(({ graded }) => graded ?? new Date(0)).sort((a, b) => +b - +a)[0];
  const header = html`<h1>Softy Pinko, <strong>the class</strong></h1>
<p>${graded.length} of ${rows.length} repositories graded, ${complete.length} without a failing
point</p>
${
  latest &&
  html`<p>Last graded on <time datetime="${latest.toISOString()}">${formatDate(latest)}</time> with
${engine}</p>`
}`;
  const mistakes = countMistakes(rows);
  const main = html`<section class="card" aria-labelledby="mistakes">
<h2 id="mistakes">The most common mistakes</h2>
${
  mistakes.length === 0
    ? html`<p>No repository fails a point.</p>`
    : html`<ol class="mistakes" role="list">${mistakes.slice(0, maxMistakes).map(
        ({ id, title, count }) => html`<li><b>${count}</b>
<span><a href="#class" data-point="${id}">${id}</a>: ${title}</span></li>
`,
      )}</ol>`
}
</section>
<section class="card" aria-labelledby="repositories">
<h2 id="repositories">The repositories</h2>
<p id="controls" hidden><label>Only those that fail <select id="filter">
<option value="">(any or no point)</option>
${mistakes.map(({ id, title, count }) => html`<option value="${id}">${count} × ${id}: ${title}</option>\n`)}</select></label>
<span id="shown" role="status"></span></p>
${renderTable(rows)}
</section>`;
  const script = readFileSync(path.join(__dirname, "in-browser.js"), "utf8");
  return renderPage({ title: "Softy Pinko, the class", header, main, script });
}

function renderTable(rows: readonly Row[]): Html {
  const used = tasks.filter((task) =>
    rows.some((row) => row.tasks?.some((report) => report.task === task)),
  );
  const headings = ["Repository", ...Object.keys(columns), ...used];
  return html`<div class="wide" tabindex="0" role="region" aria-labelledby="repositories">
<table id="class"><thead><tr>${headings.map(
    (heading) => html`<th scope="col"><button type="button">${heading}</button></th>`,
  )}</tr></thead>
<tbody>
${rows.map((row) => renderRow(row, used))}</tbody></table></div>`;
}

const columns = { hold: "pass", deviate: "deviation", fail: "fail", skipped: "skipped" } as const;

function renderRow(row: Row, used: readonly Task[]): Html {
  const { name, output, problem, tasks: reports } = row;
  const width = Object.keys(columns).length + used.length;
  if (reports === undefined) {
    return html`<tr data-failing=""><th scope="row">${name}</th>
<td class="problem" data-value="-1" colspan="${width}">${problem}</td></tr>
`;
  }
  const counts = tally(pointsOf(row));
  return html`<tr data-failing="${failingOf(row).join(" ")}"><th scope="row">
<a href="${encodeURIComponent(output)}/report.html">${name}</a></th>
${Object.values(columns).map((verdict) => renderCount(verdict, counts[verdict]))}
${used.map((task) => {
  const report = reports.find((report) => report.task === task);
  if (report === undefined) return html`<td data-value="-1">–</td>`;
  const { pass, fail, deviation, skipped } = tally(report.points);
  const verdict =
    fail > 0 ? "fail" : skipped > 0 ? "skipped" : deviation > 0 ? "deviation" : "pass";
  return html`<td data-value="${pass}">${renderMark(verdict)}
<span class="${verdict}">${pass}/${report.points.length}</span></td>`;
})}</tr>
`;
}

const renderCount = (verdict: (typeof verdicts)[number], count: number): Html =>
  html`<td data-value="${count}"><span class="${count === 0 ? "" : verdict}">${count}</span></td>`;
