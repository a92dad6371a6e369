import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as bus from '../../pkg/api/bus/v1/bus.ts';
import * as wire from '../../pkg/api/chat/v1/chat.ts';
import { type Entry, entryOf } from '../model/entry.ts';
import type { EphemeralEvent } from '../model/ephemeral-event.ts';
import type { Message } from '../model/message.ts';
import type { ReactionChange } from '../model/reaction.ts';
import { systemEvents } from '../testing/fields/one-of-each.ts';
import { decodePublication, encodePublication, type Publication } from './publication.ts';

const [here, there] = [Buffer.from('here'), Buffer.from('there')];
const carried = (publication: Publication) => decodePublication(there, encodePublication(here, publication));

// Only well-formed Unicode: texts from the database are.
const text = fc.string({ unit: 'grapheme' });
const user = fc.record({ id: text, name: text });
const seq = fc.integer({ min: 1, max: 2 ** 51 });
const date = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });

/** One example for each kind of a union. A missing kind does not compile. */
type OfEachKind<T extends { kind: string }> = { [K in T['kind']]: fc.Arbitrary<Extract<T, { kind: K }>> };

const message: fc.Arbitrary<Message> = fc
  .record(
    {
      id: fc.uuid(),
      chatId: fc.uuid(),
      seq,
      updateSeq: seq,
      sender: user,
      clientMessageId: text,
      text,
      createdAt: date,
      system: fc.constantFrom(...Object.values(systemEvents)),
    },
    { requiredKeys: ['id', 'chatId', 'seq', 'updateSeq', 'sender', 'clientMessageId', 'text', 'createdAt'] },
  )
  .map((value) => ({ ...value, updateSeq: Math.max(value.seq, value.updateSeq) }));
const reaction: fc.Arbitrary<ReactionChange> = fc
  .record({
    chatId: fc.uuid(),
    messageId: fc.uuid(),
    messageSeq: seq,
    seq,
    user,
    emoji: text,
    added: fc.boolean(),
    createdAt: date,
    count: fc.record({ emoji: text, count: fc.nat(), seq }),
  })
  .map((value) => ({ ...value, seq: value.messageSeq + value.seq }));
const entries: OfEachKind<Entry> = {
  message: fc.record({ kind: fc.constant('message'), message }),
  message_changed: fc.record({ kind: fc.constant('message_changed'), message }),
  covered: fc
    .record({ kind: fc.constant('covered'), chatId: fc.uuid(), fromSeq: seq, toSeq: seq })
    .map((value) => ({ ...value, toSeq: Math.max(value.fromSeq, value.toSeq) })),
  reaction: fc.record({ kind: fc.constant('reaction'), reaction }),
  message_part: fc.record({
    kind: fc.constant('message_part'),
    part: fc.record({ chatId: fc.uuid(), messageId: fc.uuid(), seq, offset: fc.nat(), text }),
  }),
};
const ephemeralEvents: OfEachKind<EphemeralEvent> = {
  typing: fc.record({ kind: fc.constant('typing'), chatId: fc.uuid(), user }),
  presence: fc.record({ kind: fc.constant('presence'), chatId: fc.uuid(), user, online: fc.boolean() }),
  read: fc.record({ kind: fc.constant('read'), chatId: fc.uuid(), userId: text, seq, generation: seq }),
  delivered: fc.record({ kind: fc.constant('delivered'), chatId: fc.uuid(), userId: text, seq }),
  stop_requested: fc.record({ kind: fc.constant('stop_requested'), chatId: fc.uuid(), messageId: fc.uuid(), user }),
};
const publications: OfEachKind<Publication> = {
  entries: fc.record(
    {
      kind: fc.constant('entries'),
      epoch: fc.string(),
      entries: fc.array(fc.oneof(...Object.values(entries)), { minLength: 1, maxLength: 5 }),
      traces: fc.array(fc.dictionary(fc.constantFrom('traceparent', 'tracestate', 'uber-trace-id'), text), {
        minLength: 1,
        maxLength: 3,
      }),
    },
    { requiredKeys: ['kind', 'epoch', 'entries'] },
  ),
  head: fc.record({ kind: fc.constant('head'), seq }),
  deleted: fc.constant({ kind: 'deleted' }),
  ephemeral: fc.record(
    { kind: fc.constant('ephemeral'), event: fc.oneof(...Object.values(ephemeralEvents)), onlyTo: text },
    { requiredKeys: ['kind', 'event'] },
  ),
  membership_changed: fc.constant({ kind: 'membership_changed' }),
};
const publication: fc.Arbitrary<Publication> = fc.oneof(...Object.values(publications));

test('another node decodes every publication unchanged, and the publishing node ignores its own', () => {
  fc.assert(
    fc.property(publication, (sent) => {
      expect(carried(sent)).toEqual(sent);
      expect(decodePublication(here, encodePublication(here, sent))).toBeUndefined();
    }),
  );
});

test('damaged bytes throw an error and never decode to part of a message', () => {
  const whole = fc.tuple(publication, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean());
  fc.assert(
    fc.property(whole, ([sent, at, byte, cut]) => {
      const bytes = Buffer.from(encodePublication(here, sent));
      const damaged = cut ? bytes.subarray(0, at % bytes.length) : bytes;
      if (!cut) bytes[at % bytes.length] = byte;
      let read: Publication | undefined;
      try {
        read = decodePublication(there, damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
      if (read?.kind !== 'entries') return;
      for (const entry of read.entries) {
        if (!('message' in entry)) continue;
        const { id, chatId, createdAt, sender } = entry.message;
        expect([id, chatId, createdAt, sender].every(Boolean)).toBe(true);
      }
    }),
  );
});

test('messages of a kind that only a newer release knows become a head', () => {
  const sent: Message = {
    ...{ id: 'x', chatId: 'y', seq: 3, updateSeq: 4, clientMessageId: '', text: '' },
    sender: { id: 'alice', name: '' },
    createdAt: new Date(),
    system: { kind: 'member_left' },
  };
  const { publication: body } = bus.Envelope.decode(
    encodePublication(here, { kind: 'entries', entries: [entryOf(sent)] }),
  );
  const { publication: inner } = bus.Publication.decode(body);
  if (inner?.$case !== 'messages') return expect.unreachable();
  inner.value.messages[0]!.system = wire.SystemMessage.fromPartial({});
  const changed = bus.Publication.encode({ publication: inner }).finish();
  const bytes = bus.Envelope.encode({ origin: here, publication: changed }).finish();
  expect(decodePublication(there, bytes)).toEqual({ kind: 'head', seq: 4 });
});

test('entries of a kind that only a newer release knows become a head', () => {
  const covered: Entry = { kind: 'covered', chatId: 'y', fromSeq: 3, toSeq: 4 };
  const { publication: body } = bus.Envelope.decode(encodePublication(here, { kind: 'entries', entries: [covered] }));
  const { publication: inner } = bus.Publication.decode(body);
  if (inner?.$case !== 'entries') return expect.unreachable();
  inner.value.entries.push({ change: undefined });
  inner.value.lastSeq = 5;
  const changed = bus.Publication.encode({ publication: inner }).finish();
  const bytes = bus.Envelope.encode({ origin: here, publication: changed }).finish();
  expect(decodePublication(there, bytes)).toEqual({ kind: 'head', seq: 5 });
});
