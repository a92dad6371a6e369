import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { FinishOutcome, MessageStreaming } from '../../../pkg/api/chat/v1/chat.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { compose, isGapless } from '../clients/composed.ts';
import { newGroup, type Person, say, signIn } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';
import { type CommandBody, commands, type EventBody, type StreamProbe } from '../clients/stream-probe.ts';

const nothing = '00000000-0000-4000-8000-000000000000';
const { COMPLETE, CANCELLED } = FinishOutcome;

/** Registers the tests of streamed messages by call that every transport must pass. */
export function streamedMessagesContract(open: () => Transport): void {
  describe('a streamed message, by calls,', () => {
    async function scene() {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const group = await newGroup(alice, bob);
      const start = (text = '', clientMessageId: string = randomUUID()) =>
        bob.chat.startMessage({ chatId: group.id, clientMessageId, text });
      const started = await start('Once');
      const ids = { chatId: group.id, messageId: started.messageId };
      const append = (part: number, text: string, person = bob, fields: object = {}) =>
        person.chat.appendMessage({ ...ids, part, text, ...fields });
      const finish = (outcome: FinishOutcome = COMPLETE) => bob.chat.finishMessage({ ...ids, outcome });
      const read = async (person = alice) => (await person.chat.getMessage(ids)).message;
      return { alice, bob, group, start, started, ids, append, finish, read };
    }

    test('is one message that anyone can read while it grows, and is complete when it is finished', async () => {
      const { alice, append, finish, read, started, group } = await scene();
      expect(started).toMatchObject({ seq: 2, nextPart: 1, createdAt: expect.any(Date) });
      const { STREAMING, UNSPECIFIED } = MessageStreaming;
      expect(await read()).toMatchObject({ seq: 2, updateSeq: 2, text: 'Once', streaming: STREAMING });
      expect(await append(1, ' upon')).toEqual({ seq: 3, createdAt: expect.any(Date) });
      expect(await append(2, ' a 😀')).toMatchObject({ seq: 4 });
      expect(await read()).toMatchObject({ seq: 2, updateSeq: 4, text: 'Once upon a 😀', streaming: STREAMING });
      expect(await finish()).toEqual({ seq: 5, createdAt: expect.any(Date) });
      const final = { seq: 2, updateSeq: 5, text: 'Once upon a 😀', streaming: UNSPECIFIED, editedAt: undefined };
      expect(await read()).toMatchObject(final);
      const { changes } = await alice.chat.listChanges({ chatId: group.id, afterSeq: 1, pageSize: 0 });
      expect(changes).toMatchObject([
        { change: { $case: 'message', value: final } },
        { change: { $case: 'covered', value: { fromSeq: 3, toSeq: 4 } } },
        { change: { $case: 'messageChanged', value: { message: final } } },
      ]);
    });

    test('is begun, continued and ended once, however often it is asked for', async () => {
      const { start, append, finish, read, bob, group } = await scene();
      const first = await start('a', 'x');
      expect(await start('a', 'x')).toEqual(first);
      await expect(start('b', 'x')).rejects.toMatchObject({ code: 'ALREADY_EXISTS', reason: 'MESSAGE_ID_REUSED' });
      const ordinary = { chatId: group.id, text: 'a', clientMessageId: 'x' };
      await expect(bob.chat.sendMessage(ordinary)).rejects.toMatchObject({ reason: 'MESSAGE_ID_REUSED' });
      const part = await append(1, ' upon');
      expect(await append(1, ' upon')).toEqual(part);
      await append(2, ' a');
      expect(await append(1, ' upon')).toMatchObject({ seq: part.seq + 1 });
      const end = await finish();
      expect(await finish()).toEqual(end);
      await expect(finish(CANCELLED)).rejects.toMatchObject({ reason: 'NOT_STREAMING' });
      expect(await append(2, ' a')).toMatchObject({ seq: end.seq });
      await expect(append(3, ' time')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NOT_STREAMING' });
      expect(await read()).toMatchObject({ text: 'Once upon a', updateSeq: end.seq });
    });

    test('tells a sender that was restarted which part comes next, and refuses a later one', async () => {
      const { start, append, bob, group } = await scene();
      const { messageId } = await start('a', 'x');
      const missing = append(3, 'c', bob, { messageId });
      await expect(missing).rejects.toMatchObject({
        ...{ code: 'FAILED_PRECONDITION', reason: 'PART_MISSING' },
        violations: [{ field: 'part', description: expect.stringContaining('at most 1:') }],
      });
      await append(1, 'b', bob, { messageId });
      expect(await start('a', 'x')).toMatchObject({ messageId, nextPart: 2 });
      expect((await bob.chat.getMessage({ chatId: group.id, messageId })).message?.text).toBe('ab');
    });

    test('that is cancelled keeps its text', async () => {
      const { append, finish, read } = await scene();
      await append(1, ' upon');
      await finish(CANCELLED);
      expect(await read()).toMatchObject({ text: 'Once upon', streaming: MessageStreaming.CANCELLED });
    });

    test('is edited only when it has ended, and when it is deleted takes no further part', async () => {
      const { alice, bob, append, finish, read, ids, start } = await scene();
      const edit = (text: string) =>
        bob.chat.editMessage({ ...ids, text, clientChangeId: randomUUID(), ifVersion: undefined });
      await expect(edit('x')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'MESSAGE_STREAMING' });
      await append(1, ' upon');
      await finish(CANCELLED);
      await edit('edited');
      expect(await read()).toMatchObject({ text: 'edited', streaming: MessageStreaming.CANCELLED });
      const { messageId } = await start('secret');
      const deletion = { clientChangeId: '', hide: false, reason: '', ifVersion: undefined };
      await alice.chat.deleteMessage({ ...ids, ...deletion, messageId });
      const deleted = { code: 'FAILED_PRECONDITION', reason: 'MESSAGE_DELETED' };
      await expect(append(1, 'x', bob, { messageId })).rejects.toMatchObject(deleted);
      const request = { ...ids, messageId, outcome: COMPLETE };
      await expect(bob.chat.finishMessage(request)).rejects.toMatchObject(deleted);
      const state = { text: '', streaming: MessageStreaming.UNSPECIFIED };
      expect((await alice.chat.getMessage({ ...ids, messageId })).message).toMatchObject(state);
    });

    test('is continued by its sender alone', async () => {
      const { alice, bob, append, group, ids } = await scene();
      const denied = { code: 'PERMISSION_DENIED', reason: 'NOT_THE_SENDER' };
      await expect(append(1, 'x', alice)).rejects.toMatchObject(denied);
      const eve = await signIn(open(), 'eve');
      await expect(append(1, 'x', eve)).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
      await expect(append(1, 'x', bob, { messageId: nothing })).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });
      const { messageId } = await say(bob, group, 'ordinary');
      await expect(append(1, 'x', bob, { messageId })).rejects.toMatchObject({ reason: 'NOT_STREAMING' });
      await expect(alice.chat.stopMessage({ ...ids, messageId })).rejects.toMatchObject({ reason: 'NOT_STREAMING' });
      await expect(eve.chat.stopMessage(ids)).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
      await expect(alice.chat.stopMessage({ ...ids, messageId: nothing })).rejects.toMatchObject({
        reason: 'MESSAGE_NOT_FOUND',
      });
      expect(await alice.chat.stopMessage(ids)).toEqual({});
    });

    test('that is not valid is refused with the field at fault', async () => {
      const { append, bob, ids, group, start } = await scene();
      expect(await refusedFields(append(0, ''))).toEqual(['part', 'text']);
      expect(await refusedFields(append(1, 'a\0'))).toEqual(['text']);
      expect(await refusedFields(start('', 'a b'))).toEqual(['client_message_id']);
      expect(await refusedFields(bob.chat.finishMessage({ ...ids, outcome: FinishOutcome.UNSPECIFIED }))).toEqual([
        'outcome',
      ]);
      expect(await refusedFields(append(1, 'x'.repeat(64_000)))).toEqual(['text']);
      await append(1, 'x'.repeat(63_996));
      expect(await refusedFields(append(2, 'x'))).toEqual(['text']);
      const { messages } = await bob.chat.listMessages({ chatId: group.id });
      expect(messages.at(-1)?.text).toHaveLength(64_000);
    });
  });
}

