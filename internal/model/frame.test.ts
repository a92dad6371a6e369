import { describe, expect, test } from 'vitest';
import { Frame, type FrameForm } from './frame.ts';

const frameOf = (...values: number[]) => new Frame(Uint8Array.from(values));

/** Converts bytes to text with a prefix, and counts its calls. */
class Prefixed implements FrameForm<string> {
  made = 0;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  make(bytes: Uint8Array): string {
    this.made += 1;
    return `${this.#prefix}${bytes}`;
  }
}

describe('a frame', () => {
  test('is converted to each form at most once, and only on demand', () => {
    const [one, two, unused] = [new Prefixed('one '), new Prefixed('two '), new Prefixed('')];
    const frame = frameOf(1, 2);
    for (let reader = 0; reader < 400; reader += 1) {
      expect(frame.as(one)).toBe('one 1,2');
      expect(frame.as(two)).toBe('two 1,2');
    }
    expect([one.made, two.made, unused.made]).toEqual([1, 1, 0]);
    expect(frameOf(3).as(one)).toBe('one 3');
    expect(one.made).toBe(2);
  });

  test('tries again to make a form whose conversion failed', () => {
    let failures = 1;
    const form = {
      make(): string {
        if (failures-- > 0) throw new Error('not yet');
        return 'made';
      },
    };
    const frame = frameOf(1);
    expect(() => frame.as(form)).toThrow('not yet');
    expect(frame.as(form)).toBe('made');
  });

  test('joined to the same frames is the same frame', () => {
    const [a, b, c] = [frameOf(1), frameOf(2), frameOf(3, 4)];
    const joined = Frame.join([a, b, c]);
    expect([...joined.bytes]).toEqual([1, 2, 3, 4]);
    expect(Frame.join([a, b, c])).toBe(joined);
    expect(Frame.join([a])).toBe(a);
  });

  test('joined to other frames is another frame, even if they are equal, fewer, more or in another order', () => {
    const [a, b, c] = [frameOf(1), frameOf(2), frameOf(3)];
    for (const others of [
      [a, b],
      [a, b, c, a],
      [a, c, b],
      [c, b, a],
      [a, b, frameOf(3)],
    ]) {
      const joined = Frame.join([a, b, c]);
      const other = Frame.join(others);
      expect(other).not.toBe(joined);
      expect([...other.bytes]).toEqual(others.flatMap(({ bytes }) => [...bytes]));
    }
  });
});
