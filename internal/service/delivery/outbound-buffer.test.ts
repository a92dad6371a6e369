import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Frame } from '../../model/frame.ts';
import { OutboundBuffer } from './outbound-buffer.ts';

const frame = (...values: number[]) => new Frame(Uint8Array.from(values));

/** The next frame, when there is one; undefined once the buffer has ended and is empty. */
async function next(outbound: OutboundBuffer): Promise<Frame | undefined> {
  await new Promise<void>((resolve) => outbound.readBy({ onReady: resolve }));
  return outbound.take();
}

/** Takes every frame until the buffer has ended. */
async function drain(outbound: OutboundBuffer): Promise<number[][]> {
  const frames: number[][] = [];
  for (let taken = await next(outbound); taken; taken = await next(outbound)) frames.push([...taken.bytes]);
  return frames;
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise.then(() => false), nextTurn(true)])) ?? false;
}

describe('an outbound buffer', () => {
  test('sends all that is pushed in one turn as one frame', async () => {
    const outbound = new OutboundBuffer({ maxBytes: 100, maxFrameBytes: 100 });
    const taken = next(outbound);
    outbound.push(frame(1));
    await Promise.resolve();
    outbound.push(frame(2, 3), 'chat');
    expect([...(await taken)!.bytes]).toEqual([1, 2, 3]);
  });

  test('hands on a single frame as it is, so that readers share it', async () => {
    const outbound = new OutboundBuffer({ maxBytes: 100, maxFrameBytes: 100 });
    const only = frame(1, 2);
    outbound.push(only);
    expect(await next(outbound)).toBe(only);
  });

  test('gives readers who are pushed the same frames the same joined frame', async () => {
    const [one, two] = [frame(1), frame(2)];
    const taken = await Promise.all(
      [1, 2].map(() => {
        const outbound = new OutboundBuffer({ maxBytes: 100, maxFrameBytes: 100 });
        outbound.push(one);
        outbound.push(two);
        return next(outbound);
      }),
    );
    expect(taken[0]).toBe(taken[1]);
    expect([...taken[0]!.bytes]).toEqual([1, 2]);
  });

  test('closes a frame at its size, and sends one that is bigger alone', async () => {
    const outbound = new OutboundBuffer({ maxBytes: 100, maxFrameBytes: 4 });
    for (const each of [frame(1, 2), frame(3, 4), frame(5), frame(6, 6, 6, 6, 6), frame(7)]) outbound.push(each);
    outbound.end();
    expect(await drain(outbound)).toEqual([[1, 2, 3, 4], [5], [6, 6, 6, 6, 6], [7]]);
  });

  test('delivers what was pushed before its end, and nothing that comes after', async () => {
    const outbound = new OutboundBuffer({ maxBytes: 100, maxFrameBytes: 100 });
    outbound.push(frame(1));
    outbound.end();
    outbound.push(frame(2));
    outbound.end();
    expect(await drain(outbound)).toEqual([[1]]);
    expect(await next(outbound)).toBeUndefined();
  });

  test('has room below its limit, and lets writers wait until three quarters have been taken', async () => {
    const outbound = new OutboundBuffer({ maxBytes: 8, maxFrameBytes: 3 });
    for (let i = 0; i < 3; i += 1) outbound.push(frame(i, i, i));
    expect([outbound.hasRoom, outbound.bytes]).toEqual([false, 9]);
    const room = outbound.whenRoom();
    await next(outbound);
    expect([outbound.hasRoom, await isPending(room)]).toEqual([true, true]);
    await next(outbound);
    expect(await isPending(room)).toBe(true);
    await next(outbound);
    await room;
    expect(outbound.bytes).toBe(0);
  });

  test('does not make writers wait for room once it has ended', async () => {
    const outbound = new OutboundBuffer({ maxBytes: 4, maxFrameBytes: 4 });
    outbound.push(frame(1, 2, 3, 4, 5));
    const room = outbound.whenRoom();
    outbound.end();
    await room;
    await outbound.whenRoom();
  });

  test('drops the messages of a chat, or all of them, and nothing else', async () => {
    const fill = () => {
      const outbound = new OutboundBuffer({ maxBytes: 4, maxFrameBytes: 100 });
      outbound.push(frame(1), 'a');
      outbound.push(frame(2));
      outbound.push(frame(3, 3, 3, 3), 'b');
      outbound.push(frame(4), 'a');
      return outbound;
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
        const outbound = new OutboundBuffer({ maxBytes: 20, maxFrameBytes });
        const drained = drain(outbound);
        const pushed: number[] = [];
        for (const step of steps) {
          if (typeof step === 'string') await nextTurn();
          else {
            outbound.push(new Frame(step));
            pushed.push(...step);
          }
        }
        outbound.end();
        const frames = await drained;
        expect(frames.flat()).toEqual(pushed);
        const longest = Math.max(maxFrameBytes, ...steps.map((step) => step.length));
        for (const bytes of frames) expect(bytes.length).toBeLessThanOrEqual(longest);
        expect(outbound.bytes).toBe(0);
      },
    ),
  );
});
