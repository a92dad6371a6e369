import { expect, test } from 'vitest';
import { eventually } from '../../testing/eventually.ts';
import { CpuBudget } from './cpu-budget.ts';

/** Keeps the CPU busy for `ms` milliseconds. */
function busy(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

test('work beyond the budget waits for later turns, in order, and the event loop serves others in between', async () => {
  const budget = new CpuBudget({ budgetMs: 5, turnMs: 5, maxWaiting: 5 });
  const done: (number | 'other')[] = [];
  for (let i = 0; i < 6; i += 1) {
    budget.run(() => {
      busy(4);
      done.push(i);
    });
  }
  // The first takes 4 of the turn's 5 ms, so the second may still begin.
  expect(done.length).toBeLessThanOrEqual(2);
  const other = setInterval(() => done.push('other'), 0);
  await eventually(() => expect(done.filter((entry) => entry !== 'other')).toEqual([0, 1, 2, 3, 4, 5]));
  clearInterval(other);
  expect(done.slice(0, done.indexOf(5))).toContain('other');
});

test('a later turn has a new budget', async () => {
  const budget = new CpuBudget({ budgetMs: 1, turnMs: 5, maxWaiting: 5 });
  let done = 0;
  budget.run(() => busy(2));
  await eventually(() => {
    const piece = () => {
      done += 1;
    };
    budget.run(piece);
    budget.cancel(piece);
    expect(done).toBe(1);
  });
});

test('work is refused while maxWaiting pieces wait; cancelled work does not run and makes room', async () => {
  const budget = new CpuBudget({ budgetMs: 1, turnMs: 5, maxWaiting: 2 });
  const done: string[] = [];
  const works = ['a', 'b', 'c', 'd'].map((name) => () => void done.push(name));
  const [a, b, c, d] = works as [() => void, () => void, () => void, () => void];
  expect(budget.run(() => busy(2))).toBe(true);
  expect([a, b, c].map((work) => budget.run(work))).toEqual([true, true, false]);
  budget.cancel(a);
  expect([d, c].map((work) => budget.run(work))).toEqual([true, false]);
  await eventually(() => expect(done).toEqual(['b', 'd']));
  expect(budget.run(c)).toBe(true);
  await eventually(() => expect(done).toEqual(['b', 'd', 'c']));
});
