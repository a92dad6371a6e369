import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { Principal } from '../../model/principal.ts';
import { PostgresAuditRepository } from '../../repository/postgres/audit/postgres-audit-repository.ts';
import { PostgresBanRepository } from '../../repository/postgres/bans/postgres-ban-repository.ts';
import { principalOf } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { ModerationService } from './moderation-service.ts';

let storage: TestStorage;
/** Resolved by a test once this node enforces the changed bans; the answer is held back until then. */
let heard: PromiseWithResolvers<void>;
let service: ModerationService;
let toldUsers: string[];
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());
beforeEach(() => {
  heard = Promise.withResolvers();
  toldUsers = [];
  const bus = new MemoryBus();
  bus.publishMembershipChange = (userIds) => void toldUsers.push(...userIds);
  service = new ModerationService({
    ...storage,
    bans: new PostgresBanRepository(storage.database),
    audit: new PostgresAuditRepository(storage.database),
    bus,
    onBansChanged: () => heard.promise,
  });
});

const alice = principalOf('alice');
const root: Principal = { ...principalOf('root'), roles: ['admin'] };

async function newGroup(...memberIds: string[]): Promise<string> {
  return (await storage.chats.createGroup(user('alice'), 'group', memberIds)).chat.id;
}

test('a ban from the service is answered once this node enforces it, and so is its end', async () => {
  const enforcer: Principal = { ...root, userId: 'enforcer' };
  const calls = [
    () => service.banUser(enforcer, { userId: 'bob', reason: '' }),
    () => service.unbanUser(enforcer, 'bob'),
  ];
  for (const [i, call] of calls.entries()) {
    heard = Promise.withResolvers();
    let answered = false;
    const answer = call().then(() => {
      answered = true;
    });
    const acts = () => service.listAuditEvents({ actorId: 'enforcer' }, 10);
    await expect.poll(async () => (await acts()).items.length).toBe(i + 1);
    expect(answered).toBe(false);
    heard.resolve();
    await answer;
  }
});

test.each([
  ['no date at all', new Date(Number.NaN)],
  ['now', new Date()],
  ['after the year 9999', new Date(253_402_300_800_000)],
])('an end of a ban that is %s is refused by field', async (_name, expiresAt) => {
  const chatId = await newGroup();
  const refused = { reason: 'INVALID_FIELDS', violations: [{ field: 'expires_at' }] };
  await expect(service.banUser(root, { userId: 'bob', reason: '', expiresAt })).rejects.toMatchObject(refused);
  await expect(service.banMember(alice, chatId, { userId: 'bob', reason: '', expiresAt })).rejects.toMatchObject(
    refused,
  );
});

test('a ban publishes a change of membership only if it has ended one', async () => {
  const chatId = await newGroup('bob');
  await service.banMember(alice, chatId, { userId: 'stranger', reason: '' });
  expect(toldUsers).toEqual([]);
  await service.banMember(alice, chatId, { userId: 'bob', reason: '' });
  expect(toldUsers).toEqual(['bob']);
});

test('the banning user is listed with a name', async () => {
  const chatId = await newGroup();
  const moderator: Principal = { ...root, userId: 'moderator', name: 'The Moderator' };
  await service.banMember(moderator, chatId, { userId: 'bob', reason: '' });
  expect((await service.listBans(alice, chatId, 10)).items).toMatchObject([
    { bannedBy: { id: 'moderator', name: 'The Moderator' } },
  ]);
});
