const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** The two largest units of a duration: `2 h 5 min`. */
export function toDuration(seconds: number): string {
  const parts: string[] = [];
  let left = Math.round(seconds);
  for (const [length, unit] of units) {
    const count = Math.floor(left / length);
    left %= length;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
