import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ChatClient, guest, newId, type Transport, webSocketTransport } from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ MAX_SUBSCRIPTIONS: '1' });
});
afterAll(() => service.stop());

/** Creates a client, and counts how often it reads or checks a chat. */
function newClient() {
  const real = webSocketTransport(service.url);
  const looks: string[] = [];
  const chat: Transport['chat'] = {
    ...real.chat,
    listMessages(request, options) {
      looks.push(request.chatId ?? '');
      return real.chat.listMessages(request, options);
    },
    getChat(request, options) {
      looks.push(request.chatId ?? '');
      return real.chat.getChat(request, options);
    },
  };
  const client = new ChatClient({ transport: { ...real, chat }, token: guest(uniqueName('reader')) });
  onTestFinished(() => client.close());
  return { client, looks: (chatId: string) => looks.filter((id) => id === chatId).length };
}

async function newRoom() {
  const owner = await service.client(uniqueName('owner'));
  const { chat } = await owner.call('createChat', { type: 3, name: uniqueName('room') });
  return { owner, chatId: chat!.id, name: chat!.name };
}

test('a feed of a chat without a subscription gets messages and notices the end of the chat', async () => {
  const [one, other, third, fourth] = await Promise.all([newRoom(), newRoom(), newRoom(), newRoom()]);
  const { client, looks } = newClient();
  // The user has more chats than MAX_SUBSCRIPTIONS, also after two of them are deleted.
  for (const { name } of [one, other, third, fourth]) await client.joinRoom(name);
  await client.connect();
  const followed = newClient();
  await followed.client.joinRoom(one.name);
  await followed.client.connect();
  const told = followed.client.chat(one.chatId).messages({ afterSeq: 0 });
  const all = client.chat(one.chatId).messages({ afterSeq: 3 });
  for (let seq = 1; seq <= 3; seq += 1) expect((await told.next()).value?.seq).toBe(seq);
  const fromNowOn = client.chat(other.chatId).messages().next();
  const next = told.next();

  await one.owner.send(one.chatId, 'hello');

  expect((await all.next()).value?.text).toBe('hello');
  expect((await next).value?.text).toBe('hello');
  const waiting = told.next();
  const before = { told: followed.looks(one.chatId), all: looks(one.chatId) };
  const gone = expect(fromNowOn).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  const left = all.next();
  await eventually(() => expect(looks(one.chatId)).toBeGreaterThan(before.all + 1));
  expect(followed.looks(one.chatId)).toBe(before.told);

  for (const { owner, chatId } of [one, other]) await owner.call('deleteChat', { chatId });

  await expect(left).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  await gone;
  expect(await waiting).toEqual({ done: true, value: undefined });
});

test('a feed of a chat of which the user is not a member throws', async () => {
  const { client } = newClient();
  await client.connect();
  const messages = client.chat(newId()).messages();
  await expect(messages.next()).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
});
