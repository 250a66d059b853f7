import { escapeHtml, formatDate, pageStyle } from "../lib/page";
import { hasCurves } from "./chart-curves";
import { chartStyle } from "./chart-svg";
import { type Drawing, renderBars, renderCurves } from "./charts";
import {
  comparedSamples,
  contender,
  type Figure,
  millis,
  none,
  p99Of,
  plural,
  rateOf,
  ratio,
  shortNames,
  times,
  whole,
} from "./figures";
import type { BenchReport, ContenderReport } from "./report";
import { benchStyle } from "./report-style";
import { markOf, summarize } from "./report-text";
import { describeContender, settingsOf, type Table } from "./table";
import { tablesOf } from "./tables";
import { failures, judgeTargets, type Target } from "./targets";

/**
 * The report as one page that needs no other file and no script, with charts, all tables and the raw
 * figures.
 * @returns HTML. Whatever the report says is text in it, never markup.
 */
export function renderHtml(report: BenchReport): string {
  const { machine, date, settings } = report;
  const targets = judgeTargets(report);
  const tables = tablesOf(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Softy Pinko, side by side</title>
<style>${pageStyle}${benchStyle}${chartStyle}</style>
</head>
<body>
<header class="band">
<div class="wrap">
<h1>Softy Pinko, <strong>side by side</strong></h1>
<p class="repository">production, other proxies, the course's task6 and original, and the limit</p>
<dl>
<div><dt>Measured</dt> <dd><time datetime="${date.toISOString()}">${formatDate(date)}</time></dd></div>
<div><dt>Figures</dt> <dd>${escapeHtml(`${settings.quick ? "quick run, " : ""}${settingsOf(report)}`)}</dd></div>
<div><dt>Machine</dt> <dd>${escapeHtml(machine)}</dd></div>
</dl>
</div>
</header>
<main class="wrap">
${renderHeadline(report)}
${renderFailures(failures(report))}${renderChart("bars", "Two servers, 32 connections", renderBars, report)}
${hasCurves(report) ? renderChart("curves", "More servers, more connections", renderCurves, report) : ""}
${renderTargets(targets)}
${renderContenders(report)}
${tables.filter(isWide).map(renderTable).join("\n")}
<div class="pairs">
${tables
  .filter((table) => !isWide(table))
  .map(renderTable)
  .join("\n")}
</div>
${renderRaw(report)}
</main>
</body>
</html>
`;
}

interface Highlight {
  value: string;
  what: string;
}

/** The main ratios; only those that this run has figures for. */
function highlightsOf(report: BenchReport): Highlight[] {
  const samples = (name: ContenderReport["name"]) => comparedSamples(contender(report, name));
  const rate = (name: ContenderReport["name"]): Figure => rateOf(samples(name));
  const against = (name: ContenderReport["name"]): string =>
    times(ratio(rate("production"), rate(name)));
  const p99 = p99Of(samples("production"));
  return [
    { value: against("original"), what: "the original's requests per second" },
    {
      value: times(ratio(p99, p99Of(samples("original")))),
      what: `the original's p99: ${millis(p99)} against ${millis(p99Of(samples("original")))}`,
    },
    { value: against("haproxy"), what: "HAProxy's requests per second" },
    { value: against("caddy"), what: "Caddy's requests per second" },
    { value: against("limit"), what: "the limit's requests per second" },
  ].filter(({ value }) => value !== none);
}

function renderHeadline(report: BenchReport): string {
  const rate = rateOf(comparedSamples(contender(report, "production")));
  const items = highlightsOf(report).map(
    ({ value, what }) =>
      `<li><strong>${escapeHtml(value)}</strong> <span>${escapeHtml(what)}</span></li>`,
  );
  return `<section class="card headline" aria-labelledby="headline">
<h2 id="headline"><strong>${whole(rate)}</strong> requests per second from production</h2>
<p class="quiet">With two servers and 32 connections. Against the others, on the same machine in the same run:</p>
<ul class="highlights" role="list">
${items.join("\n")}
</ul>
</section>`;
}

function renderFailures(wrong: readonly string[]): string {
  if (wrong.length === 0) return "";
  return `<section class="card failed" aria-labelledby="failed">
<h2 id="failed">${plural(wrong.length, "thing")} went wrong</h2>
<ul>
${wrong.map((one) => `<li>${escapeHtml(one)}</li>`).join("\n")}
</ul>
</section>
`;
}

function renderChart(
  id: string,
  title: string,
  render: (report: BenchReport, drawing: Drawing) => string,
  report: BenchReport,
): string {
  const draw = (name: string, width: number): string =>
    `<div class="${name}">\n${render(report, { id: `${id}-${name}`, width, embedded: true })}</div>`;
  return `<section class="card" aria-labelledby="${id}">
<h2 id="${id}">${escapeHtml(title)}</h2>
<figure>
${draw("wide", 1000)}
${draw("narrow", 320)}
</figure>
</section>`;
}

const spokenMarks = { "✔": "met", "✘": "missed" };

function renderTargets(targets: readonly Target[]): string {
  const rows = targets.map((target) => {
    const { what, wanted, found, met } = target;
    const mark = markOf(target);
    const kind = met === undefined ? "unknown" : met ? "met" : "missed";
    const spoken = mark === "✔" || mark === "✘" ? spokenMarks[mark] : "not measured";
    return `<li class="${kind}"><span class="verdict" aria-hidden="true">${mark}</span><span class="visually-hidden">${spoken}: </span><span class="what">${escapeHtml(what)}</span> <span class="found">${escapeHtml(found === none ? "not measured" : found)}</span> <span class="wanted">${escapeHtml(wanted)}</span></li>`;
  });
  return `<section class="card" aria-labelledby="targets">
<h2 id="targets">Targets: ${summarize(targets)}</h2>
<ul class="targets" role="list">
${rows.join("\n")}
</ul>
</section>`;
}

