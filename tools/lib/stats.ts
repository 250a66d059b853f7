export const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

/** @returns The smallest value that a share (0 to 1) of all values do not exceed; NaN of no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** @returns The value in the middle, or the mean of the two in the middle; undefined of no values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** The 97.5th percentile of Student's t-distribution with 1, 2, 3 … degrees of freedom. */
const studentT = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14,
];

/** A ratio with its uncertainty. */
export interface Estimate {
  ratio: number;
  /** Half the width of the 95 % confidence interval, as a share of the ratio; undefined of one pair. */
  halfWidth: number | undefined;
}

/**
 * Compares two things that were measured in the same rounds. What slows down a whole round changes both
 * of a pair, and thus not their quotient.
 * @returns The geometric mean of the quotients, with the interval of their logarithms by Student's
 *   t-distribution; undefined unless each quotient is positive and finite.
 */
export function pairedRatio(
  dividends: readonly number[],
  divisors: readonly number[],
): Estimate | undefined {
  const count = Math.min(dividends.length, divisors.length);
  const logs = Array.from({ length: count }, (_, round) =>
    Math.log((dividends[round] ?? Number.NaN) / (divisors[round] ?? Number.NaN)),
  );
  if (count === 0 || !logs.every(Number.isFinite)) return undefined;
  const mean = sum(logs) / count;
  const ratio = Math.exp(mean);
  if (count === 1) return { ratio, halfWidth: undefined };
  const variance = sum(logs.map((log) => (log - mean) ** 2)) / (count - 1);
  const t = studentT[count - 2] ?? 2;
  return { ratio, halfWidth: Math.exp(t * Math.sqrt(variance / count)) - 1 };
}
