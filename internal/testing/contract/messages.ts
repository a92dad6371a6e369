import { describe, expect, test } from 'vitest';
import { MessageStreaming } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, say, signIn } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const nothing = '00000000-0000-4000-8000-000000000000';

/** Registers the tests of SendMessage, GetMessage and ListMessages that every transport must pass. */
export function messagesContract(open: () => Transport): void {
  describe('messages', () => {
    test('a sent message is stored as it was sent, under the name of the token and the next number', async () => {
      const alice = await signIn(open(), 'alice');
      const group = await newGroup(alice);
      const text = '  Grüße 👩‍👩‍👧 \u202eabc\n\ttabs\u0001 and \\ \' " ; -- $1  ';

      const sent = await alice.chat.sendMessage({ chatId: group.id, clientMessageId: 'first!', text });

      expect(sent).toMatchObject({ messageId: expect.stringMatching(uuidV7), seq: 2, createdAt: expect.any(Date) });
      const { message } = await alice.chat.getMessage({ chatId: group.id, messageId: sent.messageId });
      expect(message).toEqual({
        id: sent.messageId,
        chatId: group.id,
        seq: 2,
        updateSeq: 2,
        sender: { id: alice.id, name: alice.name },
        clientMessageId: 'first!',
        text,
        createdAt: sent.createdAt,
        system: undefined,
        editedAt: undefined,
        deletedAt: undefined,
        deletedBy: '',
        hidden: false,
        reactions: [],
        type: '',
        silent: false,
        rootId: '',
        streaming: MessageStreaming.UNSPECIFIED,
        mentions: [],
      });
      expect((await alice.chat.getChat({ chatId: group.id })).chat?.lastSeq).toBe(2);
    });

    test('history is paged in both directions, always in ascending order', async () => {
      const alice = await signIn(open(), 'alice');
      const group = await newGroup(alice);
      for (let i = 2; i <= 7; i += 1) await say(alice, group, `m${i}`);
      const page = async (request: { beforeSeq?: number; afterSeq?: number; pageSize?: number }) => {
        const { messages, hasMore } = await alice.chat.listMessages({ chatId: group.id, ...request });
        return [messages.map(({ seq }) => seq), hasMore];
      };

      expect(await page({})).toEqual([[1, 2, 3, 4, 5, 6, 7], false]);
      expect(await page({ pageSize: 3 })).toEqual([[5, 6, 7], true]);
      expect(await page({ pageSize: 3, beforeSeq: 5 })).toEqual([[2, 3, 4], true]);
      expect(await page({ pageSize: 3, beforeSeq: 2 })).toEqual([[1], false]);
      expect(await page({ pageSize: 3, afterSeq: 0 })).toEqual([[1, 2, 3], true]);
      expect(await page({ pageSize: 3, afterSeq: 4 })).toEqual([[5, 6, 7], false]);
      expect(await page({ afterSeq: 7 })).toEqual([[], false]);
      expect(await page({ afterSeq: 1_000_000 })).toEqual([[], false]);
      expect(await page({ beforeSeq: 1 })).toEqual([[], false]);
    });

    test('a page with two directions or an invalid size is refused', async () => {
      const alice = await signIn(open(), 'alice');
      const { id: chatId } = await newGroup(alice);
      const fields = (request: object) => refusedFields(alice.chat.listMessages({ chatId, ...request }));

      expect(await fields({ beforeSeq: 5, afterSeq: 1 })).toEqual(['before_seq']);
      expect(await fields({ beforeSeq: 0 })).toEqual(['before_seq']);
      expect(await fields({ afterSeq: -1, pageSize: -1 })).toEqual(['after_seq', 'page_size']);
      expect(await fields({ pageSize: 201 })).toEqual(['page_size']);
      expect(await fields({ pageSize: 1_001 })).toEqual(['page_size']);
    });

    test('an invalid message is refused with every field at fault', async () => {
      const alice = await signIn(open(), 'alice');
      const { id: chatId } = await newGroup(alice);
      const message = { chatId, clientMessageId: 'id', text: 'text' };
      const fields = (request: object) => refusedFields(alice.chat.sendMessage({ ...message, ...request }));

      expect(await fields({ text: '' })).toEqual(['text']);
      expect(await fields({ text: 'nul \0 inside' })).toEqual(['text']);
      expect(await fields({ text: 'x'.repeat(4_001) })).toEqual(['text']);
      expect(await fields({ clientMessageId: '' })).toEqual(['client_message_id']);
      expect(await fields({ clientMessageId: 'with space' })).toEqual(['client_message_id']);
      expect(await fields({ clientMessageId: 'x'.repeat(65), text: '', chatId: 'chat' })).toEqual([
        'chat_id',
        'client_message_id',
        'text',
      ]);
      expect((await alice.chat.listMessages({ chatId })).messages).toHaveLength(1);
    });

    test('length is counted in Unicode characters, not in units of an encoding', async () => {
      const alice = await signIn(open(), 'alice');
      const group = await newGroup(alice);

      await expect(say(alice, group, '👋'.repeat(4_000))).resolves.toMatchObject({ seq: 2 });
      await expect(say(alice, group, '👋'.repeat(4_001))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    });

    test('only members read and write; others get NOT_A_MEMBER for a room, and CHAT_NOT_FOUND for a group', async () => {
      const [alice, eve] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'eve')]);
      const [group, room] = [await newGroup(alice), await newRoom(alice)];
      const { messageId } = await say(alice, group, 'secret');

      const hidden = { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' };
      const denied = { code: 'PERMISSION_DENIED', reason: 'NOT_A_MEMBER' };
      await expect(say(eve, group, 'hi')).rejects.toMatchObject(hidden);
      await expect(eve.chat.listMessages({ chatId: group.id })).rejects.toMatchObject(hidden);
      await expect(eve.chat.getMessage({ chatId: group.id, messageId })).rejects.toMatchObject(hidden);
      await expect(say(eve, room, 'hi')).rejects.toMatchObject(denied);
      await expect(eve.chat.listMessages({ chatId: room.id })).rejects.toMatchObject(denied);
      await expect(say(eve, { id: nothing }, 'hi')).rejects.toMatchObject(hidden);
    });

    test('a message is found only in its own chat', async () => {
      const alice = await signIn(open(), 'alice');
      const [here, there] = [await newGroup(alice), await newGroup(alice)];
      const { messageId } = await say(alice, here, 'here');
      const absent = { code: 'NOT_FOUND', reason: 'MESSAGE_NOT_FOUND' };

      await expect(alice.chat.getMessage({ chatId: there.id, messageId })).rejects.toMatchObject(absent);
      await expect(alice.chat.getMessage({ chatId: here.id, messageId: nothing })).rejects.toMatchObject(absent);
      await expect(
        alice.chat.getMessage({ chatId: here.id.toUpperCase(), messageId: messageId.toUpperCase() }),
      ).resolves.toMatchObject({ message: { chatId: here.id, text: 'here' } });
    });
  });
}
