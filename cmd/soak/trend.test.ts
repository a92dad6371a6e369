import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findGrowth, type Point } from './trend.ts';

const everyMs = 1_000;
const toPoints = (values: readonly number[]): Point[] => values.map((value, i) => ({ at: i * everyMs, value }));
/** Rises and falls as a heap does: up to twice of what is held, back at each collection. */
const sawtooth = (i: number, held: number) => held * (1 + (i % 17) / 17);

describe('a value grows', () => {
  test('if what is held at the least rises, though it goes up and down all the time', () => {
    const leaking = toPoints(Array.from({ length: 600 }, (_, i) => sawtooth(i, 100 + i / 5)));
    const growth = findGrowth(leaking, 10)!;
    expect(growth.grows).toBe(true);
    expect(growth.total).toBeGreaterThan(60);
    expect(growth.perHour).toBeGreaterThan(500);
  });

  test('not if it rises only while the process warms up', () => {
    const warming = toPoints(Array.from({ length: 600 }, (_, i) => sawtooth(i, 100 + Math.min(i, 150))));
    expect(findGrowth(warming, 10)!.grows).toBe(false);
  });

  test('not if the growth is below the floor, or a small share of the value', () => {
    const slow = toPoints(Array.from({ length: 600 }, (_, i) => 1_000 + i / 10));
    expect(findGrowth(slow, 1)!).toMatchObject({ grows: false, z: expect.closeTo(4.46, 1) });
    expect(findGrowth(toPoints(Array.from({ length: 600 }, (_, i) => i / 100)), 10)!.grows).toBe(false);
  });

  test('hardly ever by chance', () => {
    const noise = fc.array(fc.double({ min: 0, max: 1_000, noNaN: true }), { minLength: 400, maxLength: 400 });
    const grown = fc.sample(noise, 200).filter((values) => findGrowth(toPoints(values), 0)!.grows);
    expect(grown.length).toBeLessThan(10);
  });

  test('nothing is said of a few points', () => {
    expect(findGrowth(toPoints([1, 2, 3, 4]), 0)).toBeUndefined();
  });
});
