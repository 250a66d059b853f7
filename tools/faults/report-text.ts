import pc from "picocolors";
import type { CaseReport, LabReport, Target } from "./report";

const seconds = (value: number): string => `${value.toFixed(1)} s`;
/** A count, with its thousands apart. */
export const whole = (value: number): string => value.toLocaleString("en-US");

/** The table of cases, as text and as a page. */
export const columns: readonly {
  title: string;
  text(one: CaseReport): string;
  /** What it is coloured for. */
  isBad?(one: CaseReport): boolean;
  /** Whether it is words, not a number. */
  left?: boolean;
}[] = [
  { title: "fault", text: ({ name }) => name, left: true },
  { title: "sent", text: ({ sent }) => whole(sent) },
  { title: "lost", text: ({ lost }) => whole(lost), isBad: ({ lost }) => lost > 0 },
  { title: "turned away", text: ({ turnedAway }) => whole(turnedAway) },
  { title: "p99", text: ({ p99Ms }) => `${p99Ms} ms` },
  {
    title: "worst",
    text: ({ worstMs }) => `${whole(worstMs)} ms`,
    isBad: ({ missed }) => missed.includes("worstMs"),
  },
  {
    title: "even after",
    text: ({ evenAfterS, shares }) =>
      evenAfterS !== null ? seconds(evenAfterS) : shares.length === 0 ? "–" : "never",
    isBad: ({ missed }) => missed.includes("evenS"),
  },
  { title: "target", text: ({ target }) => describeTarget(target), left: true },
  {
    title: "",
    text: (one) => verdictOf(one),
    isBad: ({ lost, missed }) => lost > 0 || missed.length > 0,
    left: true,
  },
];

/** Such as `worst 500 ms, even 3 s`. */
export function describeTarget({ worstMs, evenS, turnedAwayMs, servedAgainS }: Target): string {
  const away = turnedAwayMs === undefined ? "" : `, turned away in ${turnedAwayMs} ms`;
  const back = servedAgainS === undefined ? "" : `, back in ${servedAgainS} s`;
  return `worst ${worstMs} ms, even ${evenS} s${away}${back}`;
}

const inWords: Record<keyof Target, string> = {
  worstMs: "too slow",
  evenS: "uneven for too long",
  turnedAwayMs: "turned away too late",
  servedAgainS: "back too late",
};

/** What is to be said of a case in a word or two. */
export function verdictOf({ lost, missed }: CaseReport): string {
  const flaws = [...(lost > 0 ? ["lost"] : []), ...missed.map((what) => inWords[what])];
  return flaws.length === 0 ? "✔" : `✘ ${flaws.join(", ")}`;
}

/** The report for a terminal or a pipe: a table, who answered, and what was lost. */
export function renderText({ stack, rounds, connections, cases }: LabReport): string {
  const heading = `${stack}, ${connections} connections${rounds === 1 ? "" : `, ${rounds} rounds`}`;
  const table = [
    columns.map(({ title }) => title),
    ...cases.map((one) => columns.map(({ text }) => text(one))),
  ];
  const widths = columns.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  const lines = table.map((row, index) => {
    const one = cases[index - 1];
    const cells = columns.map(({ left, isBad }, at) => {
      const text = row[at] ?? "";
      const padded = left ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0);
      if (one === undefined) return pc.dim(padded);
      return isBad?.(one) ? pc.red(padded) : padded;
    });
    return `  ${cells.join("  ")}`.trimEnd();
  });
  const total = cases.reduce((sum, { lost }) => sum + lost, 0);
  const sent = cases.reduce((sum, one) => sum + one.sent, 0);
  const closing = total === 0 ? pc.green("nothing lost") : pc.red(`${whole(total)} lost`);
  return [
    ...[pc.bold(heading), "", ...lines, ""],
    ...cases.flatMap(detailsOf),
    `${closing} of ${whole(sent)} requests`,
    "",
  ].join("\n");
}

/** What there is to say of a case that turned visitors away. */
export function notesOf({ slowestTurnedAwayMs, servedAgainS }: CaseReport): string[] {
  return [
    ...(slowestTurnedAwayMs === undefined
      ? []
      : [`slowest answer that turned away: ${whole(slowestTurnedAwayMs)} ms`]),
    ...(servedAgainS === undefined
      ? []
      : [`served again after the first server's return: ${seconds(servedAgainS)}`]),
  ];
}

function detailsOf(one: CaseReport): string[] {
  const { name, lost, shares, lostExamples } = one;
  const lines = [
    ...(shares.length === 0
      ? []
      : [shares.map(({ server, answers }) => `${server} ${whole(answers)}`).join(", ")]),
    ...notesOf(one),
    ...lostExamples.map(
      ({ atS, path, status, reason }) =>
        `lost at ${atS.toFixed(3)} s: ${path} ${status === null ? "" : `${status} `}${reason}`,
    ),
    ...(lost > lostExamples.length ? [`and ${whole(lost - lostExamples.length)} more`] : []),
  ];
  return lines.length === 0
    ? []
    : [`  ${pc.bold(name)}`, ...lines.map((line) => `    ${line}`), ""];
}
