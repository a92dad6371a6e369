import { Random } from '../verify/clients/random.ts';

/** The seed of the run, from `SEED`. The end of the output names it; the same seed makes the same choices. */
export const seed = Number(process.env.SEED);

/** Creates a random generator for one test. Each generator starts from the run's seed. */
export function testRandom(): Random {
  return new Random(seed);
}
