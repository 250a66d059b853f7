import { printable } from "../lib/printable";
import { type PointId, titles } from "./titles";

/**
 * The result of a point: it holds; it works but differs from the text; it does not hold; or it could
 * not be judged, because of an earlier failure or of something that is not the learner's fault.
 */
export type Verdict = "pass" | "deviation" | "fail" | "skipped";

/** A place in the graded repository, from its root. */
export interface Place {
  file?: string;
  /** Counted from 1. */
  line?: number;
}

/** What a check reports about a point. */
export interface Finding extends Place {
  verdict: Verdict;
  /** What is wrong, in the learner's terms; if the point holds, what was observed. */
  cause?: string;
  /** What to do about it. */
  hint?: string;
}

/** One requirement of the course, judged. The JSON report consists of these. */
export interface Point extends Finding {
  /** Stable, such as `task4.ports`. */
  id: string;
  title: string;
  /** The section of the course's text that demands it. */
  source: string;
}

/** How one requirement is judged. */
export interface Check<Subject> {
  id: PointId;
  /** Points of the same task that must hold, at least with a deviation, before this one is judged. */
  needs?: readonly PointId[];
  /** Whether it builds or runs something. Checks that only read files come first. */
  isLive?: boolean;
  /** @throws {Judgement} if the requirement does not hold, or if there is more to say. */
  judge(subject: Subject): void | Promise<void>;
}

/** Ends a check with a finding, from anywhere within it. */
export class Judgement extends Error {
  constructor(readonly finding: Finding) {
    super(finding.cause);
  }
}

export const holds: Finding = { verdict: "pass" };

/** The requirement does not hold. */
export const failed = (cause: string, hint: string, place: Place = {}): Finding => {
  return { verdict: "fail", cause, hint, ...place };
};

/** It works, but not as the text has it. */
export const deviates = (cause: string, hint: string, place: Place = {}): Finding => {
  return { verdict: "deviation", cause, hint, ...place };
};

/** It could not be judged, through no fault of the learner. */
export const skipped = (cause: string): Finding => ({ verdict: "skipped", cause });

/** It could not be judged because another point does not hold. */
export const blockedBy = (id: PointId): Finding => skipped(`needs: ${titles[id]}`);

export function raise(finding: Finding): never {
  throw new Judgement(finding);
}

export function fail(...finding: Parameters<typeof failed>): never {
  raise(failed(...finding));
}

export function deviate(...finding: Parameters<typeof deviates>): never {
  raise(deviates(...finding));
}

/** Catches the finding of a function, such as that a file is unreadable. */
export function settle<T>(run: () => T): { value?: T; finding?: Finding } {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof Judgement) return { finding: error.finding };
    throw error;
  }
}

/** What is known of the points of one task. */
export type Findings = Map<PointId, Finding>;

/**
 * Runs checks of one task in their order. A check is skipped if a point that it needs does not hold,
 * so that one mistake is one failure.
 * @param findings On points that have been judged before; those on these checks are added.
 * @param signal Aborted by Ctrl-C.
 * @throws What a check throws after Ctrl-C. At any other time it costs that point alone.
 */
export async function judge<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  const isMissing = (id: PointId): boolean =>
    !["pass", "deviation"].includes(findings.get(id)?.verdict ?? "skipped");
  for (const { id, needs, judge } of checks) {
    const missing = needs?.find(isMissing);
    try {
      if (missing !== undefined) raise(blockedBy(missing));
      await judge(subject);
      findings.set(id, holds);
    } catch (error) {
      if (signal?.aborted) throw error;
      findings.set(id, withoutControls(findingOf(error)));
    }
  }
}

function findingOf(error: unknown): Finding {
  if (error instanceof Judgement) return error.finding;
  const [message = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return skipped(`the grader could not judge this: ${message.slice(0, 200)}`);
}

/** File names and the output of programs may contain a terminal's control sequences. */
function withoutControls({ cause, hint, file, ...finding }: Finding): Finding {
  const clean = (text: string): string => printable(text).replace(/[\n\t]/g, "");
  return {
    ...finding,
    ...(cause !== undefined && { cause: clean(cause) }),
    ...(hint !== undefined && { hint: clean(hint) }),
    ...(file !== undefined && { file: clean(file) }),
  };
}
