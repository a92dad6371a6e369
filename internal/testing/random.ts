import { Random } from '../verify/clients/random.ts';

/** The seed of the run, from `SEED`. The closing line names it; the same seed makes the same choices. */
export const seed = Number(process.env.SEED);

/** A generator for one test: each call begins anew from the run's seed. */
export function testRandom(): Random {
  return new Random(seed);
}
