export const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

/** @returns The smallest value that a share (0 to 1) of all values do not exceed; NaN of no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
