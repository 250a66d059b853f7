import { printableLine } from "../lib/printable";
import type { Point } from "./point";
import { type Task, type TaskFolder, tasks } from "./repository";
import { verdicts } from "./score";
import type { Kind } from "./snapshot";

/** What the grader on the host sends to the one in the machine: a line of JSON. */
export interface Request {
  tasks: readonly Task[];
  /** Their files are in the machine by then; `entries` as pairs. */
  folders: (Omit<TaskFolder, "entries"> & { entries: [string, Kind][] })[];
  /** For one build. */
  buildTimeoutMs: number;
  /** Given if other requests may follow, each of which replaces the one before. */
  number?: number;
  /** Folders of copies that are replaced, and where they are moved before anything is judged. */
  moved?: [from: string, to: string][];
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

/** What the grader in the machine sends to the one on the host: lines of JSON. */
export type Message =
  | { kind: "milestone" | "detail"; part: Part; line: string }
  | { kind: "done"; part: "reading" }
  | { kind: "done"; part: Task; report: TaskReport }
  /** The points that can be read, before any is built and run. */
  | { kind: "read"; part: Task; report: TaskReport }
  /** The front page in a browser, as PNG in base64. */
  | { kind: "picture"; part: Task; picture: string }
  | { kind: "alive" };

/** @returns The number of the request that a message answers, if it has one. */
export const numberIn = (text: string): unknown => asRecord(parse(text)).number;

/**
 * Reads a line from the machine. A machine that a repository has taken over may send anything.
 * @returns Nothing if it is not a message.
 */
export function readMessage(text: string): Message | undefined {
  const { kind, part, line, report, picture } = asRecord(parse(text));
  if (kind === "alive") return { kind };
  const task = tasks.find((name) => name === part);
  if (task === undefined && part !== "reading") return undefined;
  if (kind === "milestone" || kind === "detail") {
    return { kind, part: task ?? "reading", line: asText(line) };
  }
  if (task === undefined) return kind === "done" ? { kind, part: "reading" } : undefined;
  if (kind === "done" || kind === "read") {
    return { kind, part: task, report: readReport(task, asRecord(report)) };
  }
  return kind === "picture" ? { kind, part: task, picture: String(picture) } : undefined;
}

/** Reads a report that may have any content. */
function readReport(task: Task, report: Record<string, unknown>): TaskReport {
  const points = Array.isArray(report.points) ? report.points.slice(0, 100) : [];
  return {
    task,
    source: asText(report.source),
    points: points.map((point) => readPoint(asRecord(point))),
    seconds: Number(report.seconds) || 0,
  };
}

const readPoint = (point: Record<string, unknown>): Point => ({
  id: asText(point.id),
  title: asText(point.title),
  source: asText(point.source),
  verdict: verdicts.find((known) => known === point.verdict) ?? "skipped",
  ...("cause" in point && { cause: asText(point.cause) }),
  ...("hint" in point && { hint: asText(point.hint) }),
  ...("file" in point && { file: asText(point.file) }),
  ...(typeof point.line === "number" && { line: point.line }),
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

/** One line without a terminal's control sequences. */
const asText = (value: unknown): string => printableLine(String(value ?? "").slice(0, 2_000));
