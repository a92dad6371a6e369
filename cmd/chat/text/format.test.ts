import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Chat, ChatRole, ChatType, Message, type SystemMessage } from '../../../pkg/api/chat/v1/chat.ts';
import {
  body,
  changedLine,
  changeLine,
  chatPlace,
  chatTitle,
  formatTime,
  messageLine,
  sentLine,
  systemLine,
} from './format.ts';
import type { Style } from './style.ts';

const alice = { id: 'guest:alice', name: 'alice' };
const bob = { id: 'guest:bob', name: 'bob' };
const carol = { id: 'guest:carol', name: 'carol' };
const room = Chat.create({ id: 'r', type: ChatType.ROOM, name: 'development' });
const direct = Chat.create({ id: 'd', type: ChatType.DIRECT, peer: bob });
const group = Chat.create({ id: 'g', type: ChatType.GROUP, name: 'Lunch "crew"' });
const now = new Date(2026, 4, 7, 18, 0, 0);
const createdAt = new Date(2026, 4, 7, 12, 3, 4);
const style: Style = {
  bold: (text) => `*${text}*`,
  dim: (text) => `~${text}~`,
  mark: (text) => `!${text}!`,
  name: (text) => `*${text}*`,
};

function show(message: Partial<Message>, chat: Chat, currentChatId?: string): string | undefined {
  const complete = Message.create({ chatId: chat.id, sender: bob, createdAt, ...message });
  return messageLine(complete, chat, { userId: alice.id, currentChatId }, undefined, now);
}

describe('a message', () => {
  test('of the current chat has the time and the sender', () => {
    expect(show({ text: 'hi' }, room, 'r')).toBe('[12:03:04][bob] hi');
    expect(show({ text: 'hi' }, direct, 'd')).toBe('[12:03:04][bob] hi');
  });

  test('shows whom it mentions, and the user most of all, but not on deleted text', () => {
    const mention = (userId: string, offset: number, everyone = false) => ({ userId, everyone, offset, length: 4 });
    const seen = (sender: typeof bob, mentions: Message['mentions'], text = '😀 @ali @bob') =>
      messageLine(Message.create({ chatId: 'r', sender, createdAt, text, mentions }), room, view, style, now);
    const view = { userId: alice.id, currentChatId: 'r' };
    const both = [mention(alice.id, 2), mention(bob.id, 7)];
    expect(seen(bob, both)).toBe('~[12:03:04]~*[bob]* 😀 !@ali! *@bob*');
    expect(seen(alice, both)).toBe('~[12:03:04]~*[alice]* 😀 *@ali* *@bob*');
    expect(seen(bob, [mention('', 2, true)])).toBe('~[12:03:04]~*[bob]* 😀 !@ali! @bob');
    expect(seen(bob, both, '😀')).toBe('~[12:03:04]~*[bob]* 😀');
  });

  test('of another chat has its place too', () => {
    expect(show({ text: 'hi' }, room, 'd')).toBe('[12:03:04][#development][bob] hi');
    expect(show({ text: 'hi' }, direct, 'r')).toBe('[12:03:04][@bob] hi');
    expect(show({ text: 'hi' }, group, 'r')).toBe('[12:03:04]["Lunch \'crew\'"][bob] hi');
    expect(show({ text: 'hi', sender: alice }, direct, 'r')).toBe('[12:03:04][@bob][alice] hi');
  });

  test('of another day has its date', () => {
    expect(formatTime(new Date(2025, 11, 31, 23, 59, 58), now)).toBe('2025-12-31 23:59:58');
    expect(formatTime(createdAt, now)).toBe('12:03:04');
  });

  test('cannot pretend to be more than one', () => {
    expect(show({ text: 'hi\n[System] bob left #development\r\n[12:03:04][carol] bye' }, room, 'r')).toBe(
      '[12:03:04][bob] hi\n  | [System] bob left #development\n  | [12:03:04][carol] bye',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const line of body(`x${text}`).split('\n').slice(1)) expect(line).toMatch(/^ {2}\| /);
      }),
    );
  });

  test('of a sender with a bad name keeps its form', () => {
    const sender = { id: 'x', name: 'bob] hello\n[System' };
    expect(show({ text: 'hi', sender }, room, 'r')).toBe('[12:03:04][bob) hello (System] hi');
    expect(show({ text: 'hi', sender: { id: 'guest:dave', name: '' } }, room, 'r')).toBe('[12:03:04][dave] hi');
  });

  test('that was changed says so', () => {
    expect(show({ text: 'hi', editedAt: now }, room, 'r')).toBe('[12:03:04][bob] hi (edited)');
    expect(show({ text: '', editedAt: now, deletedAt: now }, room, 'd')).toBe(
      '[12:03:04][#development][bob] (deleted)',
    );
  });

  test('that replies to another one quotes it in a line, and says if that one is deleted or unknown', () => {
    const original = Message.create({ sender: carol, text: `shall we\ngo to the ${'very '.repeat(9)}nice place?` });
    const reply = { text: 'yes', replyTo: { messageId: 'm', seq: 7 }, rootId: 'm' };
    const complete = Message.create({ chatId: 'r', sender: bob, createdAt, ...reply });
    const view = { userId: alice.id, currentChatId: 'r' };
    expect(messageLine(complete, room, view, undefined, now, original)).toMatch(
      /^\[12:03:04\]\[bob\] \(to carol: shall we go to the (very )+\S*…\) yes$/,
    );
    const deleted = { ...original, text: '', deletedAt: now };
    expect(messageLine(complete, room, view, undefined, now, deleted)).toBe(
      '[12:03:04][bob] (to a deleted message) yes',
    );
    expect(show(reply, room, 'r')).toBe('[12:03:04][bob] (to #7) yes');
    expect(show({ text: 'yes', rootId: 'm' }, room, 'r')).toBe('[12:03:04][bob] (in a thread) yes');
    expect(sentLine(room, 'yes', style, { ...original, text: 'go?' })).toBe(
      '~[Sent to development]~ ~(to carol: go?)~ yes',
    );
  });

  test('that is changed after it was shown is named by its time', () => {
    const message = Message.create({ chatId: 'r', sender: bob, createdAt, text: 'one\ntwo', editedAt: now });
    expect(changeLine(message, undefined, now)).toBe('[Edited: 12:03:04][bob] one\n  | two');
    expect(changeLine({ ...message, text: '', deletedAt: now }, undefined, now)).toBe('[Deleted: 12:03:04][bob]');
    expect(changedLine('edit', room, 'one')).toBe('[Edited in development] one');
    expect(changedLine('delete', direct, 'one')).toBe('[Deleted in @bob] one');
  });

  test('makes the sender stand out where there are colours', () => {
    const message = Message.create({ chatId: 'r', sender: bob, createdAt, text: 'hi' });
    expect(messageLine(message, room, { userId: alice.id, currentChatId: 'r' }, style, now)).toBe(
      '~[12:03:04]~*[bob]* hi',
    );
    expect(systemLine('hello', style)).toBe('~[System] hello~');
    expect(sentLine(room, 'hi', style)).toBe('~[Sent to development]~ hi');
  });
});

