import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  ChatClient,
  type ChatClientEvents,
  guest,
  type Outbox,
  type PendingDeletion,
  type PendingEdit,
  type PendingMessage,
  type PendingReaction,
  type Tabs,
  type WebStorage,
  webSocketTransport,
  webStorageOutbox,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { newStorage } from './testing/storage.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

function newClient(name: string, outbox: Outbox, url = service.url): ChatClient {
  const client = new ChatClient({ transport: webSocketTransport(url), token: guest(name), outbox });
  onTestFinished(() => client.close());
  return client;
}

test('the next client sends an unanswered message with its type, silence and references', async () => {
  const storage = newStorage();
  const name = uniqueName('writer');
  const proxy = await startTcpProxy(service.url);
  onTestFinished(() => proxy.close());
  const first = newClient(name, webStorageOutbox(storage, name), proxy.dsn);
  await first.connect();
  const room = await first.joinRoom(uniqueName('room'));
  const { messageId } = await first.send(room.id, 'root');
  proxy.cut();
  const unsent = first.send(room.id, 'reply', { replyTo: messageId, root: messageId, type: 'note', silent: true });
  const result = Promise.allSettled([unsent]);
  await first.close();
  await result;

  const next = newClient(name, webStorageOutbox(storage, name));
  await next.connect();
  await eventually(async () =>
    expect((await next.history(room.id)).at(-1)).toMatchObject({
      text: 'reply',
      type: 'note',
      silent: true,
      replyTo: { messageId },
      rootId: messageId,
    }),
  );
});

test('an outbox returns every field of messages, edits, deletions and reactions as it was put there', () => {
  const chatId = crypto.randomUUID();
  const mentions = [{ userId: 'bob', everyone: false, offset: 0, length: 4 }];
  const message: Required<PendingMessage> = {
    ...{ chatId, text: '@bob', data: { n: 1 }, clientMessageId: 'm', type: 'note', silent: true },
    ...{ replyToId: 'r', rootId: 't', mentions },
  };
  const to = { chatId, messageId: crypto.randomUUID() };
  const edit: Required<PendingEdit> = {
    ...{ kind: 'edit', ...to, text: '@bob', data: {}, mentions, clientChangeId: 'e', ifVersion: 3 },
  };
  const deletion: Required<PendingDeletion> = {
    ...{ kind: 'delete', ...to, clientChangeId: 'd', hide: true, reason: 'why', ifVersion: 4 },
  };
  const reactions = (['react', 'unreact'] as const).map(
    (kind): Required<PendingReaction> => ({ kind, ...to, emoji: '👍', clientChangeId: kind }),
  );
  const outbox = webStorageOutbox(newStorage(), 'key');
  const all = [message, edit, deletion, ...reactions];
  for (const one of all) outbox.put(one);
  expect(outbox.load()).toEqual(all);
});

test('the next client sends unanswered messages first, with their original ids', async () => {
  const proxy = await startTcpProxy(service.url);
  onTestFinished(() => proxy.close());
  const storage = newStorage();
  const name = uniqueName('writer');
  const first = newClient(name, webStorageOutbox(storage, name), proxy.dsn);
  await first.connect();
  const room = await first.joinRoom(uniqueName('room'));
  await first.send(room.id, 'answered');
  expect(storage.items.size).toBe(0);
  proxy.cut();
  const unsent = ['one', 'two', 'three'].map((text) => first.send(room.id, text, { clientMessageId: `id-${text}` }));
  const results = Promise.allSettled(unsent);
  await first.close();
  for (const { status } of await results) expect(status).toBe('rejected');
  expect(storage.items.size).toBe(3);

  const next = newClient(name, webStorageOutbox(storage, name));
  const sent: ChatClientEvents['sent'][] = [];
  next.on('sent', (message) => sent.push(message));
  const later = next.send(room.id, 'four');
  expect(next.pendingMessages.map(({ text }) => text)).toEqual(['one', 'two', 'three', 'four']);
  await next.connect();
  await later;

  const history = await next.history(room.id);
  const written = history.filter(({ system }) => !system);
  expect(written.map(({ text }) => text)).toEqual(['answered', 'one', 'two', 'three', 'four']);
  expect(written[1]?.clientMessageId).toBe('id-one');
  expect(sent.map(({ clientMessageId, seq }) => [clientMessageId, seq]).slice(0, 3)).toEqual([
    ['id-one', 3],
    ['id-two', 4],
    ['id-three', 5],
  ]);
  expect(storage.items.size).toBe(0);
});

