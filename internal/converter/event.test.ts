import { describe, expect, test } from 'vitest';
import * as wire from '../../pkg/api/chat/v1/chat.ts';
import { entryOf } from '../model/entry.ts';
import type { CloseReason, RemovalReason } from '../model/event.ts';
import type { Frame } from '../model/frame.ts';
import type { Message } from '../model/message.ts';
import { events, systemEvents } from '../testing/fields/one-of-each.ts';
import { ProtobufEventEncoder, toWireEvent } from './event.ts';
import { toWireMessage } from './message.ts';
import { fromWireSystemEvent } from './system-event.ts';

const encoder = new ProtobufEventEncoder();
const at = new Date(1_700_000_000_123);
const alice = { id: 'alice', name: 'Alice' };
const base = {
  id: 'm',
  chatId: 'c',
  seq: 3,
  updateSeq: 3,
  sender: alice,
  clientMessageId: 'x',
  text: 'text',
  createdAt: at,
};
function decode(...frames: readonly Frame[]): NonNullable<wire.Event['event']>[] {
  return wire.ConnectChatResponse.decode(Buffer.concat(frames.map(({ bytes }) => bytes))).events.map(
    ({ event }) => event!,
  );
}

describe('an event', () => {
  test.each(Object.values(events))('$kind is read back as it was written', (event) => {
    const [read] = decode(encoder.encode(event));
    expect(wire.Event.toJSON({ event: read })).toEqual(wire.Event.toJSON(toWireEvent(event)));
  });

  test('joined to others makes one frame with all of them', () => {
    const all = Object.values(events);
    expect(decode(...all.map((event) => encoder.encode(event))).map(({ $case }) => $case)).toEqual(
      all.map((event) => toWireEvent(event).event!.$case),
    );
  });

  test('says why a chat or a stream ended', () => {
    const removal = (reason: RemovalReason) =>
      decode(encoder.encode({ kind: 'chat_removed', chatId: 'c', reason }))[0]?.value;
    expect(removal('UNKNOWN')).toEqual({ chatId: 'c', reason: wire.RemovalReason.UNSPECIFIED });
    expect(removal('LEFT')).toEqual({ chatId: 'c', reason: wire.RemovalReason.LEFT });
    expect(removal('REMOVED')).toEqual({ chatId: 'c', reason: wire.RemovalReason.REMOVED });
    expect(removal('DELETED')).toEqual({ chatId: 'c', reason: wire.RemovalReason.DELETED });
    expect(removal('BANNED')).toEqual({ chatId: 'c', reason: wire.RemovalReason.BANNED });
    const closing = (reason: CloseReason) =>
      decode(encoder.encode({ kind: 'closing', reason, retryAfterMs: 1 }))[0]?.value;
    for (const reason of ['DRAINING', 'TOKEN_EXPIRED', 'PROTOCOL_ERROR', 'SESSION_REVOKED', 'BANNED'] as const) {
      expect(closing(reason)).toEqual({ reason: wire.CloseReason[reason], retryAfterMs: 1 });
    }
  });
});

describe('messages', () => {
  test('are one event each, in order', () => {
    const messages = [1, 2, 3].map((seq) => ({ ...base, seq, updateSeq: seq, text: `${seq} 😀` }));
    const frames = encoder.encodeEntries(messages.map(entryOf));
    expect(decode(...frames).map(({ value }) => value)).toEqual(messages.map(toWireMessage));
    expect(encoder.encodeEntries([])).toEqual([]);
  });

  test('are cut into frames that are small enough for any gRPC client', () => {
    const messages = Array.from({ length: 200 }, (_, i) => ({
      ...base,
      seq: i,
      updateSeq: i,
      text: '日'.repeat(i % 7 ? 4_000 : 65_536),
    }));
    const frames = encoder.encodeEntries(messages.map(entryOf));
    expect(Math.max(...frames.map(({ bytes }) => bytes.length))).toBeLessThan(1024 * 1024);
    expect(decode(...frames).map(({ value }) => value)).toEqual(messages.map(toWireMessage));
  });

  test('are valid UTF-8 even when a text is not valid UTF-16', () => {
    const broken: Message = { ...base, text: 'a\ud800b', sender: { id: 'alice', name: '\udc00' } };
    const strict = new TextDecoder('utf-8', { fatal: true });
    const [frame] = encoder.encodeEntries([entryOf(broken)]);
    const text = Buffer.from(frame!.bytes);
    const start = text.indexOf('a\u{fffd}b');
    expect(start).toBeGreaterThan(0);
    expect(strict.decode(text.subarray(start, start + 5))).toBe('a\u{fffd}b');
  });

  test.each(Object.values(systemEvents))('of the service are read back: %o', (event) => {
    const [decoded] = decode(...encoder.encodeEntries([entryOf({ ...base, system: event })]));
    expect(fromWireSystemEvent((decoded!.value as wire.Message).system?.event)).toEqual(event);
  });
});
