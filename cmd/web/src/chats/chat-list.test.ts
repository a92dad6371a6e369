import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Chat, type ChatUpdated, Message } from '../../../../pkg/api/chat/v1/chat.ts';
import type { ChatClient } from '../../../../pkg/chat-client/index.ts';
import { ChatList } from './chat-list.ts';

/** What happened in the chat under one number. */
type Entry = { kind: 'sent'; by: string; silent?: boolean } | { kind: 'edited' | 'deleted' | 'hidden'; seq: number };

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A chat of the service with two members, Anna, whose list it is, and Ben. */
class TestChat {
  readonly entries: Entry[] = [];
  readSeq = 0;

  /** The state of the message with this number, as of the number `asOf`. */
  message(seq: number, asOf = this.entries.length): Message {
    const entry = this.entries[seq - 1];
    const message = { id: `${seq}`, chatId: 'chat', seq, updateSeq: seq, text: `${seq}`, createdAt: new Date(seq) };
    const { by = '', silent = false } = entry?.kind === 'sent' ? entry : {};
    const state = Message.fromPartial({ ...message, silent, sender: { id: by } });
    for (const [index, change] of this.entries.slice(0, asOf).entries()) {
      if (change.kind === 'sent' || change.seq !== seq) continue;
      state.updateSeq = index + 1;
      if (change.kind === 'edited') state.text = `${seq}, edited`;
      else Object.assign(state, { text: '', deletedAt: new Date(index), hidden: change.kind === 'hidden' });
    }
    return state;
  }

  messages(): Message[] {
    const seqs = this.entries.flatMap(({ kind }, index) => (kind === 'sent' ? [index + 1] : []));
    return seqs.map((seq) => this.message(seq)).filter(({ hidden }) => !hidden);
  }

  chat(): Chat {
    const unread = this.messages().filter(
      (one) => one.seq > this.readSeq && one.sender?.id === 'ben' && !one.deletedAt && !one.silent,
    );
    const { readSeq } = this;
    return Chat.fromPartial({ id: 'chat', lastSeq: this.entries.length, readSeq, unreadCount: unread.length });
  }
}

/** A list whose calls are answered by hand, with what was true when they were made. */
function open(chat: TestChat) {
  const answers: (() => void)[] = [];
  const later = <T>(value: T) => new Promise<T>((resolve) => answers.push(() => resolve(value)));
  const call = (method: string) =>
    later(method === 'getChat' ? { chat: chat.chat() } : { messages: chat.messages().slice(-1) });
  const chats = () => later([{ ...chat.chat(), lastMessage: chat.messages().at(-1) }]);
  const list = new ChatList({ call, chats } as unknown as ChatClient, 'anna');
  const answer = async (index = 0) => {
    answers.splice(index % Math.max(1, answers.length), 1)[0]?.();
    await settled();
  };
  return { list, answers, answer };
}

test('a chat has the name, the description and the data of its last update', async () => {
  const chat = new TestChat();
  const { list, answer } = open(chat);
  void list.load();
  await answer();
  const update = (seq: number, value: Partial<ChatUpdated>) =>
    list.receive(Message.fromPartial({ chatId: 'chat', seq, system: { event: { $case: 'chatUpdated', value } } }));
  update(1, { name: 'tea', data: { colour: 'green' } });
  update(2, { description: 'All about tea' });
  update(1, { name: 'coffee' });
  expect(list.get('chat')).toMatchObject({ name: 'tea', description: 'All about tea', data: { colour: 'green' } });
});

test('a message that is heard before the first list has come is counted, once', async () => {
  const chat = new TestChat();
  const { list, answer } = open(chat);
  chat.entries.push({ kind: 'sent', by: 'ben' });
  void list.load();
  list.receive(chat.message(1));
  chat.entries.push({ kind: 'sent', by: 'ben' });
  list.receive(chat.message(2));
  await answer();
  expect(list.get('chat')).toMatchObject({ lastSeq: 2, unreadCount: 2, lastMessage: { seq: 2 } });
});

test('chats that come and go while the list is being read have come and gone', async () => {
  const { list, answer } = open(new TestChat());
  void list.load();
  list.add(Chat.fromPartial({ id: 'new' }));
  list.remove('chat');
  expect(list.state.value).toBeUndefined();
  await answer();
  expect(list.state.value?.map(({ id }) => id)).toEqual(['new']);
});

