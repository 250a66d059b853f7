import { printable } from "../lib/printable";
import type { Point, Verdict } from "./point";
import { type Task, type TaskFolder, tasks } from "./repository";
import type { Kind } from "./snapshot";

/** What the grader on the host asks of the one in the machine: a line of JSON. */
export interface Request {
  tasks: readonly Task[];
  /** Without the files, which are in the machine by then; `entries` as pairs. */
  folders: (Omit<TaskFolder, "entries"> & { entries: [string, Kind][] })[];
  /** For one build. */
  buildTimeoutMs: number;
}

/** A graded task. */
export interface TaskReport {
  task: Task;
  /** The section of the text. */
  source: string;
  points: Point[];
  /** How long it took. */
  seconds: number;
}

/** A part of a grading: all that can be read, or one task's images and containers. */
export type Part = "reading" | Task;

/** What the grader in the machine tells the one on the host, a line of JSON each. */
export type Message =
  | { kind: "milestone" | "detail"; part: Part; line: string }
  | { kind: "done"; part: "reading" }
  | { kind: "done"; part: Task; report: TaskReport }
  /** The front page in a browser, as PNG in base64. */
  | { kind: "picture"; part: Task; picture: string }
  | { kind: "alive" };

/**
 * Reads a line from the machine. A machine that a repository has taken over may send anything.
 * @returns Nothing where it is no message.
 */
export function readMessage(line: string): Message | undefined {
  const { kind, part, ...rest } = asRecord(parse(line));
  if (kind === "alive") return { kind };
  if (part === "reading") {
    if (kind === "done") return { kind, part };
  } else if (tasks.includes(part as Task)) {
    const task = part as Task;
    if (kind === "done") return { kind, part: task, report: readReport(task, rest.report) };
    if (kind === "picture") return { kind, part: task, picture: String(rest.picture) };
  } else {
    return undefined;
  }
  if (kind !== "milestone" && kind !== "detail") return undefined;
  return { kind, part: part as Part, line: asText(rest.line) };
}

function readReport(task: Task, report: unknown): TaskReport {
  const { source, points, seconds } = asRecord(report);
  const list = Array.isArray(points) ? points.slice(0, 100) : [];
  return {
    task,
    source: asText(source),
    points: list.map((point) => readPoint(asRecord(point))),
    seconds: Number(seconds) || 0,
  };
}

const verdicts: readonly unknown[] = ["pass", "deviation", "fail", "skipped"] satisfies Verdict[];

function readPoint({ verdict, line, ...point }: Record<string, unknown>): Point {
  return {
    id: asText(point.id),
    title: asText(point.title),
    source: asText(point.source),
    verdict: verdicts.includes(verdict) ? (verdict as Verdict) : "skipped",
    ...("cause" in point && { cause: asText(point.cause) }),
    ...("hint" in point && { hint: asText(point.hint) }),
    ...("file" in point && { file: asText(point.file) }),
    ...(typeof line === "number" && { line }),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

/** One line that a terminal shows and does not obey. */
const asText = (value: unknown): string =>
  printable(String(value ?? "").slice(0, 2_000)).replace(/\s+/g, " ");