type Answered = Extract<EventBody, { $case: 'accepted' | 'rejected' }>;

/** Registers the tests of streamed messages in streams that every transport with streams must pass. */
export function liveStreamedMessagesContract(open: () => Transport): void {
  describe('a streamed message, in streams,', () => {
    async function reading(person: Person, chatId: string, afterSeq?: number): Promise<StreamProbe> {
      const stream = await person.connect();
      await stream.ask(commands.subscribe(chatId, afterSeq));
      await stream.nextOf('caughtUp');
      return stream;
    }

    const append = (chatId: string, messageId: string, part: number, text: string): CommandBody => ({
      $case: 'appendMessage',
      value: { chatId, messageId, part, text },
    });
    const finish = (chatId: string, messageId: string, outcome: FinishOutcome = COMPLETE): CommandBody => ({
      $case: 'finishMessage',
      value: { chatId, messageId, outcome },
    });

    async function start(stream: StreamProbe, chatId: string, text = ''): Promise<string> {
      const value = { chatId, clientMessageId: randomUUID(), text };
      const answer = await stream.ask({ $case: 'startMessage', value });
      expect(answer.$case).toBe('accepted');
      return (answer as Extract<EventBody, { $case: 'accepted' }>).value.messageId;
    }

    async function scene() {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const group = await newGroup(alice, bob);
      const [sender, reader] = await Promise.all([reading(alice, group.id), reading(bob, group.id)]);
      return { alice, bob, chatId: group.id, sender, reader };
    }

    /** Sends the commands in one frame. Resolves with their answers. */
    const askAll = (stream: StreamProbe, bodies: readonly CommandBody[]) =>
      Promise.all(bodies.map((body) => stream.ask(body))) as Promise<Answered[]>;
    /** Resolves when the stream has the last number. */
    const reached = (stream: StreamProbe, chatId: string, seq: number) =>
      stream.until(() => compose(stream.events, chatId).numbers.some(([, to]) => to >= seq));

    test('reaches readers piece by piece, in order, each piece once, and whole at the end', async () => {
      const { alice, chatId, sender, reader } = await scene();
      const messageId = await start(sender, chatId, 'Once');
      const tokens = Array.from({ length: 100 }, (_, i) => (i % 9 === 0 ? ' 😀' : ` ${i}`));
      const answers = await askAll(
        sender,
        tokens.map((text, i) => append(chatId, messageId, i + 1, text)),
      );
      expect(answers.filter(({ $case }) => $case !== 'accepted')).toEqual([]);
      const end = await sender.ask(finish(chatId, messageId));
      expect(end).toMatchObject({ $case: 'accepted', value: { messageId } });
      const { seq } = (end as Extract<Answered, { $case: 'accepted' }>).value;
      const text = `Once${tokens.join('')}`;
      for (const stream of [sender, reader]) {
        await reached(stream, chatId, seq);
        const { messages, texts, numbers } = compose(stream.events, chatId);
        expect(isGapless(numbers, 1, seq)).toBe(true);
        expect(messages.get(messageId)).toMatchObject({ text, updateSeq: seq, seq: 2 });
        for (const each of texts.get(messageId)!) expect(text.startsWith(each)).toBe(true);
        let chars = 4;
        for (const part of stream.all('messagePart')) {
          expect(part.offset).toBe(chars);
          chars += [...part.text].length;
        }
        const changed = stream.all('messageChanged').map(({ message }) => message);
        expect(changed).toMatchObject([{ text, streaming: MessageStreaming.UNSPECIFIED }]);
      }
      const { message } = await alice.chat.getMessage({ chatId, messageId });
      expect(compose(reader.events, chatId).messages.get(messageId)).toEqual(message);
    });

    test('is resumed at every number, while it grows and when it is complete', async () => {
      const { bob, chatId, sender, reader } = await scene();
      const messageId = await start(sender, chatId, 'a');
      for (const [i, text] of ['b', 'c', 'd'].entries()) await sender.ask(append(chatId, messageId, i + 1, text));
      await reached(reader, chatId, 5);
      const began: [number, StreamProbe][] = [];
      for (let cursor = 0; cursor <= 5; cursor += 1) began.push([cursor, await reading(bob, chatId, cursor)]);
      for (const [i, text] of ['e', 'f'].entries()) await sender.ask(append(chatId, messageId, i + 4, text));
      await sender.ask(finish(chatId, messageId));
      for (let cursor = 0; cursor <= 8; cursor += 1) began.push([cursor, await reading(bob, chatId, cursor)]);
      await reached(reader, chatId, 8);
      for (const [cursor, stream] of began) {
        if (cursor < 8) await reached(stream, chatId, 8);
        // What the reader had at the cursor.
        const before = reader.events.filter((event) => compose([event], chatId).numbers.some(([, to]) => to <= cursor));
        const known = [...compose(before, chatId).messages.values()];
        const { messages, texts, numbers } = compose(stream.events, chatId, known);
        expect(isGapless(numbers, cursor, 8)).toBe(true);
        expect(messages.get(messageId)).toMatchObject({ text: 'abcdef', updateSeq: 8 });
        for (const each of texts.get(messageId) ?? []) expect('abcdef'.startsWith(each)).toBe(true);
      }
    });

    test('goes on by another stream, with the parts whose answers were lost', async () => {
      const { alice, chatId, sender, reader } = await scene();
      const messageId = await start(sender, chatId);
      const parts = Array.from({ length: 30 }, (_, i) => append(chatId, messageId, i + 1, `${i} `));
      for (const part of parts.slice(0, 20)) sender.send(part);
      // The sender vanishes while some parts are stored and some may not be.
      await reader.until(() => reader.all('messagePart').length > 0);
      sender.close();
      const other = await reading(alice, chatId);
      const answers = await askAll(other, parts);
      expect(answers.filter(({ $case }) => $case !== 'accepted')).toEqual([]);
      await other.ask(finish(chatId, messageId));
      const { message } = await reader.nextOf('messageChanged');
      expect(message?.text).toBe(Array.from({ length: 30 }, (_, i) => `${i} `).join(''));
    });

    test('that lacks a part is told which one, and goes on from there', async () => {
      const { chatId, sender } = await scene();
      const messageId = await start(sender, chatId);
      const late = await sender.ask(append(chatId, messageId, 2, 'b'));
      if (late.$case !== 'rejected') return expect.unreachable();
      expect(errorFromStatus(late.value.status!)).toMatchObject({ reason: 'PART_MISSING' });
      const answers = await askAll(sender, [
        append(chatId, messageId, 1, 'a'),
        append(chatId, messageId, 2, 'b'),
        append(chatId, messageId, 2, 'b'),
        append(chatId, messageId, 1, 'a'),
        append(chatId, messageId, 4, 'd'),
        append(chatId, messageId, 3, 'c'),
      ]);
      expect(answers.map(({ $case }) => $case)).toEqual([
        ...['accepted', 'accepted', 'accepted', 'accepted', 'rejected', 'accepted'],
      ]);
      await sender.ask(finish(chatId, messageId));
      expect((await sender.nextOf('messageChanged')).message?.text).toBe('abc');
    });

    test('is asked to stop by a reader, which only its sender hears', async () => {
      const { bob, chatId, sender, reader } = await scene();
      const messageId = await start(sender, chatId);
      const stop: CommandBody = { $case: 'stopMessage', value: { chatId, messageId } };
      expect(await reader.ask(stop)).toMatchObject({ $case: 'accepted' });
      const user = { id: bob.id, name: bob.name };
      expect(await sender.nextOf('stopRequested')).toEqual({ chatId, messageId, user });
      await sender.ask(finish(chatId, messageId, CANCELLED));
      const { message } = await reader.nextOf('messageChanged');
      expect(message).toMatchObject({ text: '', streaming: MessageStreaming.CANCELLED });
      expect(reader.all('stopRequested')).toEqual([]);
      expect(await reader.ask(stop)).toMatchObject({ $case: 'rejected' });
    });

    test('that is deleted in mid-stream is gone for everyone, also for those who come later', async () => {
      const { bob, alice, chatId, sender, reader } = await scene();
      const messageId = await start(sender, chatId, 'sec');
      await sender.ask(append(chatId, messageId, 1, 'ret'));
      const ids = { chatId, messageId, clientChangeId: '', hide: false, reason: '', ifVersion: undefined };
      await sender.ask({ $case: 'deleteMessage', value: ids });
      expect(await sender.ask(append(chatId, messageId, 2, '!'))).toMatchObject({ $case: 'rejected' });
      await reached(reader, chatId, 4);
      expect(compose(reader.events, chatId).messages.get(messageId)).toMatchObject({ text: '' });
      for (const person of [alice, bob]) {
        for (const cursor of [1, 2, 3]) {
          const stream = await reading(person, chatId, cursor);
          await reached(stream, chatId, 4);
          const { texts, numbers } = compose(stream.events, chatId);
          expect(isGapless(numbers, cursor, 4)).toBe(true);
          expect([...texts.values()].flat().join('')).toBe('');
          expect(stream.all('messagePart')).toEqual([]);
        }
      }
    });
  });
}