test('a chat that was read while messages arrived has them', async () => {
  const chat = new TestChat();
  const { list, answer } = open(chat);
  void list.load();
  await answer();
  chat.entries.push({ kind: 'sent', by: 'ben' });
  list.receive(chat.message(1));
  chat.readSeq = 1;
  void list.refresh('chat');
  chat.entries.push({ kind: 'sent', by: 'ben' });
  list.receive(chat.message(2));
  await answer();
  expect(list.get('chat')).toMatchObject({ lastSeq: 2, readSeq: 1, unreadCount: 1, lastMessage: { seq: 2 } });
});

test('a chat of which the service has lost messages is shown as the service has it', async () => {
  const before = new TestChat();
  before.entries.push({ kind: 'sent', by: 'ben' }, { kind: 'sent', by: 'ben' });
  const { list, answer } = open(before);
  void list.load();
  await answer();
  before.entries.pop();
  list.forget('chat');
  void list.load();
  await answer();
  expect(list.get('chat')).toMatchObject({ lastSeq: 1, unreadCount: 1, lastMessage: { seq: 1 } });
});

test('an edit moves no chat and counts as nothing; a deletion of an unread message makes it uncounted', async () => {
  const chat = new TestChat();
  chat.entries.push({ kind: 'sent', by: 'ben' }, { kind: 'sent', by: 'ben' });
  const { list, answer } = open(chat);
  void list.load();
  await answer();
  list.add(Chat.fromPartial({ id: 'later', createdAt: new Date(9) }));
  chat.entries.push({ kind: 'edited', seq: 2 });
  list.receiveChange(chat.message(2));
  expect(list.get('chat')).toMatchObject({ unreadCount: 2, lastMessage: { text: '2, edited' } });
  expect(list.state.value?.map(({ id }) => id)).toEqual(['later', 'chat']);
  chat.entries.push({ kind: 'deleted', seq: 1 });
  list.receiveChange(chat.message(1));
  list.receiveChange(chat.message(1));
  expect(list.get('chat')).toMatchObject({ unreadCount: 1, lastMessage: { text: '2, edited' } });
});

test('whenever answers and events come, the list is in the end as the service has it', async () => {
  const step = fc.record({
    kind: fc.constantFrom('send', 'change', 'hear', 'hear', 'load', 'refresh', 'read', 'answer', 'answer'),
    by: fc.constantFrom('anna', 'ben'),
    silent: fc.boolean(),
    change: fc.constantFrom('edited' as const, 'deleted' as const, 'hidden' as const),
    /** Whether messages are delivered in their newest state. */
    newest: fc.boolean(),
    at: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const chat = new TestChat();
      chat.entries.push({ kind: 'sent', by: 'ben' });
      const { list, answers, answer } = open(chat);
      void list.load();
      let heard = 1;
      const hear = (newest: boolean) => {
        if (heard === chat.entries.length) return;
        heard += 1;
        const entry = chat.entries[heard - 1]!;
        const state = chat.message(entry.kind === 'sent' ? heard : entry.seq, newest ? undefined : heard);
        // The service delivers no change that another one has replaced, and no message that was hidden.
        if (entry.kind !== 'sent' && state.updateSeq === heard) list.receiveChange(state);
        if (entry.kind === 'sent' && !state.hidden) list.receive(state);
      };
      for (const { kind, by, silent, change, newest, at } of steps) {
        if (kind === 'send') chat.entries.push({ kind: 'sent', by, silent });
        if (kind === 'change') {
          const seqs = chat.messages().flatMap(({ seq, deletedAt }) => (deletedAt || seq === 1 ? [] : [seq]));
          if (seqs.length > 0) chat.entries.push({ kind: change, seq: seqs[at % seqs.length]! });
        }
        if (kind === 'hear') hear(newest);
        if (kind === 'load') void list.load();
        if (kind === 'refresh') void list.refresh('chat');
        if (kind === 'read') {
          chat.readSeq = Math.max(chat.readSeq, at % (heard + 1));
          void list.refresh('chat');
        }
        if (kind === 'answer') await answer(at);
      }
      while (heard < chat.entries.length) hear(false);
      while (answers.length > 0) await answer();
      expect(list.get('chat')).toMatchObject({ ...chat.chat(), lastMessage: chat.messages().at(-1) });
    }),
  );
});
