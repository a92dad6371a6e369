import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, type Person, say, signIn } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';
import { type CommandBody, commands } from '../clients/stream-probe.ts';
import { eventually } from '../eventually.ts';

const nothing = '00000000-0000-4000-8000-000000000000';
const inSubscription = { ifVersion: undefined };

/** Registers the tests of EditMessage, DeleteMessage and ListChanges by call that every transport must pass. */
export function changesContract(open: () => Transport): void {
  describe('changes of messages', () => {
    async function scene() {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const group = await newGroup(alice, bob);
      const { messageId } = await say(bob, group, 'first');
      const ids = { chatId: group.id, messageId };
      const edit = (person: Person, text: string, fields: object = {}) =>
        person.chat.editMessage({ ...ids, text, clientChangeId: randomUUID(), ...inSubscription, ...fields });
      const remove = (person: Person, fields: object = {}) =>
        person.chat.deleteMessage({
          ...ids,
          clientChangeId: '',
          hide: false,
          reason: '',
          ...inSubscription,
          ...fields,
        });
      const read = async () => (await alice.chat.getMessage(ids)).message;
      return { alice, bob, group, ids, edit, remove, read };
    }

    test('an edit replaces the text under the next number, and is answered the same when it is repeated', async () => {
      const { bob, edit, read } = await scene();
      const before = await read();
      const edited = await edit(bob, 'second', { clientChangeId: 'e' });
      expect(edited).toEqual({ seq: 3, createdAt: expect.any(Date) });
      const after = { ...before, text: 'second', updateSeq: 3, editedAt: edited.createdAt };
      expect(await read()).toEqual(after);
      await edit(bob, 'third');
      expect(await edit(bob, 'second', { clientChangeId: 'e' })).toEqual(edited);
      expect(await read()).toMatchObject({ seq: 2, text: 'third', updateSeq: 4 });
      await expect(edit(bob, 'other', { clientChangeId: 'e' })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
        reason: 'CHANGE_ID_REUSED',
      });
    });

    test('data stays when the text is edited, is replaced or removed on request, and goes with the message', async () => {
      const { alice, bob, group } = await scene();
      const data = { order: 7, items: [{ name: 'tea', süß: false }, null, 'ü\u2028"'], empty: {} };
      const request = { chatId: group.id, text: 'tea', clientMessageId: randomUUID() };
      const { messageId } = await bob.chat.sendMessage({ ...request, data });
      const ids = { chatId: group.id, messageId };
      const read = async () => (await alice.chat.getMessage(ids)).message;
      const edit = (text: string, fields: object = {}) =>
        bob.chat.editMessage({ ...ids, text, clientChangeId: randomUUID(), ...inSubscription, ...fields });
      expect(await read()).toMatchObject({ text: 'tea', data });
      await edit('more tea');
      expect(await read()).toMatchObject({ text: 'more tea', data });
      await edit('coffee', { data: { order: 8 } });
      expect(await read()).toMatchObject({ text: 'coffee', data: { order: 8 } });
      await edit('coffee', { data: {} });
      expect((await read())?.data).toBeUndefined();
      await edit('coffee', { data });
      await bob.chat.deleteMessage({ ...ids, clientChangeId: '', hide: false, reason: '', ifVersion: undefined });
      expect(await read()).toMatchObject({ text: '', data: undefined });
    });

    test('data belongs to what a repetition must be equal in, whatever the order of its keys', async () => {
      const { bob, group, edit } = await scene();
      const request = { chatId: group.id, text: 'tea', clientMessageId: randomUUID() };
      const first = await bob.chat.sendMessage({ ...request, data: { a: 1, b: { c: 2, d: 3 } } });
      const again = (data?: Record<string, unknown>) => bob.chat.sendMessage({ ...request, data });
      expect(await again({ b: { d: 3, c: 2 }, a: 1 })).toEqual(first);
      for (const data of [undefined, {}, { a: 1 }, { a: 1, b: { c: 2, d: '3' } }])
        await expect(again(data)).rejects.toMatchObject({ reason: 'MESSAGE_ID_REUSED' });
      const edited = await edit(bob, 'x', { clientChangeId: 'e', data: { a: 1, b: 2 } });
      expect(await edit(bob, 'x', { clientChangeId: 'e', data: { b: 2, a: 1 } })).toEqual(edited);
      for (const data of [undefined, {}, { a: 1 }])
        await expect(edit(bob, 'x', { clientChangeId: 'e', data })).rejects.toMatchObject({
          reason: 'CHANGE_ID_REUSED',
        });
    });

    test.each([
      ['too large', { a: 'x'.repeat(5_120) }],
      ['nested too deep', { a: JSON.parse(`${'['.repeat(16)}${']'.repeat(16)}`) }],
      ['with the character NUL', { a: '\0' }],
    ])('data that is %s is refused with its field', async (_, data) => {
      const { bob, group, edit } = await scene();
      const request = { chatId: group.id, text: 'tea', clientMessageId: randomUUID() };
      const refused = { code: 'INVALID_ARGUMENT', violations: [{ field: 'data' }] };
      await expect(bob.chat.sendMessage({ ...request, data })).rejects.toMatchObject(refused);
      await expect(edit(bob, 'tea', { data })).rejects.toMatchObject(refused);
    });

    test('an edit of a version that is no longer the newest is refused', async () => {
      const { bob, edit } = await scene();
      await edit(bob, 'second', { ifVersion: 2 });
      const stale = { code: 'ABORTED', reason: 'VERSION_CONFLICT' };
      await expect(edit(bob, 'third', { ifVersion: 2 })).rejects.toMatchObject(stale);
    });

    test('a deletion leaves no text, and is answered the same when it is repeated', async () => {
      const { alice, bob, edit, remove, read, group } = await scene();
      const deleted = await remove(alice, { reason: 'spam' });
      expect(deleted).toEqual({ seq: 3, createdAt: expect.any(Date) });
      const state = { text: '', updateSeq: 3, deletedAt: deleted.createdAt, deletedBy: alice.id, hidden: false };
      expect(await read()).toMatchObject(state);
      expect(await remove(bob)).toEqual(deleted);
      await expect(edit(bob, 'again')).rejects.toMatchObject({ reason: 'MESSAGE_DELETED' });

      await remove(alice, { hide: true });
      await expect(read()).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });
      const { messages } = await bob.chat.listMessages({
        chatId: group.id,
        beforeSeq: undefined,
        afterSeq: 0,
        pageSize: 0,
      });
      expect(messages.map(({ seq }) => seq)).toEqual([1]);
    });

    test('only the sender edits, and others delete only as moderators', async () => {
      const { alice, edit, group } = await scene();
      await expect(edit(alice, 'not mine')).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        reason: 'NOT_THE_SENDER',
      });
      const carol = await signIn(open(), 'carol');
      await alice.chat.addMembers({ chatId: group.id, userIds: [carol.id] });
      const ownId = (await say(alice, group, 'of the owner')).messageId;
      const fields = {
        chatId: group.id,
        messageId: ownId,
        clientChangeId: '',
        hide: false,
        reason: '',
        ifVersion: undefined,
      };
      await expect(carol.chat.deleteMessage(fields)).rejects.toMatchObject({ reason: 'NOT_THE_SENDER' });
    });

    test('what cannot be found or is not valid is refused with the field at fault', async () => {
      const { bob, edit, ids } = await scene();
      await expect(edit(bob, 'x', { messageId: nothing })).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });
      await expect(edit(bob, 'x', { chatId: nothing })).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
      expect(await refusedFields(edit(bob, 'x'.repeat(4_001)))).toEqual(['text']);
      expect(await refusedFields(edit(bob, '', { clientChangeId: 'a b' }))).toEqual(['client_change_id', 'text']);
      const listed = bob.chat.listChanges({ chatId: ids.chatId, afterSeq: 9, pageSize: 0 });
      await expect(listed).rejects.toMatchObject({ code: 'OUT_OF_RANGE', reason: 'CURSOR_IN_FUTURE' });
    });

    test('ListChanges gives every number once, messages and changes in their newest state', async () => {
      const { alice, bob, edit, remove, group, ids } = await scene();
      const { messageId } = await say(bob, group, 'gone');
      await edit(bob, 'second');
      await edit(bob, 'third');
      await remove(alice, { messageId, hide: true });
      const list = async (afterSeq: number, pageSize = 0) => {
        const { changes, ...rest } = await bob.chat.listChanges({ chatId: ids.chatId, afterSeq, pageSize });
        return { changes: changes.map(({ change }) => change), ...rest };
      };
      expect(await list(1)).toMatchObject({
        changes: [
          { $case: 'message', value: { seq: 2, text: 'third', updateSeq: 5 } },
          { $case: 'covered', value: { fromSeq: 3, toSeq: 4 } },
          { $case: 'messageChanged', value: { message: { seq: 2, text: 'third', updateSeq: 5 } } },
          { $case: 'messageChanged', value: { message: { seq: 3, text: '', updateSeq: 6, hidden: true } } },
        ],
        lastSeq: 6,
        hasMore: false,
      });
      expect(await list(1, 1)).toMatchObject({ changes: [{ $case: 'message' }], lastSeq: 2, hasMore: true });
      expect(await list(6)).toMatchObject({ changes: [], lastSeq: 6, hasMore: false, resetFromSeq: undefined });
    });

    test('ListChanges leads a client back whose cursor is of an epoch that is over', async () => {
      const { bob, edit, ids } = await scene();
      await edit(bob, 'second');
      const list = (epoch?: string) => bob.chat.listChanges({ chatId: ids.chatId, afterSeq: 3, epoch });
      const { epoch } = await list();
      expect(await bob.chat.listMessages({ chatId: ids.chatId })).toMatchObject({ epoch });
      expect(await list(epoch)).toMatchObject({ changes: [], lastSeq: 3, epoch, resetFromSeq: undefined });
      const led = await list('over');
      expect(led).toMatchObject({ lastSeq: 3, epoch, resetFromSeq: 0 });
      expect(led.changes).toHaveLength(3);
      expect(await refusedFields(list('x'.repeat(65)))).toEqual(['epoch']);
    });
  });
}

