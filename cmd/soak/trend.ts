/** A value at a time, in milliseconds. */
export interface Point {
  at: number;
  value: number;
}

/** How a value has grown. */
export interface Growth {
  /** From the first window to the last, along the line through the windows. */
  total: number;
  /** Per hour, along the same line. */
  perHour: number;
  /** How sure it is that the value rises: the z value of the Mann–Kendall test. Chance alone exceeds 2.33 in one of a hundred runs. */
  z: number;
  grows: boolean;
}

/** The part of a run after which values count: before it caches fill and code is compiled. */
const warmUpShare = 0.3;
const windows = 12;
const minZ = 2.33;
/** Growth by less than this share of the value is noise. */
const minShare = 0.1;

/**
 * Tells whether a value that goes up and down grows in the long run. The points are divided into windows, and each counts with its smallest value: what
 * a process holds even when it holds least. Growth below `floor`, in units of the value, does not count. Undefined if there are too few points.
 */
export function findGrowth(points: readonly Point[], floor: number): Growth | undefined {
  const warm = points.slice(Math.floor(points.length * warmUpShare));
  if (warm.length < windows * 2) return undefined;
  const lows = Array.from({ length: windows }, (_, i) => lowest(warm, i));
  const slope = median(pairs(lows).map(([a, b]) => (b.value - a.value) / (b.at - a.at)));
  const total = slope * (lows.at(-1)!.at - lows[0]!.at);
  const z = mannKendall(lows.map(({ value }) => value));
  const least = Math.max(floor, minShare * median(lows.map(({ value }) => value)));
  return { total, perHour: slope * 3_600_000, z, grows: z > minZ && total > least };
}

function lowest(points: readonly Point[], window: number): Point {
  const [from, to] = [window, window + 1].map((edge) => Math.round((edge * points.length) / windows));
  const own = points.slice(from, to);
  return { at: own[Math.floor(own.length / 2)]!.at, value: Math.min(...own.map(({ value }) => value)) };
}

/** Source: H. B. Mann, Nonparametric tests against trend, Econometrica 13 (1945). */
function mannKendall(values: readonly number[]): number {
  const s = pairs(values).reduce((sum, [a, b]) => sum + Math.sign(b - a), 0);
  const n = values.length;
  return (s - Math.sign(s)) / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
}

function pairs<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((a, i) => items.slice(i + 1).map((b): [T, T] => [a, b]));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
