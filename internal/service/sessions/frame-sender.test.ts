import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Frame } from '../../model/frame.ts';
import { OutboundBuffer } from '../delivery/outbound-buffer.ts';
import { FrameSender, type WriteFailure } from './frame-sender.ts';

const createOutbound = () => new OutboundBuffer({ maxBytes: 1_000, maxFrameBytes: 4 });
const frame = (text: string) => new Frame(Buffer.from(text));
const text = ({ bytes }: Frame) => bytes.toString();

test('frames are written as they come while the client has room for them', async () => {
  const outbound = createOutbound();
  const written: string[] = [];
  outbound.push(frame('ab'));
  new FrameSender({
    outbound,
    write: (given) => void written.push(text(given)),
    onFinished: () => written.push('finished'),
  }).start();
  expect(written).toEqual(['ab']);
  outbound.push(frame('cd'));
  outbound.push(frame('ef'));
  outbound.push(frame('gh'));
  await turn();
  expect(written).toEqual(['ab', 'cdef', 'gh']);
  outbound.end();
  await turn();
  expect(written).toEqual(['ab', 'cdef', 'gh', 'finished']);
});

test('while a frame is under way the next one stays in the buffer', async () => {
  const outbound = createOutbound();
  const written: string[] = [];
  const writes: PromiseWithResolvers<void>[] = [];
  let finished = 0;
  new FrameSender({
    outbound,
    write(given) {
      written.push(text(given));
      writes.push(Promise.withResolvers());
      return writes.at(-1)!.promise;
    },
    onFinished: () => (finished += 1),
  }).start();
  for (const each of ['abcd', 'efgh']) outbound.push(frame(each));
  outbound.end();
  await turn();
  expect(written).toEqual(['abcd']);
  expect(outbound.bytes).toBe(4);
  writes[0]!.resolve();
  await turn();
  expect(written).toEqual(['abcd', 'efgh']);
  // The last frame is still under way.
  expect(finished).toBe(0);
  writes[1]!.resolve();
  await turn();
  expect(finished).toBe(1);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('gone');
    },
  ],
  ['rejects', () => Promise.reject(new Error('gone'))],
])('a write that %s ends the sending, once', async (_, write) => {
  const outbound = createOutbound();
  const failures: (WriteFailure | undefined)[] = [];
  const onFinished = () => failures.push(sender.failure);
  outbound.push(frame('ab'));
  const sender = new FrameSender({ outbound, write, onFinished });
  sender.start();
  await turn();
  outbound.push(frame('cd'));
  outbound.end();
  await turn();
  expect(failures).toEqual([{ error: new Error('gone') }]);
  expect(outbound.bytes).toBe(2);
});

test('once stopped it writes nothing, and does not say that it has finished', async () => {
  const outbound = createOutbound();
  const written: string[] = [];
  const write = Promise.withResolvers<void>();
  const sender = new FrameSender({
    outbound,
    write(given) {
      written.push(text(given));
      return write.promise;
    },
    onFinished: () => written.push('finished'),
  });
  for (const each of ['abcd', 'efgh']) outbound.push(frame(each));
  sender.start();
  sender.stop();
  write.resolve();
  outbound.end();
  await turn();
  expect(written).toEqual(['abcd']);
});