/** Registers the tests of changes in streams that every transport with streams must pass. */
export function liveChangesContract(open: () => Transport): void {
  describe('changes of messages in streams', () => {
    test('are asked for and heard of, once and in the order of their numbers, by the sender and by readers', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const group = await newGroup(alice, bob);
      const [sender, reader] = await Promise.all([alice.connect(), bob.connect()]);
      for (const stream of [sender, reader]) await stream.ask(commands.subscribe(group.id));
      const data = { order: 7, items: ['tea', null] };
      const sent = await sender.ask(commands.send(group.id, 'first', 'm', data));
      if (sent.$case !== 'accepted') return expect.unreachable();
      const { messageId } = sent.value;
      const edit = (text: string, clientChangeId: string, ifVersion?: number): CommandBody => ({
        $case: 'editMessage',
        value: { chatId: group.id, messageId, clientChangeId, text, ifVersion, data: undefined, mentions: [] },
      });

      const edited = await sender.ask(edit('second', 'e'));
      expect(edited).toMatchObject({ $case: 'accepted', value: { messageId, seq: 3, createdAt: expect.any(Date) } });
      const again = await sender.ask(edit('second', 'e'));
      expect(again.value).toMatchObject({ messageId, seq: 3 });
      const stale = await sender.ask(edit('third', 'f', 2));
      if (stale.$case !== 'rejected') return expect.unreachable();
      expect(errorFromStatus(stale.value.status!)).toMatchObject({ code: 'ABORTED', reason: 'VERSION_CONFLICT' });
      const removal = {
        chatId: group.id,
        messageId,
        clientChangeId: '',
        hide: false,
        reason: '',
        ifVersion: undefined,
      };
      await sender.ask({ $case: 'deleteMessage', value: removal });

      const expected = [
        ['message', 2, 'first', data],
        ['messageChanged', 3, 'second', data],
        ['messageChanged', 4, '', undefined],
      ];
      for (const stream of [sender, reader]) {
        await eventually(() => expect(stream.all('messageChanged')).toHaveLength(2));
        const heard = stream.events.flatMap((event) => {
          const message =
            event.$case === 'messageChanged' ? event.value.message : event.$case === 'message' && event.value;
          return message ? [[event.$case, message.updateSeq, message.text, message.data]] : [];
        });
        expect(heard).toEqual(expected);
      }
    });

    test('are caught up with from every cursor', async () => {
      const alice = await signIn(open(), 'alice');
      const group = await newGroup(alice);
      const { messageId } = await say(alice, group, 'a');
      await say(alice, group, 'b');
      const edit = (text: string) =>
        alice.chat.editMessage({ chatId: group.id, messageId, text, clientChangeId: text, ifVersion: undefined });
      await edit('a2');
      await edit('a3');
      for (let cursor = 0; cursor <= 5; cursor += 1) {
        const stream = await alice.connect();
        await stream.ask(commands.subscribe(group.id, cursor));
        expect(await stream.nextOf('caughtUp')).toEqual({ chatId: group.id, seq: 5 });
        let next = cursor + 1;
        const states = new Map<number, string>();
        for (const event of stream.events) {
          if (event.$case === 'message') {
            expect(event.value.seq).toBe(next);
            states.set(event.value.seq, event.value.text);
            next += 1;
          } else if (event.$case === 'messageChanged') {
            expect(event.value.message?.updateSeq).toBe(next);
            states.set(event.value.message!.seq, event.value.message!.text);
            next += 1;
          } else if (event.$case === 'covered') {
            expect(event.value.fromSeq).toBe(next);
            next = event.value.toSeq + 1;
          }
        }
        expect(next).toBe(6);
        if (cursor < 5) expect(states.get(2)).toBe('a3');
        stream.close();
      }
    });
  });
}
