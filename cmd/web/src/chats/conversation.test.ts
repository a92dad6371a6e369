import { beforeEach, expect, test, vi } from 'vitest';
import { Chat, ListMessagesResponse, Message } from '../../../../pkg/api/chat/v1/chat.ts';
import type { ChatClient } from '../../../../pkg/chat-client/index.ts';
import { Conversation } from './conversation.ts';
import { maxMessages } from './message-window.ts';

interface Asked {
  request: { beforeSeq?: number; afterSeq?: number };
  /** Answers with the messages from the first to the last number. */
  answer(first: number, last: number, hasMore: boolean, epoch?: string): Promise<void>;
  fail(): Promise<void>;
}

const message = (seq: number) => Message.fromPartial({ id: `${seq}`, seq, updateSeq: seq });
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => message(first + i));
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

beforeEach(() => {
  // No browser draws here.
  vi.stubGlobal('requestAnimationFrame', (then: () => void) => setImmediate(then));
  return () => vi.unstubAllGlobals();
});

/** A conversation whose pages are answered by hand. */
function open(): { conversation: Conversation; asked: Asked[] } {
  const asked: Asked[] = [];
  const call = (_method: 'listMessages', request: Asked['request']) =>
    new Promise((resolve, reject) => {
      asked.push({
        request,
        answer(first, last, hasMore, epoch = 'one') {
          resolve(ListMessagesResponse.fromPartial({ messages: range(first, last), hasMore, epoch }));
          return settled().then(settled).then(settled);
        },
        fail() {
          reject(new Error('the connection was lost'));
          return settled().then(settled).then(settled);
        },
      });
    });
  const client = { pendingMessages: [], pendingChanges: [], call } as unknown as ChatClient;
  const deps = { client, ownId: 'anna', online: async () => {}, mentionsIn: async () => [] };
  return { conversation: new Conversation('chat', deps), asked };
}

/** One that shows the messages from 1001 to 1600 of 2000. */
async function openInTheMiddle() {
  const { conversation, asked } = open();
  conversation.enter(Chat.fromPartial({}));
  await settled();
  await asked.shift()!.answer(1_551, 1_600, true);
  conversation.following = false;
  for (let first = 1_501; first > 1_000; first -= 50) {
    void conversation.loadOlder();
    await asked.shift()!.answer(first, first + 49, true);
  }
  for (const one of range(1_601, 2_000)) conversation.receive(one);
  expect(conversation.state.value.window).toMatchObject({ hasOlder: true, hasNewer: true });
  return { conversation, asked };
}

/** The numbers of the window, which must be a stretch without holes. */
function shown(conversation: Conversation): { first: number; last: number; hasNewer: boolean } {
  const { messages, hasNewer } = conversation.state.value.window;
  const seqs = messages.map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, index) => seqs[0]! + index));
  return { first: seqs[0]!, last: seqs.at(-1)!, hasNewer };
}

test.each(['older', 'newer'] as const)(
  'a page of %s messages that comes before the newest one leaves the conversation at its end',
  async (direction) => {
    const { conversation, asked } = await openInTheMiddle();
    void (direction === 'older' ? conversation.loadOlder() : conversation.loadNewer());
    void conversation.loadNewest();
    await settled();
    const [page, newest] = asked;
    const [after = 0, before = 0] = [page!.request.afterSeq, page!.request.beforeSeq];
    await (direction === 'older'
      ? page!.answer(before - 50, before - 1, true)
      : page!.answer(after + 1, after + 50, true));
    conversation.receive(message(2_001));
    await newest!.answer(1_951, 2_000, true);
    conversation.receive(message(2_002));
    expect(shown(conversation)).toEqual({ first: 1_951, last: 2_002, hasNewer: false });
  },
);