test('a message that was committed before its answer was lost is not sent twice', async () => {
  const storage = newStorage();
  const name = uniqueName('writer');
  const outbox = webStorageOutbox(storage, name);
  const first = newClient(name, outbox);
  await first.connect();
  const room = await first.joinRoom(uniqueName('room'));
  const { messageId } = await first.send(room.id, 'once', { clientMessageId: 'the-id' });
  await first.close();
  outbox.put({ chatId: room.id, text: 'once', clientMessageId: 'the-id' });

  const next = newClient(name, webStorageOutbox(storage, name));
  const sent: ChatClientEvents['sent'][] = [];
  next.on('sent', (message) => sent.push(message));
  await next.connect();
  await eventually(() => expect(sent).toMatchObject([{ clientMessageId: 'the-id', messageId }]));
  expect((await next.history(room.id)).filter(({ text }) => text === 'once')).toHaveLength(1);
});

test('a message that is refused permanently leaves the outbox and causes the event refused', async () => {
  const storage = newStorage();
  const name = uniqueName('writer');
  const outbox = webStorageOutbox(storage, name);
  outbox.put({ chatId: crypto.randomUUID(), text: 'to nowhere', clientMessageId: 'lost' });
  const client = newClient(name, webStorageOutbox(storage, name));
  const refused: ChatClientEvents['refused'][] = [];
  client.on('refused', (message) => refused.push(message));
  await client.connect();
  await eventually(() => expect(refused).toMatchObject([{ text: 'to nowhere', error: { reason: 'CHAT_NOT_FOUND' } }]));
  expect(storage.items.size).toBe(0);
});

test('edits, deletions and messages that were written offline survive a reload and are sent in their order', async () => {
  const proxy = await startTcpProxy(service.url);
  onTestFinished(() => proxy.close());
  const storage = newStorage();
  const name = uniqueName('writer');
  const first = newClient(name, webStorageOutbox(storage, name), proxy.dsn);
  await first.connect();
  const room = await first.joinRoom(uniqueName('room'));
  const { messageId: one } = await first.send(room.id, 'one');
  const { messageId: two, seq } = await first.send(room.id, 'two');
  proxy.cut();
  const waiting = Promise.allSettled([
    first.edit(room.id, one, 'one, edited'),
    first.send(room.id, 'three'),
    first.edit(room.id, one, 'one, edited twice', { clientChangeId: 'the-id' }),
    first.delete(room.id, two, { ifVersion: seq, reason: 'spam' }),
  ]);
  await first.close();
  await waiting;
  expect(storage.items.size).toBe(4);

  const next = newClient(name, webStorageOutbox(storage, name));
  const answers: string[] = [];
  next.on('sent', ({ text }) => answers.push(text));
  next.on('changeSent', (change) => answers.push(change.kind === 'edit' ? change.text : 'deleted'));
  const later = next.edit(room.id, one, 'one, at last');
  expect(next.pendingMessages.map(({ text }) => text)).toEqual(['three']);
  expect(next.pendingChanges).toMatchObject([
    { kind: 'edit', chatId: room.id, messageId: one, text: 'one, edited' },
    { kind: 'edit', text: 'one, edited twice', clientChangeId: 'the-id' },
    { kind: 'delete', messageId: two, ifVersion: seq, reason: 'spam', hide: false },
    { kind: 'edit', text: 'one, at last' },
  ]);
  await next.connect();
  await later;

  expect(answers.filter((text) => text.startsWith('one'))).toEqual([
    'one, edited',
    'one, edited twice',
    'one, at last',
  ]);
  expect(answers.toSorted()).toEqual(['deleted', 'one, at last', 'one, edited', 'one, edited twice', 'three']);
  const written = (await next.history(room.id)).filter(({ system }) => !system);
  expect(written.map(({ text }) => text)).toEqual(['one, at last', '', 'three']);
  expect(storage.items.size).toBe(0);
  expect(next.pendingSends).toBe(0);
});

