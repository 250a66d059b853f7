import { readFileSync } from "node:fs";
import path from "node:path";
import { formatDate } from "../../lib/format";
import { type Html, html, renderMark, renderPage } from "../html";
import { type Task, tasks } from "../repository";
import { tally } from "../score";
import { countMistakes, failingOf, type Member, pointsOf } from "./member";

/** How many mistakes are listed; the filter has all. */
const maxMistakes = 12;

/**
 * @param engine The versions of Docker Engine and Compose.
 * @returns The class as one page, to read, sort and print, which loads no other file.
 */
export function renderClass(members: readonly Member[], engine: string): string {
  const graded = members.filter(({ tasks }) => tasks !== undefined);
  const complete = graded.filter((member) => failingOf(member).length === 0);
  const [latest] = graded.flatMap(({ graded }) => graded ?? []).sort((a, b) => +b - +a);
  const header = html`<h1>Softy Pinko, <strong>the class</strong></h1>
<p>${graded.length} of ${members.length} repositories graded, ${complete.length} without a failing
point</p>
${
  latest &&
  html`<p>Last graded on <time datetime="${latest.toISOString()}">${formatDate(latest)}</time> with
${engine}</p>`
}`;
  const mistakes = countMistakes(members);
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
${renderTable(members)}
</section>`;
  const script = readFileSync(path.join(__dirname, "in-browser.js"), "utf8");
  return renderPage({ title: "Softy Pinko, the class", header, main, script });
}

const columns = { hold: "pass", deviate: "deviation", fail: "fail", skipped: "skipped" } as const;

function renderTable(members: readonly Member[]): Html {
  const graded = new Set(members.flatMap(({ tasks = [] }) => tasks.map(({ task }) => task)));
  const used = tasks.filter((task) => graded.has(task));
  const headings = ["Repository", ...Object.keys(columns), ...used];
  return html`<div class="wide" tabindex="0" role="region" aria-labelledby="repositories">
<table id="class"><thead><tr>${headings.map(
    (heading) => html`<th scope="col"><button type="button">${heading}</button></th>`,
  )}</tr></thead>
<tbody>
${members.map((member) => renderRow(member, used))}</tbody></table></div>`;
}

function renderRow(member: Member, used: readonly Task[]): Html {
  const { name, output, problem, tasks: reports } = member;
  if (reports === undefined) {
    const width = Object.keys(columns).length + used.length;
    return html`<tr data-failing=""><th scope="row">${name}</th>
<td class="problem" data-value="-1" colspan="${width}">${problem}</td></tr>
`;
  }
  const counts = tally(pointsOf(member));
  return html`<tr data-failing="${failingOf(member).join(" ")}"><th scope="row">
<a href="${encodeURIComponent(output)}/report.html">${name}</a></th>
${Object.values(columns).map(
  (verdict) => html`<td data-value="${counts[verdict]}">
<span class="${counts[verdict] === 0 ? "" : verdict}">${counts[verdict]}</span></td>`,
)}
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
