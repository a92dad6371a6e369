import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Message, SendMessageRequest } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, type Person, say, signIn } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';
import { commands } from '../clients/stream-probe.ts';
import { eventually } from '../eventually.ts';

const nothing = '00000000-0000-4000-8000-000000000000';

async function scene(open: () => Transport) {
  const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
  const group = await newGroup(alice, bob);
  const first = await say(alice, group, 'first');
  const send = (person: Person, fields: Partial<SendMessageRequest>) =>
    person.chat.sendMessage({ chatId: group.id, text: 'text', clientMessageId: randomUUID(), ...fields });
  const read = async (messageId: string) => (await bob.chat.getMessage({ chatId: group.id, messageId })).message!;
  const remove = (messageId: string, hide = false) =>
    alice.chat.deleteMessage({ chatId: group.id, messageId, clientChangeId: '', hide, reason: '' });
  return { alice, bob, group, first, send, read, remove };
}

/** Registers the tests of the type, silence and references of messages by call that every transport must pass. */
export function messageKindsContract(open: () => Transport): void {
  describe('kinds of messages', () => {
    test('a message has the type that its sender gave it, also after an edit; text is no type', async () => {
      const { alice, group, send, read } = await scene(open);
      const { messageId } = await send(alice, { type: 'order.shipped_2-x' });
      expect(await read(messageId)).toMatchObject({ text: 'text', type: 'order.shipped_2-x', silent: false });
      await alice.chat.editMessage({ chatId: group.id, messageId, text: 'other', clientChangeId: 'e' });
      expect(await read(messageId)).toMatchObject({ text: 'other', type: 'order.shipped_2-x' });
      for (const type of ['', 'text']) expect((await read((await send(alice, { type })).messageId)).type).toBe('');
      for (const type of ['Order', 'order shipped', 'ä', 'x'.repeat(65)])
        expect(await refusedFields(send(alice, { type }))).toEqual(['type']);
    });

    test('a silent message is unread for nobody', async () => {
      const { alice, bob, group, send, read } = await scene(open);
      const unread = async () => (await bob.chat.getChat({ chatId: group.id })).chat?.unreadCount;
      expect(await unread()).toBe(1);
      const { messageId, seq } = await send(alice, { silent: true });
      expect(await read(messageId)).toMatchObject({ silent: true });
      expect(await unread()).toBe(1);
      await send(alice, {});
      expect(await unread()).toBe(2);
      expect(await bob.chat.markRead({ chatId: group.id, seq: seq - 1 })).toMatchObject({ unreadCount: 1 });
    });

    test('each of these fields belongs to what a repetition must be equal in', async () => {
      const { alice, first, send } = await scene(open);
      const { messageId: otherId } = await send(alice, {});
      const variants: Partial<SendMessageRequest>[] = [
        {},
        { data: { a: 1 } },
        { type: 'a' },
        { silent: true },
        { replyToId: first.messageId },
        { rootId: first.messageId },
        { replyToId: otherId },
        { replyToId: first.messageId, rootId: first.messageId },
        { data: { a: 1 }, type: 'a', silent: true },
      ];
      for (const [i, variant] of variants.entries()) {
        const clientMessageId = `id-${i}`;
        const receipt = await send(alice, { clientMessageId, ...variant });
        expect(await send(alice, { clientMessageId, ...variant })).toEqual(receipt);
        for (const other of variants.filter((candidate) => candidate !== variant))
          await expect(send(alice, { clientMessageId, ...other })).rejects.toMatchObject({
            code: 'ALREADY_EXISTS',
            reason: 'MESSAGE_ID_REUSED',
          });
      }
    });

    test('a reply refers to its message by id and number, and keeps the reference when that is edited or deleted', async () => {
      const { alice, bob, group, first, send, read, remove } = await scene(open);
      const replyTo = { messageId: first.messageId, seq: first.seq };
      const { messageId } = await send(bob, { replyToId: first.messageId.toUpperCase() });
      expect(await read(messageId)).toMatchObject({ replyTo, rootId: '' });
      await bob.chat.editMessage({ chatId: group.id, messageId, text: 'other', clientChangeId: 'e' });
      await alice.chat.editMessage({ chatId: group.id, messageId: first.messageId, text: 'x', clientChangeId: 'f' });
      await remove(first.messageId);
      expect(await read(messageId)).toMatchObject({ text: 'other', replyTo });
      // A tombstone can be replied to.
      expect((await read((await send(bob, { replyToId: first.messageId })).messageId)).replyTo).toEqual(replyTo);
      await remove(messageId);
      expect(await read(messageId)).toMatchObject({ text: '', replyTo });
    });

    test('a message cannot refer to what nobody may reply to, and the refusal names the field', async () => {
      const { alice, bob, group, first, send, remove } = await scene(open);
      const elsewhere = await say(alice, await newGroup(alice), 'elsewhere');
      const { messages } = await bob.chat.listMessages({ chatId: group.id, afterSeq: 0, pageSize: 1 });
      const systemMessage = messages[0]!.id;
      await remove(first.messageId, true);
      for (const id of [nothing, elsewhere.messageId, systemMessage, first.messageId]) {
        expect(await refusedFields(send(bob, { replyToId: id }))).toEqual(['reply_to_id']);
        expect(await refusedFields(send(bob, { rootId: id }))).toEqual(['root_id']);
      }
      expect(await refusedFields(send(bob, { replyToId: 'x', rootId: '' }))).toEqual(['reply_to_id', 'root_id']);
      expect((await bob.chat.listMessages({ chatId: group.id })).messages).toHaveLength(1);
    });

    test('a reply to a repetition is answered as before, also when its message cannot be replied to any more', async () => {
      const { bob, first, send, remove } = await scene(open);
      const request = { clientMessageId: 'r', replyToId: first.messageId };
      const receipt = await send(bob, request);
      await remove(first.messageId, true);
      expect(await send(bob, request)).toEqual(receipt);
    });

    test('a message that joins the thread of a reply is in the same thread', async () => {
      const { alice, bob, first, send, read } = await scene(open);
      const reply = await send(bob, { rootId: first.messageId });
      const further = await send(alice, { rootId: reply.messageId, replyToId: reply.messageId });
      expect(await read(reply.messageId)).toMatchObject({ rootId: first.messageId });
      expect(await read(further.messageId)).toMatchObject({
        rootId: first.messageId,
        replyTo: { messageId: reply.messageId, seq: reply.seq },
      });
    });
  });
}

