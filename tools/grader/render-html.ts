import { escapeHtml, formatDate, pageStyle } from "../lib/page";
import type { TaskReport } from "./messages";
import type { Point, Verdict } from "./point";
import { tally } from "./render-text";
import type { Task } from "./repository";

export interface HtmlReport {
  /** What was graded, as its reader knows it. */
  repository: string;
  /** When. */
  graded: Date;
  /** The Docker engine that it was graded with, in words. */
  engine: string;
  tasks: readonly TaskReport[];
  /** The front page of a task in a browser, as PNG, where one was seen. */
  pictures: ReadonlyMap<Task, Buffer>;
}

/** A verdict in sight and in words, worst last: never by colour alone. */
const looks: Record<Verdict, { mark: string; word: string; means: string }> = {
  pass: { mark: "✔", word: "holds", means: "holds" },
  deviation: { mark: "≈", word: "deviates", means: "works, but differs from the text" },
  fail: { mark: "✘", word: "fails", means: "does not hold" },
  skipped: { mark: "–", word: "skipped", means: "could not be judged" },
};
const verdicts = Object.keys(looks) as Verdict[];

/**
 * The report as one page that needs no other file and no script, to read and to print.
 * @returns HTML. Whatever the report says is text in it, never markup.
 */
export function renderHtml({ repository, graded, engine, tasks, pictures }: HtmlReport): string {
  const all = tasks.flatMap(({ points }) => points);
  const seconds = Math.round(tasks.reduce((sum, task) => sum + task.seconds, 0));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Softy Pinko, graded: ${escapeHtml(repository)}</title>
<style>${style}</style>
</head>
<body>
<header class="band">
<div class="wrap">
<h1>Softy Pinko, <strong>graded</strong></h1>
<p class="repository">${escapeHtml(repository)}</p>
<dl>
<div><dt>Graded</dt> <dd><time datetime="${graded.toISOString()}">${formatDate(graded)}</time></dd></div>
<div><dt>Engine</dt> <dd>${escapeHtml(engine)}</dd></div>
<div><dt>Took</dt> <dd>${duration(seconds)}</dd></div>
</dl>
</div>
</header>
<main class="wrap">
<section class="card total" aria-labelledby="total">
<h2 id="total"><strong>${tally(all).pass}</strong> of ${all.length} points hold</h2>
${renderBar(all)}
<ul class="legend" role="list">
${verdicts.map((verdict) => renderLegend(verdict, tally(all)[verdict])).join("\n")}
</ul>
<nav aria-label="Tasks">
<ol role="list">
${tasks.map(renderLink).join("\n")}
</ol>
</nav>
</section>
${tasks.map((task) => renderTask(task, pictures.get(task.task))).join("\n")}
</main>
</body>
</html>
`;
}

/** As {@link escapeHtml}, with what stands between backticks as code. */
const prose = (text: string): string =>
  escapeHtml(text).replace(/&#96;(.+?)&#96;/g, "<code>$1</code>");

const duration = (seconds: number): string =>
  seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

const hidden = (text: string): string => `<span class="visually-hidden">${text}</span>`;

const mark = (verdict: Verdict): string =>
  `<span class="mark ${verdict}" aria-hidden="true">${looks[verdict].mark}</span>`;

/** @returns `1 fails`, `2 fail`, `1 skipped`. */
function inWords(verdict: Verdict, count: number): string {
  const { word } = looks[verdict];
  return `${count} ${verdict === "skipped" || count === 1 ? word : word.replace(/s$/, "")}`;
}

/** How many points have which verdict, at a glance; the words beside it say the same. */
function renderBar(points: readonly Point[]): string {
  const counts = tally(points);
  const parts = verdicts
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `<span class="${verdict}" style="flex-grow: ${counts[verdict]}"></span>`);
  return `<div class="bar" aria-hidden="true">${parts.join("")}</div>`;
}

function renderLegend(verdict: Verdict, count: number): string {
  const { means } = looks[verdict];
  const meaning = verdict === "pass" ? "" : `<small>${means}</small>`;
  return `<li${count === 0 ? ' class="none"' : ""}>${mark(verdict)}<span>${inWords(verdict, count)} ${meaning}</span></li>`;
}

const renderLink = ({ task, source, points }: TaskReport): string => `<li>
<a href="#${escapeHtml(task)}"><span class="number" aria-hidden="true">${numberOf(task)}</span>
<span class="name">${hidden(`Task ${numberOf(task)}:`)} ${nameOf(source)}</span>
${renderBar(points)}
<span class="score">${renderScore(points)}</span></a>
</li>`;

/** Such as `12 of 14 hold, 1 fails, 1 skipped`. */
function renderScore(points: readonly Point[]): string {
  const counts = tally(points);
  const others = (["fail", "deviation", "skipped"] as const)
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `<span class="${verdict}">${inWords(verdict, counts[verdict])}</span>`);
  return [`${counts.pass} of ${points.length} hold`, ...others].join(", ");
}

const numberOf = (task: Task): string => escapeHtml(task.replace("task", ""));

/** @returns A section's name without its number. */
const nameOf = (source: string): string => escapeHtml(source.replace(/^\d+\. /, ""));

/** A task, closed where all of it holds: there is nothing to do. */
function renderTask(
  { task, source, points, seconds }: TaskReport,
  picture: Buffer | undefined,
): string {
  const id = escapeHtml(task);
  const isWhole = points.every(({ verdict }) => verdict === "pass");
  return `<section class="card task" id="${id}" aria-labelledby="${id}-name">
<header>
<span class="number" aria-hidden="true">${numberOf(task)}</span>
<h2 id="${id}-name">${hidden(`Task ${numberOf(task)}:`)} ${nameOf(source)}</h2>
<p class="score">${renderScore(points)} <span class="seconds">${escapeHtml(seconds)} s</span></p>
</header>
<div class="body">
<details${isWhole ? "" : " open"}>
<summary>${points.length === 1 ? "1 point" : `${points.length} points`}</summary>
<ul class="points" role="list">
${points.map(renderPoint).join("\n")}
</ul>
</details>
${picture === undefined ? "" : renderPicture(task, picture)}
</div>
</section>`;
}

function renderPoint({ id, title, verdict, cause, hint, file, line }: Point): string {
  const isConsequence = verdict === "skipped" && cause?.startsWith("needs: ") === true;
  const place = file === undefined ? "" : `${file}${line === undefined ? "" : `:${line}`}`;
  const finding = [
    cause === undefined ? "" : `<p class="cause">${prose(cause)}</p>`,
    hint === undefined ? "" : `<p class="hint">${prose(hint)}</p>`,
    place === "" ? "" : `<p class="place"><code>${escapeHtml(place)}</code></p>`,
  ].filter(Boolean);
  return `<li class="point ${verdict}${isConsequence ? " consequence" : ""}" id="${escapeHtml(id)}">
${mark(verdict)}
<div>
<p class="title">${hidden(`${looks[verdict].word}:`)} ${prose(title)}</p>
${finding.join("\n")}
</div>
</li>`;
}

const renderPicture = (task: Task, picture: Buffer): string => `<figure>
<img src="data:image/png;base64,${picture.toString("base64")}" alt="The front page of ${escapeHtml(task)} in a browser">
<figcaption>The front page, in a browser</figcaption>
</figure>`;

/** The report's own shapes. */
const style = `${pageStyle}
.total { position: relative; margin-block-start: clamp(-6rem, -7vw, -4rem); }

.total h2 { font-size: clamp(1.2rem, 1rem + 1.2vw, 1.6rem); font-weight: 400; }

.total h2 strong { color: var(--pink); font-size: 1.7em; }

.bar { display: flex; gap: 2px; height: 0.4rem; overflow: hidden; border-radius: 1rem; background: var(--edge); }

.total > .bar { height: 0.9rem; margin-block: 0.75rem 1.1rem; }

/* At least wide enough to be seen, and told apart without colours */
.bar span { flex: 0 1 0; min-width: 0.4rem; background-color: var(--own); print-color-adjust: exact; -webkit-print-color-adjust: exact; forced-color-adjust: none; }

.bar .deviation { background-image: repeating-linear-gradient(135deg, transparent 0 3px, rgb(255 255 255 / 0.45) 3px 6px); }

.bar .skipped { background-image: repeating-linear-gradient(90deg, transparent 0 2px, var(--card) 2px 5px); }

.pass { --own: var(--pass); }
.deviation { --own: var(--deviation); }
.fail { --own: var(--fail); }
.skipped { --own: var(--skipped); }

.legend { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; }

.legend li { display: flex; gap: 0.55rem; align-items: flex-start; font-weight: 600; }

.legend small { display: block; color: var(--muted); font-size: 0.8rem; font-weight: 400; }

.legend .none { opacity: 0.75; font-weight: 400; }

.mark {
  display: inline-grid;
  flex: none;
  place-items: center;
  width: 1.4rem;
  height: 1.4rem;
  border-radius: 50%;
  background: var(--own);
  color: var(--on-mark);
  font-size: 0.8rem;
  font-weight: 700;
  font-variant-emoji: text;
  line-height: 1;
  print-color-adjust: exact;
  -webkit-print-color-adjust: exact;
}

/* What holds, and what only follows, steps back */
.points .pass .mark, .consequence .mark { background: none; color: var(--own); font-size: 0.95rem; }

.total nav { margin-block-start: 1.4rem; border-block-start: 1px solid var(--edge); padding-block-start: 0.75rem; }

nav a {
  display: grid;
  grid-template-columns: 1.9rem minmax(0, 1fr) 8rem 19rem;
  gap: 0.25rem 1rem;
  align-items: center;
  margin-inline: -0.6rem;
  padding: 0.35rem 0.6rem;
  border-radius: 0.75rem;
  color: inherit;
  text-decoration: none;
}

nav a:hover { background: var(--ground); }

nav a:hover .name { text-decoration: underline; }

.number {
  display: inline-grid;
  flex: none;
  place-items: center;
  width: 1.9rem;
  height: 1.9rem;
  border-radius: 50%;
  background: var(--gradient);
  color: #fff;
  font-weight: 600;
  line-height: 1;
  print-color-adjust: exact;
  -webkit-print-color-adjust: exact;
}

.score { color: var(--muted); font-size: 0.9rem; }

.score .fail, .score .deviation { color: var(--own); font-weight: 600; }

.seconds::before { content: "·"; margin-inline: 0.2rem 0.4rem; }

.task { scroll-margin-block-start: 1rem; }

.task > header { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.15rem 1rem; align-items: center; }

.task > header .number { grid-row: span 2; width: 3rem; height: 3rem; font-size: 1.35rem; }

.task h2 { font-size: clamp(1.1rem, 1rem + 0.6vw, 1.35rem); font-weight: 600; }

.body { display: grid; gap: 1.5rem; margin-block-start: 1rem; }

summary { width: fit-content; color: var(--violet); font-size: 0.9rem; font-weight: 600; cursor: pointer; }

.points { margin-block-start: 0.6rem; }

.point { display: flex; gap: 0.75rem; padding: 0.22rem 0.75rem; border-radius: 0.75rem; scroll-margin-block-start: 1rem; }

.point > div { flex: 1; min-width: 0; }

.point.fail, .point.deviation, .point.skipped:not(.consequence) {
  margin-block: 0.5rem;
  padding-block: 0.7rem;
  padding-inline-start: calc(0.75rem - 4px);
  border-inline-start: 4px solid var(--own);
  background: var(--ground);
}

.point.fail { background: var(--fail-tint); }

.point.deviation { background: var(--deviation-tint); }

.point:not(.pass, .consequence) .title { font-weight: 600; }

.cause { margin-block-start: 0.2rem; white-space: pre-line; }

.hint { margin-block-start: 0.2rem; color: var(--muted); }

.hint::before { content: "→ "; content: "→ " / ""; color: var(--own); }

.place { margin-block-start: 0.2rem; color: var(--muted); font-size: 0.9rem; }

.consequence { color: var(--muted); }

.consequence .cause { margin: 0; font-size: 0.85rem; }

figure { max-width: 26rem; }

img { display: block; width: 100%; height: auto; border: 1px solid var(--edge); border-radius: 0.6rem; }

figcaption { margin-block-start: 0.4rem; color: var(--muted); font-size: 0.8rem; }

@media screen and (width < 52rem) {
  nav a { grid-template-columns: 1.9rem minmax(0, 1fr); }
  nav a > :not(.number) { grid-column: 2; }
}

@media screen and (width >= 60rem) {
  .body:has(figure) { grid-template-columns: minmax(0, 1fr) 17rem; }
}

@media print {
  @page { size: A4; margin: 14mm; }

  :root { --ground: #fff; --shadow: none; --fail-tint: #fff; --deviation-tint: #fff; }

  html { font-size: 9pt; }

  body { padding: 0; line-height: 1.35; }

  .wrap { width: 100%; }

  .band { padding: 0 0 4mm; background: none; clip-path: none; color: var(--ink); }

  .band h1 { font-size: 20pt; }

  .total { margin-block-start: 0; }

  nav a { grid-template-columns: 1.9rem minmax(0, 1fr) 8rem 17rem; padding-block: 0.2rem; }

  .card { margin-block-end: 5mm; padding: 5mm; border-radius: 3mm; break-inside: avoid; }

  .point, figure, nav li, .task > header { break-inside: avoid; }

  .task > header { break-after: avoid; }

  .point { padding-block: 0.2mm; }

  .point.fail, .point.deviation, .point.skipped:not(.consequence) { margin-block: 1mm; padding-block: 1mm; }

  /* On paper nothing is closed */
  summary { display: none; }

  details::details-content { display: block; content-visibility: visible; height: auto; opacity: 1; }

  .body:has(figure) { grid-template-columns: minmax(0, 1fr) 45mm; }
}
`;
