import type { FrameWriter } from './session.ts';

/**
 * Turns what writes frames into what can be iterated: the next frame is asked for when the one before has been taken. Throws what `run`
 * throws. When the iteration is given up, the signal that `run` was given aborts.
 */
export async function* pullFrames(
  run: (write: FrameWriter, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const givenUp = new AbortController();
  let waiting: Uint8Array | undefined;
  let take = () => {};
  let wake = () => {};
  let ended = false;
  const write = (frame: Uint8Array) => {
    waiting = frame;
    wake();
    return new Promise<void>((resolve) => {
      take = resolve;
    });
  };
  const running = run(write, AbortSignal.any([signal, givenUp.signal])).finally(() => {
    ended = true;
    wake();
  });
  running.catch(() => {});
  try {
    for (;;) {
      if (waiting) {
        const frame = waiting;
        waiting = undefined;
        yield frame;
        take();
      } else if (ended) {
        break;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    await running;
  } finally {
    givenUp.abort();
  }
}
