/** The look of the grader's pages, on screens and on paper. */
export const style = `
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
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.3rem 0.5rem; border-block-end: 1px solid var(--edge); text-align: start;
  vertical-align: top; }
td, thead th { white-space: nowrap; }
tbody th { font-weight: inherit; min-width: 9rem; }
td .mark { display: inline-block; width: 1rem; }
td .fail, td .deviation, td .skipped { color: var(--own); }
td.problem { color: var(--muted); white-space: normal; }
thead button { border: 0; background: none; color: inherit; font: inherit; font-weight: 600;
  cursor: pointer; }
[aria-sort="ascending"] button::after { content: " ▴" / ""; }
[aria-sort="descending"] button::after { content: " ▾" / ""; }
.mistakes { columns: 2 22rem; margin-block-start: 0.8rem; }
.mistakes li { display: flex; gap: 0.7rem; break-inside: avoid; padding-block: 0.15rem; }
.mistakes b { min-width: 1.6rem; text-align: end; }
#controls:not([hidden]) { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; margin-block: 0.8rem; }
select { max-width: min(34rem, 100%); font: inherit; }
@media print {
  @page { size: A4; margin: 14mm; }
  :root { color-scheme: light; --ground: #fff; }
  html { font-size: 9pt; }
  .band { padding: 0; background: none; color: inherit; }
  main, .band > * { width: 100%; }
  .card { padding: 4mm; break-inside: avoid; }
  .point, figure, nav li, tr { break-inside: avoid; }
  figure { max-width: 60mm; }
  .wide { overflow: visible; }
  table { font-size: 0.75rem; }
  th, td { padding-inline: 0.2rem; }
  /* On paper every task is open */
  summary, label { display: none; }
  details::details-content { display: block; content-visibility: visible; height: auto; }
}
`;
