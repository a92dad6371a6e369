/** The value below which the fraction of the values lies; NaN if there are none. Sorts the array. */
export function percentile(values: number[], fraction: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * fraction))] ?? Number.NaN;
}
