import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const [_alice, _bob, _carol] = [user('alice'), user('bob'), user('carol')];

describe('the memberships of a user', () => {
  test('are listed with role and numbers, in the most recently changed chats first', async () => {
    const chatIds: string[] = [];
    for (const title of ['a', 'b', 'c'])
      chatIds.push((await storage.chats.createGroup(user('member'), title, [])).chat.id);
    await storage.messages.appendBatch([newMessage(chatIds[0]!, 'member')], ['OWNER']);
    const memberships = await storage.memberships.listOfUser('member', 2);
    expect(memberships).toEqual([
      { chatId: chatIds[0], role: 'OWNER', joinedSeq: 1, lastSeq: 2, memberCount: 1 },
      { chatId: chatIds[2], role: 'OWNER', joinedSeq: 1, lastSeq: 1, memberCount: 1 },
    ]);
  });
});
