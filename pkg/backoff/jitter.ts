/** Returns a random number from 0 to `ms`. */
export function fullJitter(ms: number): number {
  return ms * Math.random();
}

/** Returns a random number from half of `ms` to `ms`. */
export function equalJitter(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
