import pc from "picocolors";
import { printable, printableLine } from "../../lib/printable";
import { renderCause } from "../render-text";
import { colors, isConsequence, marks, scoreLine } from "../score";
import type { Change, TaskState } from "./board";

/** Shows the state of a watched repository, and what changes. */
export interface View {
  /** Some files were saved. */
  saved(files: readonly string[]): void;
  /** Something is known of a task that was not. */
  show(states: readonly TaskState[], state: TaskState, changes: readonly Change[]): void;
  /** A task is being graded with something else. */
  proceed(states: readonly TaskState[]): void;
  /** Nothing more is shown. */
  end(): void;
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
function renderFiles(files: readonly string[]): string {
  const [first = "", ...others] = files;
  const count = others.length === 1 ? "1 other" : `${others.length} others`;
  const rest = others.length === 0 ? "" : ` and ${count}`;
  return `${printableLine(first)}${rest}`;
}

/** For a pipe or a log: a line for what happens, when it happens. */
export function plainView(write: (text: string) => void): View {
  const known = new Set<string>();
  return {
    saved: (files) => write(`saved: ${renderFiles(files)}\n`),
    show(states, state, changes) {
      for (const task of known) if (!states.some((it) => it.task === task)) known.delete(task);
      const lines = changes.map(renderChange);
      if (!state.isOpen) {
        const isFirst = !known.has(state.task);
        known.add(state.task);
        lines.unshift(`${state.task}: ${scoreLine(state.points)} (${state.seconds} s)`);
        if (isFirst) lines.push(...problemsOf(state).map(renderCause));
      } else if (changes.length > 0) {
        lines.unshift(`${state.task}: read`);
      }
      for (const line of lines) write(`${line}\n`);
    },
    proceed: () => undefined,
    end: () => undefined,
  };
}

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
  let last: string[] = [];
  let picture: string[] = [];
  let isOver = false;
  const draw = (states: readonly TaskState[]): void => {
    if (isOver) return;
    const { rows = 24, columns = 80 } = terminal;
    picture = renderBoard(states, undefined, []);
    const heading = `${pc.bold(title)}  ${pc.dim("Ctrl-C ends it")}`;
    const all = [heading, "", ...renderBoard(states, saved, last)];
    const lines = all.flatMap((line) => wrap(line, columns));
    const cut = lines.length < rows ? lines : [...lines.slice(0, rows - 2), pc.dim("…")];
    // Each line is erased to its end, and the screen below the last one; none is wider than the screen
    const text = cut.map((line) => `${line}\u001b[K\n`).join("");
    terminal.write(`\u001b[H${text}\u001b[J`);
  };
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    process.off("exit", end);
    const rest = picture.map((line) => `${line}\n`).join("");
    terminal.write(`\u001b[?25h\u001b[?1049l${rest}`);
  };
  // The alternate screen, without a cursor: at the end, the terminal has what was on it before, and
  // below it what was known last
  terminal.write("\u001b[?1049h\u001b[?25l");
  process.on("exit", end);
  return {
    saved(files) {
      saved = renderFiles(files);
      last = [];
    },
    show(states, _, changes) {
      last.push(...changes.flatMap((change) => renderChange(change).split("\n")));
      draw(states);
    },
    proceed: draw,
    end,
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
    return `  ${pc.cyan("…")} ${task}  ${known}${pc.dim(activity ?? "waiting")}`;
  }
  const isComplete = points.every(({ verdict }) => verdict === "pass");
  const mark = isComplete
    ? "pass"
    : points.some((it) => it.verdict === "fail")
      ? "fail"
      : "deviation";
  return `  ${colors[mark](marks[mark])} ${task}  ${score}  ${pc.dim(`${seconds} s`)}`;
}

const colorOrCharacter = /\p{Cc}\[[\d;]*m|./gu;

/** Breaks a line between words, and those words that are wider than the terminal. */
function wrap(line: string, width: number): string[] {
  const lines: string[] = [];
  let [last = "", ...words] = line.split(" ");
  for (const word of words) {
    const longer = `${last} ${word}`;
    if (last.trim() === "" || printable(longer).length <= width) {
      last = longer;
    } else {
      lines.push(last.trimEnd());
      last = `    ${word}`;
    }
  }
  return [...lines, last].map((part) => cutTo(part, width));
}

/** Cuts a line to a width, and keeps its colors. */
function cutTo(line: string, width: number): string {
  let room = width;
  return line.replace(colorOrCharacter, (part) => {
    if (part.startsWith("\u001b")) return part;
    room -= 1;
    return room >= 0 ? part : "";
  });
}