/** Registers the tests of the same in streams that every transport with streams must pass. */
export function liveMessageKindsContract(open: () => Transport): void {
  test('readers get the type, silence and references of messages, live, after an edit and when they catch up', async () => {
    const { alice, bob, group, first } = await scene(open);
    const [sender, reader] = await Promise.all([alice.connect(), bob.connect()]);
    for (const stream of [sender, reader]) await stream.ask(commands.subscribe(group.id));
    const ids = { replyToId: first.messageId, rootId: first.messageId };
    const value = {
      chatId: group.id,
      text: 'text',
      clientMessageId: 'm',
      data: { a: 1 },
      type: 'a',
      silent: true,
      mentions: [],
    };
    const sent = await sender.ask({ $case: 'sendMessage', value: { ...value, ...ids } });
    if (sent.$case !== 'accepted') return expect.unreachable();
    const { messageId } = sent.value;
    await alice.chat.editMessage({ chatId: group.id, messageId, text: 'other', clientChangeId: 'e' });
    const expected = {
      data: { a: 1 },
      type: 'a',
      silent: true,
      replyTo: { messageId: first.messageId, seq: first.seq },
      rootId: first.messageId,
    };
    const stateOf = ({ data, type, silent, replyTo, rootId }: Message) => ({ data, type, silent, replyTo, rootId });
    for (const stream of [sender, reader]) {
      await eventually(() => expect(stream.all('messageChanged')).toHaveLength(1));
      expect(stateOf(stream.all('message')[0]!)).toEqual(expected);
      expect(stateOf(stream.all('messageChanged')[0]!.message!)).toEqual(expected);
    }
    const late = await bob.connect();
    await late.ask(commands.subscribe(group.id, first.seq));
    await late.nextOf('caughtUp');
    expect(stateOf(late.all('message')[0]!)).toEqual(expected);
  });
}
