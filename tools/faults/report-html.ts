import { escapeHtml, formatDate, pageStyle } from "../lib/page";
import type { CaseReport, LabReport } from "./report";
import { columns, notesOf, whole } from "./report-text";
import { findingsOf, renderTimeline, timelineStyle } from "./timeline";

/**
 * The report as one page that needs no other file and no script, with a timeline for each case.
 * @returns HTML. Whatever the report says is text in it, never markup.
 */
export function renderHtml(report: LabReport): string {
  const { stack, machine, date, rounds, connections, cases } = report;
  const sent = cases.reduce((sum, one) => sum + one.sent, 0);
  const lost = cases.reduce((sum, one) => sum + one.lost, 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Softy Pinko, under faults: ${escapeHtml(stack)}</title>
<style>${style}${timelineStyle}</style>
</head>
<body>
<header class="band">
<div class="wrap">
<h1>Softy Pinko, <strong>under faults</strong></h1>
<p class="repository">${escapeHtml(stack)}</p>
<dl>
<div><dt>Tried</dt> <dd><time datetime="${date.toISOString()}">${formatDate(date)}</time></dd></div>
<div><dt>Load</dt> <dd>${plural(connections, "connection")}${rounds === 1 ? "" : `, ${plural(rounds, "round")}`}</dd></div>
<div><dt>Machine</dt> <dd>${escapeHtml(machine)}</dd></div>
</dl>
</div>
</header>
<main class="wrap">
<section class="card total" aria-labelledby="total">
<h2 id="total"><strong class="${lost > 0 ? "bad" : "good"}">${whole(lost)}</strong> of ${whole(sent)} requests lost</h2>
${renderTable(cases)}
</section>
${cases.map((one, index) => renderCase(one, index, report)).join("\n")}
</main>
</body>
</html>
`;
}

const plural = (count: number, what: string): string =>
  `${whole(count)} ${what}${count === 1 ? "" : "s"}`;

/** Of a case that may have several rounds. */
const nameOf = ({ name, round }: CaseReport, cases: readonly CaseReport[]): string =>
  cases.some((one) => one.round > 1) ? `${name}, round ${round}` : name;

const anchorOf = (index: number): string => `case-${index + 1}`;

/** The roles are there because a phone shows the table as something else. */
function renderTable(cases: readonly CaseReport[]): string {
  const heads = columns.map(
    ({ title, left }) =>
      `<th scope="col" role="columnheader"${left ? ' class="words"' : ""}>${title === "" ? '<span class="visually-hidden">verdict</span>' : escapeHtml(title)}</th>`,
  );
  const rows = cases.map((one, index) => {
    const cells = columns.map(({ title, text, isBad, left }, at) => {
      const classes = [...(left ? ["words"] : []), ...(isBad?.(one) ? ["bad"] : [])];
      const classed = classes.length === 0 ? "" : ` class="${classes.join(" ")}"`;
      return at === 0
        ? `<th scope="row" role="rowheader"${classed}><a href="#${anchorOf(index)}">${escapeHtml(nameOf(one, cases))}</a></th>`
        : `<td role="cell" data-title="${escapeHtml(title)}"${classed}>${escapeHtml(text(one))}</td>`;
    });
    return `<tr role="row">${cells.join("")}</tr>`;
  });
  return `<div class="scroll">
<table role="table" aria-labelledby="total">
<thead role="rowgroup"><tr role="row">${heads.join("")}</tr></thead>
<tbody role="rowgroup">
${rows.join("\n")}
</tbody>
</table>
</div>`;
}

function renderCase(one: CaseReport, index: number, report: LabReport): string {
  const id = anchorOf(index);
  const findings = findingsOf(one).map(
    ({ text, isBad }) => `<li${isBad ? ' class="bad"' : ""}>${escapeHtml(text)}</li>`,
  );
  const draw = (name: string, width: number): string =>
    `<div class="${name}">\n${renderTimeline(one, report, { id: `${id}-${name}`, width, embedded: true })}</div>`;
  return `<section class="card case" id="${id}" aria-labelledby="${id}-name">
<h2 id="${id}-name">${escapeHtml(nameOf(one, report.cases))}</h2>
<p class="about">${escapeHtml(one.about)}</p>
<ul class="findings" role="list">
${findings.join("\n")}
</ul>
<figure>
${draw("wide", 1000)}
${draw("narrow", 340)}
</figure>
${renderLost(one)}</section>`;
}

/** What was lost, as far as the report has it. */
function renderLost(one: CaseReport): string {
  const { lost, lostExamples } = one;
  const notes = notesOf(one).map((note) => `<p class="note">${escapeHtml(note)}</p>\n`);
  if (lost === 0) return notes.join("");
  const items = lostExamples.map(
    ({ atS, path, status, reason }) =>
      `<li>at ${atS.toFixed(3)} s: <code>${escapeHtml(path)}</code> ${status === null ? "" : `${status} `}${escapeHtml(reason)}</li>`,
  );
  const more = lost - lostExamples.length;
  return `${notes.join("")}<h3>Lost</h3>
<ul class="lost-examples">
${items.join("\n")}
${more > 0 ? `<li>and ${whole(more)} more</li>` : ""}
</ul>
`;
}

/** The report's own shapes. */
const style = `${pageStyle}
h3 { margin: 1.2rem 0 0.3rem; font-size: 1rem; }

.band dt { white-space: nowrap; }

.total { position: relative; margin-block-start: clamp(-6rem, -7vw, -4rem); }

.total h2 { font-size: clamp(1.2rem, 1rem + 1.2vw, 1.6rem); font-weight: 400; }

.total h2 strong { font-size: 1.7em; }

.good { color: var(--pass); }

.bad { color: var(--fail); font-weight: 700; }

.scroll { margin-block-start: 1rem; overflow-x: auto; }

table { width: 100%; border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }

th, td { padding: 0.35rem 0 0.35rem 1rem; border-block-end: 1px solid var(--edge); text-align: end; vertical-align: baseline; white-space: nowrap; }

:is(th, td):first-child { padding-inline-start: 0; }

tbody tr:last-child > * { border: 0; }

.words { text-align: start; }

td.words { min-width: 12rem; white-space: normal; }

td:last-child { min-width: 6rem; }

tbody th { min-width: 8rem; white-space: normal; overflow-wrap: anywhere; }

thead th { color: var(--muted); font-weight: 400; }

th a { color: var(--violet); font-weight: 600; }

.case { scroll-margin-block-start: 1rem; }

.case h2 { font-size: clamp(1.1rem, 1rem + 0.6vw, 1.35rem); }

.about { color: var(--muted); }

.findings { display: flex; flex-wrap: wrap; gap: 0 1.4rem; margin-block: 0.5rem 0.9rem; }

.note::first-letter { text-transform: uppercase; }

.timeline { display: block; width: 100%; height: auto; overflow-wrap: normal; }

.narrow { display: none; }

.lost-examples { padding-inline-start: 1.2rem; list-style: disc; }

@media screen and (width < 48rem) {
  .wide { display: none; }

  .narrow { display: block; max-width: 30rem; }

  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

  table, tbody { display: block; }

  tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.1rem 1rem; padding-block: 0.7rem; border-block-end: 1px solid var(--edge); }

  tbody tr:last-child { border: 0; }

  th, td, td.words { min-width: 0; padding: 0; border: 0; text-align: start; white-space: normal; }

  tbody th, td.words { grid-column: 1 / -1; }

  td:not([data-title=""])::before { content: attr(data-title) ": "; color: var(--muted); font-weight: 400; }

  td:last-child { grid-row: 2; }
}

@media print {
  @page { size: A4; margin: 14mm; }

  :root { --ground: #fff; --shadow: none; }

  html { font-size: 9pt; }

  body { padding: 0; }

  .wrap { width: 100%; }

  .band { padding: 0 0 4mm; background: none; clip-path: none; color: var(--ink); }

  .total { margin-block-start: 0; }

  .card { margin-block-end: 5mm; padding: 5mm; border-radius: 3mm; break-inside: avoid; }

  .timeline { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