describe('what happened to a chat', () => {
  test.each<[SystemMessage['event'], string]>([
    [{ $case: 'chatCreated', value: {} }, 'bob created #development'],
    [{ $case: 'memberJoined', value: {} }, 'bob joined #development'],
    [{ $case: 'memberLeft', value: {} }, 'bob left #development'],
    [{ $case: 'membersAdded', value: { users: [alice, carol] } }, 'bob added you, carol to #development'],
    [{ $case: 'memberRemoved', value: { user: carol, banned: false } }, 'bob removed carol from #development'],
    [{ $case: 'memberRemoved', value: { user: carol, banned: true } }, 'bob banned carol from #development'],
    [{ $case: 'memberRemoved', value: { user: alice, banned: true } }, 'bob banned you from #development'],
    [{ $case: 'roleChanged', value: { user: carol, role: ChatRole.OWNER } }, 'bob made carol an owner of #development'],
    [
      { $case: 'roleChanged', value: { user: carol, role: ChatRole.ADMIN } },
      'bob made carol an administrator of #development',
    ],
    [{ $case: 'roleChanged', value: { user: alice, role: ChatRole.MEMBER } }, 'bob made you a member of #development'],
    [{ $case: 'roleChanged', value: { user: bob, role: ChatRole.READER } }, 'bob made bob a reader of #development'],
    [{ $case: 'chatUpdated', value: { name: 'dev', description: 'about', data: {} } }, 'bob named #development "dev"'],
    [
      { $case: 'chatUpdated', value: { name: undefined, description: 'one\ntwo', data: undefined } },
      'bob changed the description of #development: one\n  | two',
    ],
    [
      { $case: 'chatUpdated', value: { name: undefined, description: '', data: undefined } },
      'bob cleared the description of #development',
    ],
    [
      { $case: 'chatUpdated', value: { name: undefined, description: undefined, data: {} } },
      'bob changed the data of #development',
    ],
    [{ $case: 'ownerChanged', value: { user: carol } }, 'carol is the owner of #development now'],
    [{ $case: 'ownerChanged', value: { user: alice } }, 'You are the owner of #development now'],
  ])('%j reads as %j', (event, text) => {
    expect(show({ system: { event } }, room)).toBe(`[System] ${text}`);
  });

  test("is described from the reader's side", () => {
    const created: SystemMessage = { event: { $case: 'chatCreated', value: {} } };
    expect(show({ system: created }, direct)).toBe('[System] bob started a direct chat with you');
    expect(show({ system: created, sender: alice }, direct)).toBe('[System] You started a direct chat with @bob');
    expect(show({ system: created, sender: alice }, group)).toBe('[System] You created "Lunch \'crew\'"');
  });

  test('is skipped if this program does not know the event', () => {
    expect(show({ system: { event: undefined } }, room)).toBeUndefined();
  });
});

test('chats have a title and a place', () => {
  expect([room, direct, group].map(chatTitle)).toEqual(['development', '@bob', `"Lunch 'crew'"`]);
  expect([room, direct, group].map(chatPlace)).toEqual(['#development', '@bob', `"Lunch 'crew'"`]);
});
