import fc from 'fast-check';
import { expect, test } from 'vitest';
import { framesOf, IteratedInbox } from './inbox.ts';

async function* counting(count: number, scheduler: fc.Scheduler, asked: { count: number }): AsyncGenerator<number> {
  for (let i = 0; i < count; i += 1) {
    asked.count += 1;
    await scheduler.schedule(Promise.resolve());
    yield i;
  }
}

test('every frame comes once and in order, and then the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(10), fc.scheduler(), async (count, scheduler) => {
      const asked = { count: 0 };
      const taken: number[] = [];
      const reading = (async () => {
        for await (const frame of framesOf(new IteratedInbox(counting(count, scheduler, asked), (frame) => frame))) {
          taken.push(frame);
          await scheduler.schedule(Promise.resolve());
          // One is fetched ahead at the most.
          expect(asked.count).toBeLessThanOrEqual(taken.length + 1);
        }
      })();
      await scheduler.waitFor(reading);
      expect(taken).toEqual(Array.from({ length: count }, (_, i) => i));
    }),
  );
});

test('what breaks the iteration is thrown after the frames before it', async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    throw new Error('not a frame');
  }
  const frames = framesOf(new IteratedInbox(broken(), (frame) => frame));
  expect(await frames.next()).toEqual({ done: false, value: 1 });
  await expect(frames.next()).rejects.toThrow('not a frame');
});
