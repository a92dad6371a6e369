import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Outbox } from './outbox.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

/** The next frame, when there is one; undefined once the outbox has ended and is empty. */
async function next(outbox: Outbox): Promise<Uint8Array | undefined> {
  await new Promise<void>((resolve) => outbox.onReady(resolve));
  return outbox.take();
}

/** Takes every frame until the outbox has ended. */
async function drain(outbox: Outbox): Promise<number[][]> {
  const frames: number[][] = [];
  for (let frame = await next(outbox); frame; frame = await next(outbox)) frames.push([...frame]);
  return frames;
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise.then(() => false), nextTurn(true)])) ?? false;
}

describe('an outbox', () => {
  test('sends all that is pushed in one turn as one frame', async () => {
    const outbox = new Outbox({ maxBytes: 100, maxFrameBytes: 100 }, Buffer.concat);
    const frame = next(outbox);
    outbox.push(bytes(1));
    await Promise.resolve();
    outbox.push(bytes(2, 3), 'chat');
    expect([...(await frame)!]).toEqual([1, 2, 3]);
  });

  test('hands on a single piece as it is, so that readers share it', async () => {
    const outbox = new Outbox({ maxBytes: 100, maxFrameBytes: 100 }, Buffer.concat);
    const piece = bytes(1, 2);
    outbox.push(piece);
    expect(await next(outbox)).toBe(piece);
  });

  test('closes a frame at its size, and sends a piece that is bigger alone', async () => {
    const outbox = new Outbox({ maxBytes: 100, maxFrameBytes: 4 }, Buffer.concat);
    for (const piece of [bytes(1, 2), bytes(3, 4), bytes(5), bytes(6, 6, 6, 6, 6), bytes(7)]) outbox.push(piece);
    outbox.end();
    expect(await drain(outbox)).toEqual([[1, 2, 3, 4], [5], [6, 6, 6, 6, 6], [7]]);
  });

  test('delivers what was pushed before its end, and nothing that comes after', async () => {
    const outbox = new Outbox({ maxBytes: 100, maxFrameBytes: 100 }, Buffer.concat);
    outbox.push(bytes(1));
    outbox.end();
    outbox.push(bytes(2));
    outbox.end();
    expect(await drain(outbox)).toEqual([[1]]);
    expect(await next(outbox)).toBeUndefined();
  });

  test('has room below its limit, and lets writers wait until most of it has been taken', async () => {
    const outbox = new Outbox({ maxBytes: 8, maxFrameBytes: 3 }, Buffer.concat);
    for (let i = 0; i < 3; i += 1) outbox.push(bytes(i, i, i));
    expect([outbox.hasRoom, outbox.bytes]).toEqual([false, 9]);
    const room = outbox.whenRoom();
    await next(outbox);
    expect([outbox.hasRoom, await isPending(room)]).toEqual([true, true]);
    await next(outbox);
    expect(await isPending(room)).toBe(true);
    await next(outbox);
    await room;
    expect(outbox.bytes).toBe(0);
  });

  test('lets nobody wait for room once it has ended', async () => {
    const outbox = new Outbox({ maxBytes: 4, maxFrameBytes: 4 }, Buffer.concat);
    outbox.push(bytes(1, 2, 3, 4, 5));
    const room = outbox.whenRoom();
    outbox.end();
    await room;
    await outbox.whenRoom();
  });

  test('drops the messages of a chat, or all of them, and nothing else', async () => {
    const fill = () => {
      const outbox = new Outbox({ maxBytes: 4, maxFrameBytes: 100 }, Buffer.concat);
      outbox.push(bytes(1), 'a');
      outbox.push(bytes(2));
      outbox.push(bytes(3, 3, 3, 3), 'b');
      outbox.push(bytes(4), 'a');
      return outbox;
    };
    const [one, all] = [fill(), fill()];
    const room = all.whenRoom();
    one.drop('a');
    expect(one.bytes).toBe(5);
    one.end();
    expect(await drain(one)).toEqual([[2, 3, 3, 3, 3]]);
    all.dropMessages();
    await room;
    all.end();
    expect(await drain(all)).toEqual([[2]]);
  });
});

test('whatever is pushed and taken, every byte comes out once, in order, in frames of the given size', async () => {
  const piece = fc.uint8Array({ minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(piece, fc.constant('turn'))),
      fc.integer({ min: 1, max: 12 }),
      async (steps, maxFrameBytes) => {
        const outbox = new Outbox({ maxBytes: 20, maxFrameBytes }, Buffer.concat);
        const drained = drain(outbox);
        const pushed: number[] = [];
        for (const step of steps) {
          if (typeof step === 'string') await nextTurn();
          else {
            outbox.push(step);
            pushed.push(...step);
          }
        }
        outbox.end();
        const frames = await drained;
        expect(frames.flat()).toEqual(pushed);
        const longest = Math.max(maxFrameBytes, ...steps.map((step) => step.length));
        for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(longest);
        expect(outbox.bytes).toBe(0);
      },
    ),
  );
});
