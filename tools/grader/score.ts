import pc from "picocolors";
import type { Point, Verdict } from "./point";

export const marks: Record<Verdict, string> = {
  pass: "✔",
  deviation: "≈",
  fail: "✘",
  skipped: "–",
};
export const verdicts = Object.keys(marks) as Verdict[];

export const colors: Record<Verdict, (text: string) => string> = {
  pass: pc.green,
  deviation: pc.yellow,
  fail: pc.red,
  skipped: pc.dim,
};

/** @returns How many points have each verdict. */
export function tally(points: readonly Point[]): Record<Verdict, number> {
  const counts: Record<Verdict, number> = { pass: 0, deviation: 0, fail: 0, skipped: 0 };
  for (const { verdict } of points) counts[verdict] += 1;
  return counts;
}

/** What a point does. */
export const words: Record<Verdict, string> = {
  pass: "holds",
  deviation: "deviates",
  fail: "fails",
  skipped: "skipped",
};

/** @returns Such as `1 fails`, `2 fail`, `1 skipped`. */
export function countOf(verdict: Verdict, count: number): string {
  const word = words[verdict];
  return `${count} ${count === 1 ? word : word.replace(/s$/, "")}`;
}

/** @returns The parts of a score, such as `12 of 14 hold`, `1 fails` and `1 skipped`. */
export function scoreOf(points: readonly Point[]): { verdict: Verdict; text: string }[] {
  const counts = tally(points);
  const others = (["fail", "deviation", "skipped"] as const)
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => ({ verdict, text: countOf(verdict, counts[verdict]) }));
  return [{ verdict: "pass", text: `${counts.pass} of ${points.length} hold` }, ...others];
}

/** @returns Such as `12 of 14 hold, 1 fails, 1 skipped`. */
export const scoreLine = (points: readonly Point[]): string =>
  scoreOf(points)
    .map(({ verdict, text }) => colors[verdict](text))
    .join(", ");

/** Whether a point is skipped only because another one does not hold. */
export const isConsequence = ({ verdict, cause }: Point): boolean =>
  verdict === "skipped" && cause?.startsWith("needs: ") === true;

/** @returns The points that could not be judged, through no fault of the learner. */
export const unjudged = (points: readonly Point[]): Point[] =>
  points.filter((point) => point.verdict === "skipped" && !isConsequence(point));

/** @returns The exit code: 1 if a point fails, otherwise 0; if `strict`, 2 if some could not be judged. */
export function exitCodeOf(points: readonly Point[], strict: boolean): number {
  if (tally(points).fail > 0) return 1;
  return strict && unjudged(points).length > 0 ? 2 : 0;
}

/** @returns Such as `task4/docker-compose.yml:14`; undefined if the place is not known. */
export const placeOf = ({ file, line }: Point): string | undefined =>
  file && line !== undefined ? `${file}:${line}` : file;
