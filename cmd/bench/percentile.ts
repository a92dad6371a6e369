/** The value below which this fraction of the values lies; NaN for an empty array. Sorts the array. */
export function percentile(values: number[], fraction: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * fraction))] ?? Number.NaN;
}
