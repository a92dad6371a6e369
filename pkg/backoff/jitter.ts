/** A random part of `ms`: from 0 to all of it. */
export function fullJitter(ms: number): number {
  return ms * Math.random();
}

/** A random part of `ms`: from half of it to all of it. */
export function equalJitter(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