test.each(['older', 'newer'] as const)(
  'a page of %s messages that comes after the newest one is not joined to it',
  async (direction) => {
    const { conversation, asked } = await openInTheMiddle();
    void (direction === 'older' ? conversation.loadOlder() : conversation.loadNewer());
    void conversation.loadNewest();
    await settled();
    const [page, newest] = asked;
    const [after = 0, before = 0] = [page!.request.afterSeq, page!.request.beforeSeq];
    await newest!.answer(1_951, 2_000, true);
    await (direction === 'older'
      ? page!.answer(before - 50, before - 1, true)
      : page!.answer(after + 1, after + 50, true));
    expect(shown(conversation)).toEqual({ first: 1_951, last: 2_000, hasNewer: false });
  },
);

test('a page that fails after it was overtaken is no problem any more', async () => {
  const { conversation, asked } = await openInTheMiddle();
  void conversation.loadOlder();
  void conversation.loadNewest();
  await settled();
  await asked[1]!.answer(1_951, 2_000, true);
  await asked[0]!.fail();
  expect(conversation.state.value.problem).toBeUndefined();
  expect(shown(conversation)).toEqual({ first: 1_951, last: 2_000, hasNewer: false });
});

test('what is heard while the last page is on its way comes after it', async () => {
  const { conversation, asked } = await openInTheMiddle();
  const { last } = shown(conversation);
  void conversation.loadNewer();
  conversation.receive(message(last + 51));
  await asked[0]!.answer(last + 1, last + 50, false);
  conversation.receive(message(last + 52));
  expect(shown(conversation)).toMatchObject({ last: last + 52, hasNewer: false });
});

test('however quickly page follows page, what is far from the reader is dropped', async () => {
  const { conversation, asked } = await openInTheMiddle();
  // Before what was read is on the screen.
  conversation.state.subscribe(() => queueMicrotask(() => void conversation.loadOlder()));
  void conversation.loadOlder();
  for (let first = shown(conversation).first - 50; first > 0; first -= 50) {
    await asked.shift()!.answer(first, first + 49, first > 1);
    expect(conversation.state.value.window.messages.length).toBeLessThanOrEqual(maxMessages + 100);
  }
  expect(shown(conversation)).toMatchObject({ first: 1, hasNewer: true });
});

test('nothing is dropped from the beginning while an older page is on its way', async () => {
  const { conversation, asked } = open();
  conversation.enter(Chat.fromPartial({}));
  await settled();
  await asked.shift()!.answer(951, 1_000, true);
  void conversation.loadOlder();
  for (const one of range(1_001, 1_000 + maxMessages + 50)) conversation.receive(one);
  await asked[0]!.answer(901, 950, true);
  expect(shown(conversation)).toMatchObject({ first: 901 });
});

test.each(['older', 'newer'] as const)(
  'a page of %s messages from another epoch is not joined to what is shown: the newest are read anew',
  async (direction) => {
    const { conversation, asked } = await openInTheMiddle();
    const before = shown(conversation);
    void (direction === 'older' ? conversation.loadOlder() : conversation.loadNewer());
    await asked
      .shift()!
      .answer(direction === 'older' ? 951 : 1_601, direction === 'older' ? 1_000 : 1_650, true, 'two');
    expect(shown(conversation)).toEqual(before);
    await asked.shift()!.answer(1_501, 1_550, true, 'two');
    expect(shown(conversation)).toEqual({ first: 1_501, last: 1_550, hasNewer: false });
  },
);

test('what was asked for or heard before the database went back is not shown afterwards', async () => {
  const { conversation, asked } = open();
  conversation.enter(Chat.fromPartial({}));
  await settled();
  conversation.receive(message(11));
  conversation.reset();
  conversation.receive(message(6));
  await asked.shift()!.answer(1, 10, false);
  expect(conversation.state.value.loaded).toBe(false);
  await asked.shift()!.answer(1, 5, false, 'two');
  expect(shown(conversation)).toEqual({ first: 1, last: 6, hasNewer: false });
  expect(asked).toEqual([]);
});
