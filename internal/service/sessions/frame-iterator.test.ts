import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Frame } from '../../model/frame.ts';
import type { LightAbortSignal } from '../../model/light-abort.ts';
import { frameIterator } from './frame-iterator.ts';
import type { FrameWriter } from './frame-sender.ts';

const frame = (value: number) => new Frame(Uint8Array.of(value));
const never = new AbortController().signal;
const untilAborted = (signal: LightAbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });

test('every frame comes once and in order, however writer and reader take turns', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 20 }),
      fc.scheduler(),
      async (pauses, scheduler) => {
        const turns = async (count: number) => {
          for (let i = 0; i < count; i += 1) await Promise.resolve();
        };
        const run = async (write: FrameWriter) => {
          for (const [i, [pause]] of pauses.entries()) {
            await turns(pause);
            await scheduler.schedule(Promise.resolve());
            await write(frame(i));
          }
        };
        const heard: number[] = [];
        const reading = (async () => {
          for await (const { bytes } of frameIterator(run, never)) {
            await turns(pauses[heard.length]![1]);
            heard.push(bytes[0]!);
          }
        })();
        await scheduler.waitFor(reading);
        expect(heard).toEqual(pauses.map((_, i) => i));
      },
    ),
  );
});

test('the next frame is asked for only when the one before has been taken', async () => {
  let written = 0;
  const run = async (write: FrameWriter) => {
    for (; written < 3; written += 1) await write(frame(written));
  };
  const frames = frameIterator(run, never);
  expect(await frames.next()).toEqual({ done: false, value: frame(0) });
  expect(written).toBe(0);
  expect(await frames.next()).toEqual({ done: false, value: frame(1) });
  expect(written).toBe(1);
  await frames.return();
});

test('what is written last is read before the end, and before the error that ends it', async () => {
  const good = async (write: FrameWriter) => void write(frame(1));
  const bad = async (write: FrameWriter) => {
    void write(frame(1));
    throw new Error('the end');
  };
  for (const [run, error] of [
    [good, undefined],
    [bad, 'the end'],
  ] as const) {
    const frames = frameIterator(run, never);
    expect(await frames.next()).toEqual({ done: false, value: frame(1) });
    if (error) await expect(frames.next()).rejects.toThrow(error);
    else expect(await frames.next()).toEqual({ done: true, value: undefined });
  }
});

test('an error before the first frame is thrown', async () => {
  const run = () => Promise.reject(new Error('at once'));
  await expect(frameIterator(run, never).next()).rejects.toThrow('at once');
});

test('a reader that gives up aborts the writing function, whose failure is then ignored', async () => {
  const given = Promise.withResolvers<LightAbortSignal>();
  const run = async (write: FrameWriter, signal: LightAbortSignal) => {
    given.resolve(signal);
    void write(frame(1));
    await untilAborted(signal);
    throw new Error('broken off');
  };
  for await (const given of frameIterator(run, never)) {
    expect(given).toEqual(frame(1));
    break;
  }
  expect((await given.promise).aborted).toBe(true);
});

test('the caller’s signal reaches the writing function', async () => {
  const controller = new AbortController();
  const run = (_: FrameWriter, signal: LightAbortSignal) => untilAborted(signal);
  const ended = frameIterator(run, controller.signal).next();
  controller.abort();
  expect(await ended).toEqual({ done: true, value: undefined });
});
