import { printable } from "../lib/printable";

/**
 * What became of a point: it holds; it works but differs from the text; it does not hold; or it could
 * not be judged, because of an earlier failure or of something that is not the learner's fault.
 */
export type Verdict = "pass" | "deviation" | "fail" | "skipped";

/** What there is to say about a point. */
export interface Finding {
  verdict: Verdict;
  /** What is the case, in the learner's terms; where the point holds, what was seen. */
  cause: string;
  /** What to do about it. */
  hint?: string;
  /** Where, from the graded repository's root. */
  file?: string;
  /** Counted from 1. */
  line?: number;
}

/** One requirement of the course, judged. The JSON report consists of these. */
export interface Point extends Partial<Finding> {
  /** Stable, such as `task4.ports`. */
  id: string;
  title: string;
  /** The section of the course's text that demands it. */
  source: string;
  verdict: Verdict;
}

/**
 * How one requirement is judged.
 * @typeParam Subject What it looks at.
 */
export interface Check<Subject> {
  /** Without the task's name, such as `ports`. */
  id: string;
  title: string;
  /** Checks of the same task that must hold, at least with a deviation, for this one to make sense. */
  needs?: readonly string[];
  /** Whether it builds or runs something. What can be read is judged first, and waits for nothing. */
  isLive?: boolean;
  /** @returns Nothing where the requirement holds and there is no more to say. */
  judge(subject: Subject): Promise<Finding | undefined> | Finding | undefined;
}

type Where = Pick<Finding, "file" | "line">;

/** The requirement does not hold. */
export const failed = (cause: string, hint: string, where: Where = {}): Finding => ({
  verdict: "fail",
  cause,
  hint,
  ...where,
});

/** It works, but not as the text has it. */
export const deviates = (cause: string, hint: string, where: Where = {}): Finding => ({
  verdict: "deviation",
  cause,
  hint,
  ...where,
});

/** It holds, and this was seen. */
export const holds = (cause: string): Finding => ({ verdict: "pass", cause });

/** It could not be judged, through no fault of the learner. */
export const skipped = (cause: string): Finding => ({ verdict: "skipped", cause });

/** The points of one task while it is judged, by the ids of their checks. */
export type Points = Map<string, Point>;

/**
 * Judges those checks of a task that only read, or those that build and run. A check whose ground is
 * missing is skipped, so that one mistake is one failure.
 * @param task Such as `task4`; the first part of each point's id.
 * @param source The section of the text.
 * @param points What has been judged before; the new points are added.
 * @param signal Aborted by Ctrl-C.
 * @throws What a check throws after Ctrl-C. At any other time it costs that point alone.
 */
export async function judge<Subject>(
  { task, source, checks }: { task: string; source: string; checks: readonly Check<Subject>[] },
  phase: "static" | "live",
  subject: Subject,
  points: Points,
  signal?: AbortSignal,
): Promise<void> {
  for (const { id, title, needs = [], isLive = false, judge } of checks) {
    if (isLive !== (phase === "live")) continue;
    const missing = needs.find((need) => {
      const verdict = points.get(need)?.verdict;
      return verdict !== "pass" && verdict !== "deviation";
    });
    const ground = checks.find((check) => check.id === missing)?.title;
    let finding: Finding | undefined;
    try {
      finding =
        missing === undefined ? await judge(subject) : skipped(`needs: ${ground ?? missing}`);
    } catch (error) {
      if (signal?.aborted) throw error;
      const [message = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
      finding = skipped(`the grader could not judge this: ${message.slice(0, 200)}`);
    }
    const own = finding === undefined ? {} : withoutControls(finding);
    points.set(id, { id: `${task}.${id}`, title, source, verdict: "pass", ...own });
  }
}

/** Names of files and what programs print may hold what would command a terminal. */
function withoutControls(finding: Finding): Finding {
  const clean = (text: string): string => printable(text).replace(/[\n\t]/g, "");
  const { cause, hint, file } = finding;
  return {
    ...finding,
    cause: clean(cause),
    ...(hint !== undefined && { hint: clean(hint) }),
    ...(file !== undefined && { file: clean(file) }),
  };
}
