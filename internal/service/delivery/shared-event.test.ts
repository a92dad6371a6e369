import { expect, test } from 'vitest';
import type { Event } from '../../model/event.ts';
import { Frame } from '../../model/frame.ts';
import { SharedEvent } from './shared-event.ts';

test('an event is encoded once for all readers, and only when one asks', () => {
  let encoded = 0;
  const encoder = {
    encode({ kind }: Event) {
      encoded += 1;
      return new Frame(Buffer.from(kind));
    },
    encodeEntries: () => [],
  };
  const shared = new SharedEvent({ kind: 'pong', commandId: '1' });
  expect(encoded).toBe(0);
  const frame = shared.frame(encoder);
  for (let reader = 0; reader < 400; reader += 1) expect(shared.frame(encoder)).toBe(frame);
  expect(encoded).toBe(1);
  expect(shared.frame({ ...encoder })).not.toBe(frame);
});