function renderContenders({ contenders }: BenchReport): string {
  const items = contenders.map(
    (one) =>
      `<div><dt>${escapeHtml(shortNames[one.name])}</dt> <dd>${describeContender(one).map(escapeHtml).join(" ")}</dd></div>`,
  );
  return `<section class="card" aria-labelledby="contenders">
<h2 id="contenders">Who takes part</h2>
<dl class="contenders">
${items.join("\n")}
</dl>
</section>`;
}

/** Whether it needs the whole width of a page. */
const isWide = ({ columns }: Table): boolean => columns.length > 6;

function renderTable(table: Table): string {
  const { id, title, notes } = table;
  return `<section class="card" aria-labelledby="${id}-title">
<h2 id="${id}-title">${escapeHtml(title)}</h2>
${renderRows(table)}
${notes.map((note) => `<p class="note">${escapeHtml(note)}.</p>`).join("\n")}
</section>`;
}

/** In a box of its own that scrolls, which the keyboard can reach. */
function renderRows({ id, columns, rows }: Omit<Table, "title" | "notes">): string {
  const classed = (...classes: (string | false | undefined)[]): string => {
    const names = classes.filter(Boolean).join(" ");
    return names === "" ? "" : ` class="${names}"`;
  };
  const heads = columns.map(({ title, spoken, left }) => {
    const inner =
      spoken === undefined
        ? escapeHtml(title)
        : `<span aria-hidden="true">${escapeHtml(title)}</span><span class="visually-hidden">${escapeHtml(spoken)}</span>`;
    return `<th scope="col"${classed(left && "words")}>${inner}</th>`;
  });
  const body = rows.map((row) => {
    const isSum = row[1]?.text === "together";
    const cells = row.map(({ text, isBad, isRepeated }, at) => {
      const isPart = columns[at]?.title === "" && at > 0;
      const names = classed(
        columns[at]?.left && "words",
        isBad && "bad",
        isRepeated && "repeated",
        isPart && "part",
      );
      const inner = escapeHtml(text);
      return at === 0 && columns[0]?.left
        ? `<th scope="row"${names}>${inner}</th>`
        : `<td${names}>${inner}</td>`;
    });
    const isParted = columns[1]?.title === "service";
    const isOurs = row[0]?.text === shortNames.production && !isParted && id !== "raw";
    return `<tr${classed(isOurs && "ours", isSum && "sum")}>${cells.join("")}</tr>`;
  });
  return `<div class="scroll" role="region" aria-labelledby="${id}-title" tabindex="0">
<table>
<thead><tr>${heads.join("")}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table>
</div>`;
}

/** Every sample and every reading, from which all else was made. */
function renderRaw(report: BenchReport): string {
  const samples = report.contenders.flatMap(({ name, load }) =>
    load.flatMap(({ servers, connections, samples: rounds }) =>
      rounds.map((sample, index) =>
        [
          ...[shortNames[name], whole(servers), whole(connections), whole(index + 1)],
          ...[whole(sample.requests), whole(sample.failed), whole(sample.perSecond)],
          ...[millis(sample.medianMs), millis(sample.p99Ms), millis(sample.worstMs)],
        ].map((text, at) => ({ text, isBad: at === 5 && sample.failed > 0 })),
      ),
    ),
  );
  const titles = [
    ...["", "servers", "connections", "round", "requests", "failed", "requests/s"],
    ...["median", "p99", "worst"],
  ];
  const columns = titles.map((title, at) =>
    at === 0 ? { title, spoken: "contender", left: true } : { title },
  );
  const list = (values: readonly number[]): string =>
    values
      .filter(Number.isFinite)
      .map((value) => String(Number(value.toFixed(3))))
      .join(", ") || none;
  const { builds, page, rotation, soak } = report;
  const others: [what: string, values: readonly number[]][] = [
    ...report.contenders.map(({ name, startSeconds }): [string, readonly number[]] => [
      `${shortNames[name]}: seconds to the first answer`,
      startSeconds,
    ]),
    ["all images, nothing cached: seconds", builds === undefined ? [] : [builds.coldSeconds]],
    ["back-end image after an edit: seconds", builds?.editSeconds ?? []],
    ["production's front page: ms to the largest paint", page?.ours.largestPaintMs ?? []],
    [
      "a page of the original's weight: ms to the largest paint",
      page?.original.largestPaintMs ?? [],
    ],
    ...rotation.map(({ servers, connections, shares }): [string, readonly number[]] => [
      `rotation, ${plural(servers, "server")}, ${plural(connections, "connection")}: shares`,
      shares,
    ]),
    ...(soak?.services ?? []).map(({ service, megabytes }): [string, readonly number[]] => [
      `soak, ${service}: MB`,
      megabytes,
    ]),
  ];
  const items = others.map(
    ([what, values]) =>
      `<div><dt>${escapeHtml(what)}</dt> <dd>${escapeHtml(list(values))}</dd></div>`,
  );
  return `<details class="card">
<summary><h2 id="raw-title">Raw figures</h2></summary>
${renderRows({ id: "raw", columns, rows: samples })}
<dl class="contenders raw">
${items.join("\n")}
</dl>
</details>`;
}
