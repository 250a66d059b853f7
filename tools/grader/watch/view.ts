import pc from "picocolors";
import { printableLine } from "../../lib/printable";
import { renderCause } from "../render-text";
import { colors, isConsequence, marks, scoreLine } from "../score";
import { type Change, changesBetween, type TaskState } from "./board";

/** Shows the state of a watched repository, and what changes. */
export interface View {
  /** Some files were saved. */
  saved(files: readonly string[]): void;
  /** Something is known of a task that was not. */
  show(states: readonly TaskState[], before: TaskState, now: TaskState): void;
  /** A task is being graded with something else. */
  proceed?(states: readonly TaskState[]): void;
}

/** @returns The points of a task that do not hold, and not only because another one does not. */
const problemsOf = ({ points }: TaskState) =>
  points.filter((point) => point.verdict !== "pass" && !isConsequence(point));

/** @returns Such as `✘ → ✔ task4.ports: the stack publishes the text's ports, and no others`. */
function renderChange({ before, point }: Change): string {
  const mark = colors[before](marks[before]);
  const isClear = point.verdict === "pass" || isConsequence(point);
  const { cause: _, hint: __, file: ___, ...bare } = point;
  return renderCause(isClear ? bare : point).replace("  ", `  ${mark} → `);
}

/** @returns Such as `task4/docker-compose.yml and 3 others`. */
function renderFiles([first = "", ...others]: readonly string[]): string {
  const count = others.length === 1 ? "1 other" : `${others.length} others`;
  return `${printableLine(first)}${others.length === 0 ? "" : ` and ${count}`}`;
}

/** For a pipe or a log: a line for what happens, when it happens. */
export const plainView = (write: (text: string) => void): View => ({
  saved: (files) => write(`saved: ${renderFiles(files)}\n`),
  show(_, before, now) {
    const { task, points, isOpen, seconds } = now;
    const lines = changesBetween(before.points, points).map(renderChange);
    if (isOpen && lines.length > 0) lines.unshift(`${task}: read`);
    if (!isOpen) lines.unshift(`${task}: ${scoreLine(points)} (${seconds} s)`);
    const isFirst = !isOpen && before.seconds === undefined;
    if (isFirst) lines.push(...problemsOf(now).map(renderCause));
    for (const line of lines) write(`${line}\n`);
  },
});

interface Terminal {
  rows?: number;
  columns?: number;
  write(text: string): unknown;
}

/**
 * For a terminal: one picture of the whole, drawn anew whenever something changes.
 * @param title What is watched.
 */
export function liveView(title: string, terminal: Terminal): View {
  let saved: string | undefined;
  let changes: string[] = [];
  const draw = (states: readonly TaskState[]): void => {
    const { rows = 24, columns = 80 } = terminal;
    const heading = `${pc.bold(title)}  ${pc.dim("Ctrl-C ends it")}`;
    const all = [heading, "", ...renderBoard(states, saved, changes)];
    const lines = all.flatMap((line) => wrap(line, columns));
    const cut = lines.length < rows ? lines : [...lines.slice(0, rows - 2), pc.dim("…")];
    // Each line is erased to its end, and the screen below the last one; none is wider than the screen
    const text = cut.map((line) => `${line}\u001b[K\n`).join("");
    terminal.write(`\u001b[H${text}\u001b[J`);
  };
  // What is on the screen moves up into the scrollback, so that nothing must be restored at the end
  terminal.write("\n".repeat(terminal.rows ?? 24));
  return {
    saved(files) {
      saved = renderFiles(files);
      changes = [];
    },
    show(states, before, now) {
      const lines = changesBetween(before.points, now.points).map(renderChange);
      changes.push(...lines.flatMap((line) => line.split("\n")));
      draw(states);
    },
    proceed: draw,
  };
}

/** @returns The lines of the picture: the tasks, what the last save changed, what does not hold. */
function renderBoard(
  states: readonly TaskState[],
  saved: string | undefined,
  changes: readonly string[],
): string[] {
  const news = saved === undefined ? [] : ["", pc.bold(`Saved: ${saved}`), ...changes];
  const shown = new Set(changes.map((line) => /task\d\.[\w-]+/.exec(line)?.[0]));
  const problems = states
    .flatMap(problemsOf)
    .filter(({ id }) => !shown.has(id))
    .flatMap((point) => renderCause(point).split("\n"));
  const rest = problems.length === 0 ? [] : ["", pc.bold("To do"), ...problems];
  return [...states.map(renderState), ...news, ...rest];
}

function renderState({ task, points, isOpen, activity, seconds }: TaskState): string {
  const score = points.length === 0 ? "" : scoreLine(points);
  if (isOpen) {
    const known = score === "" ? "" : `${score}${seconds === undefined ? " so far" : ""}  `;
    return `  ${pc.cyan("…")} ${task}  ${known}${pc.dim(activity)}`;
  }
  const isComplete = points.every(({ verdict }) => verdict === "pass");
  const mark = isComplete
    ? "pass"
    : points.some((it) => it.verdict === "fail")
      ? "fail"
      : "deviation";
  return `  ${colors[mark](marks[mark])} ${task}  ${score}  ${pc.dim(`${seconds} s`)}`;
}

/** Breaks a line between words, or within a word that is wider than the terminal. */
function wrap(line: string, columns: number): string[] {
  const indent = "    ";
  const color = String.raw`(?:\p{Cc}\[[\d;]*m)*`;
  const width = Math.max(columns - indent.length, 1);
  const part = `(?:${color}\\P{Cc}){1,${width}}${color}`;
  const parts = line.match(new RegExp(`${part}(?: |$)|${part}`, "gu")) ?? [""];
  return parts.map((text, index) => (index === 0 ? text.trimEnd() : `${indent}${text.trim()}`));
}