test('a change that was committed before its answer was lost is stored once', async () => {
  const storage = newStorage();
  const name = uniqueName('writer');
  const outbox = webStorageOutbox(storage, name);
  const first = newClient(name, outbox);
  await first.connect();
  const room = await first.joinRoom(uniqueName('room'));
  const { messageId } = await first.send(room.id, 'text');
  const edit = { kind: 'edit', chatId: room.id, messageId, text: 'edited', clientChangeId: 'edit' } as const;
  const { seq } = await first.edit(room.id, messageId, edit.text, edit);
  await first.edit(room.id, messageId, 'later');
  await first.close();
  outbox.put(edit);

  const next = newClient(name, webStorageOutbox(storage, name));
  const sent: ChatClientEvents['changeSent'][] = [];
  next.on('changeSent', (change) => sent.push(change));
  await next.connect();
  await eventually(() => expect(sent).toMatchObject([{ ...edit, seq }]));
  expect((await next.history(room.id)).at(-1)).toMatchObject({ text: 'later' });
  expect(storage.items.size).toBe(0);
});

test('a change that is refused permanently leaves the outbox and causes the event changeRefused', async () => {
  const storage = newStorage();
  const name = uniqueName('writer');
  const lost = { chatId: crypto.randomUUID(), messageId: crypto.randomUUID(), clientChangeId: 'lost' };
  webStorageOutbox(storage, name).put({ kind: 'delete', hide: true, reason: '', ...lost });
  const client = newClient(name, webStorageOutbox(storage, name));
  const refused: ChatClientEvents['changeRefused'][] = [];
  client.on('changeRefused', (change) => refused.push(change));
  await client.connect();
  await eventually(() => expect(refused).toMatchObject([{ ...lost, error: { reason: 'CHAT_NOT_FOUND' } }]));
  expect(storage.items.size).toBe(0);
});

