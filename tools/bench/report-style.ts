/** The report's own shapes, on top of what every page of the tools has. */
export const benchStyle = `
.band dt { white-space: nowrap; }

.headline { position: relative; margin-block-start: clamp(-6rem, -7vw, -4rem); }

.headline h2 { font-size: clamp(1.2rem, 1rem + 1.2vw, 1.6rem); font-weight: 400; }

.headline .quiet { margin-block-start: 0.3rem; }

.headline h2 strong { color: var(--pink); font-size: 1.7em; }

.quiet, .note { color: var(--muted); }

.highlights { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 0.9rem 1.5rem; margin-block-start: 1.1rem; }

.highlights li { padding-inline-start: 0.9rem; border-inline-start: 3px solid var(--edge); }

.highlights strong { display: block; color: var(--violet); font-size: 1.6rem; font-weight: 600; line-height: 1.2; }

.highlights span { display: block; color: var(--muted); font-size: 0.9rem; line-height: 1.4; }

.failed { border-color: var(--fail); background: var(--fail-tint); }

.failed h2 { color: var(--fail); }

.failed ul { margin-block-start: 0.4rem; padding-inline-start: 1.2rem; list-style: disc; }

.card > h2, summary h2 { font-size: clamp(1.1rem, 1rem + 0.6vw, 1.35rem); }

figure { margin-block-start: 0.9rem; }

.chart { display: block; width: 100%; height: auto; overflow-wrap: normal; }

.narrow { display: none; }

.targets { margin-block-start: 0.7rem; font-variant-numeric: tabular-nums; }

.targets li { display: grid; grid-template-columns: 1.6rem minmax(0, 6fr) minmax(0, 5fr) minmax(0, 6fr); gap: 0 1rem; padding-block: 0.35rem; border-block-end: 1px solid var(--edge); font-size: 0.95rem; }

.targets li:last-child { border: 0; }

.verdict { font-weight: 700; text-align: center; }

.met .verdict { color: var(--pass); }

.missed :is(.verdict, .found) { color: var(--fail); }

.unknown { color: var(--muted); }

.found { font-weight: 600; }

.unknown .found { font-weight: 400; }

.wanted { color: var(--muted); }

.contenders { margin-block-start: 0.7rem; }

.contenders div { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 0 1rem; padding-block: 0.3rem; }

.contenders dt { font-weight: 600; }

.contenders dd { color: var(--muted); }

.raw { font-size: 0.85rem; }

.raw div { grid-template-columns: minmax(0, 1fr) minmax(0, 2fr); }

.raw dt { font-weight: 400; }

/* A shade at the right for as long as there is more to see there */
.scroll {
  position: relative;
  margin-block-start: 0.7rem;
  overflow-x: auto;
  background:
    linear-gradient(to left, var(--card) 40%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to left, color-mix(in srgb, var(--violet) 18%, transparent), transparent) right / 1.1rem 100% no-repeat scroll;
}

table { width: 100%; border-collapse: separate; border-spacing: 0; font-size: 0.9rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }

th, td { padding: 0.35rem 0 0.35rem 1.1rem; border-block-end: 1px solid var(--edge); text-align: end; vertical-align: baseline; white-space: nowrap; }

:is(th, td):first-child { position: sticky; inset-inline-start: 0; z-index: 1; padding-inline: 0 0.4rem; background: var(--card); }

tbody tr:last-child > * { border: 0; }

tr:has(+ tr > .repeated) > * { border: 0; }

tr > .repeated { color: transparent; }

.words { text-align: start; }

thead th { color: var(--muted); font-weight: 400; }

tbody th { font-weight: 400; }

.ours > * { font-weight: 700; }

.ours .words:not(:first-child) { font-weight: 400; }

.pairs { margin-block-end: 1.5rem; columns: 2; column-gap: 1.5rem; }

.pairs .card { break-inside: avoid; padding-inline: clamp(1.1rem, 2.5vw, 1.6rem); }

.pairs :is(th, td):not(:first-child) { padding-inline-start: 0.8rem; }

.sum { color: var(--muted); }

.part { width: 1%; padding-inline-start: 0.5rem; color: var(--muted); font-weight: 400; }

.bad { color: var(--fail); font-weight: 700; }

.note { margin-block-start: 0.5rem; font-size: 0.85rem; }

.note::first-letter { text-transform: uppercase; }

.note + .note { margin-block-start: 0.1rem; }

summary { cursor: pointer; }

summary h2 { display: inline; }

@media screen and (width < 48rem) {
  .wide { display: none; }

  .pairs { columns: auto; }

  .narrow { display: block; max-width: 30rem; }

  .targets li { grid-template-columns: 1.4rem minmax(0, 1fr); gap: 0 0.6rem; }

  .targets :is(.found, .wanted) { grid-column: 2; }

  .contenders div, .raw div { grid-template-columns: minmax(0, 1fr); padding-block: 0.4rem; }
}

@media print {
  @page { size: A4; margin: 14mm; }

  :root { --ground: #fff; --shadow: none; }

  html { font-size: 9pt; }

  body { padding: 0; }

  .wrap { width: 100%; }

  .band { padding: 0 0 4mm; background: none; clip-path: none; color: var(--ink); }

  .headline { margin-block-start: 0; }

  .card { margin-block-end: 5mm; padding: 5mm; border-radius: 3mm; break-inside: avoid; }

  .chart { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