test('a message for which the outbox has no room is refused and not sent', async () => {
  const storage = newStorage({ maxItems: 1 });
  const client = newClient(uniqueName('writer'), webStorageOutbox(storage, 'outbox'));
  const kept = client.send(crypto.randomUUID(), 'kept');
  kept.catch(() => {});
  await expect(client.send(crypto.randomUUID(), 'too much')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(client.pendingMessages.map(({ text }) => text)).toEqual(['kept']);
});

describe('when another tab is closed', () => {
  /** Tabs of one browser: what one stores, the others hear of. Their locks are this process's, which each test names anew. */
  function newBrowser() {
    const storage = newStorage();
    const tabs = new Set<Parameters<Tabs['addEventListener']>[1]>();
    const openTab = (): { storage: WebStorage; window: Tabs; crash: () => void } => {
      let own: Parameters<Tabs['addEventListener']>[1] | undefined;
      const crashed = new AbortController();
      const request: NonNullable<Tabs['navigator']['locks']>['request'] = (name, { signal }, whileHeld) => {
        const end = new Promise<void>((resolve) => crashed.signal.addEventListener('abort', () => resolve()));
        return navigator.locks.request(name, { signal }, () => Promise.race([whileHeld(), end]));
      };
      return {
        storage: {
          ...storage,
          get length() {
            return storage.length;
          },
          setItem(key, newValue) {
            storage.setItem(key, newValue);
            for (const other of tabs) if (other !== own) other({ key, newValue });
          },
        },
        window: {
          navigator: { locks: { request } },
          addEventListener(_, listener) {
            own = listener;
            tabs.add(listener);
          },
          removeEventListener: (_, listener) => void tabs.delete(listener),
        },
        crash: () => crashed.abort(),
      };
    };
    return { openTab, items: storage.items };
  }

  /** A writer with two tabs open, of which the first has lost the network. */
  async function scene() {
    const proxy = await startTcpProxy(service.url);
    onTestFinished(() => proxy.close());
    const [browser, name] = [newBrowser(), uniqueName('writer')];
    const [cut, other, third] = [browser.openTab(), browser.openTab(), browser.openTab()];
    const first = newClient(name, webStorageOutbox(cut.storage, name, cut.window), proxy.dsn);
    await first.connect();
    const room = await first.joinRoom(uniqueName('room'));
    const { messageId } = await first.send(room.id, 'before');
    const left = [other, third].map((tab) => newClient(name, webStorageOutbox(tab.storage, name, tab.window)));
    for (const client of left) await client.connect();
    proxy.cut();
    const waiting = [first.send(room.id, 'one'), first.edit(room.id, messageId, 'edited'), first.send(room.id, 'two')];
    for (const one of waiting) one.catch(() => {});
    const [second] = left as [ChatClient, ChatClient];
    const written = async () => (await second.history(room.id)).flatMap(({ text, system }) => (system ? [] : [text]));
    expect(await written()).toEqual(['before']);
    const takenOver: ChatClientEvents['takenOver'][] = [];
    for (const client of left) client.on('takenOver', (content) => takenOver.push(content));
    return { browser, first, cut, written, takenOver };
  }

  test.each(['closed', 'crashed'] as const)(
    'and was %s, one of those left sends what it had not sent, in order',
    async (how) => {
      const { browser, first, cut, written, takenOver } = await scene();
      if (how === 'closed') await first.close();
      else cut.crash();
      await eventually(async () => expect(await written()).toEqual(['edited', 'one', 'two']));
      await eventually(() => expect(browser.items.size).toBe(0));
      expect(takenOver).toMatchObject([{ text: 'one' }, { kind: 'edit', text: 'edited' }, { text: 'two' }]);
    },
  );

  test('and leaves nothing, nobody sends anything', async () => {
    const browser = newBrowser();
    const name = uniqueName('writer');
    const tabs = [browser.openTab(), browser.openTab()];
    const [first, second] = tabs.map((tab) => newClient(name, webStorageOutbox(tab.storage, name, tab.window)));
    await Promise.all([first!.connect(), second!.connect()]);
    const room = await first!.joinRoom(uniqueName('room'));
    await first!.send(room.id, 'answered');
    const takenOver: unknown[] = [];
    second!.on('takenOver', (content) => takenOver.push(content));
    await first!.close();
    await second!.send(room.id, 'later');
    expect(takenOver).toEqual([]);
    expect(second!.pendingSends).toBe(0);
  });
});

test('an outbox leaves foreign items alone and ignores its unreadable ones', () => {
  const storage = newStorage();
  storage.setItem('theme', 'dark');
  storage.setItem('mine/garbled', '{');
  storage.setItem('mine/incomplete', '{"text":"hello"}');
  storage.setItem('mine/changes/c/d', '{"kind":"edit","chatId":"c","clientChangeId":"d","text":"","place":1}');
  storage.setItem('mine/changes/c/e', '{"kind":"like","chatId":"c","clientChangeId":"e","text":"","place":1}');
  storage.setItem('mine-too/a/b', '{"chatId":"a","text":"other user","clientMessageId":"b","place":1}');
  const outbox = webStorageOutbox(storage, 'mine');
  const messages = ['b', 'a'].map((clientMessageId) => ({ chatId: 'c', text: clientMessageId, clientMessageId }));
  for (const message of messages) outbox.put(message);
  expect(webStorageOutbox(storage, 'mine').load()).toEqual(messages);
  for (const message of messages) outbox.remove(message);
  expect(outbox.load()).toEqual([]);
  expect(storage.items.size).toBe(6);
});

test('an outbox reads the messages that earlier versions of the SDK have stored', () => {
  const storage = newStorage();
  storage.setItem('mine/c/b', '{"chatId":"c","text":"second","clientMessageId":"b","place":2}');
  storage.setItem('mine/c/a', '{"chatId":"c","text":"first","clientMessageId":"a","place":1}');
  const outbox = webStorageOutbox(storage, 'mine');
  const change = {
    kind: 'edit',
    chatId: 'c',
    messageId: 'm',
    text: 'third',
    clientChangeId: 'a',
    ifVersion: 7,
  } as const;
  outbox.put(change);
  const [first, second] = [
    { chatId: 'c', text: 'first', clientMessageId: 'a' },
    { chatId: 'c', text: 'second', clientMessageId: 'b' },
  ];
  expect(outbox.load()).toEqual([first, second, change]);
  outbox.remove(first!);
  expect(outbox.load()).toEqual([second, change]);
});
