// Slow: commits are given up after seconds.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newGroup, type Person, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { ReplicatedPostgres } from '../../testing/services/replicated-postgres.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const poolSize = 8;

let servers: ReplicatedPostgres;
let service: TestService;
let alice: Person;
beforeEach(async () => {
  servers = await ReplicatedPostgres.start({ synchronous: true });
  service = await startTestService({
    POSTGRES_DSN: await servers.createDatabase('chat'),
    POSTGRES_POOL_SIZE: String(poolSize),
    // Reads must end within it, also on a busy machine.
    CALL_TIMEOUT_MS: '5000',
    WRITER_GIVE_UP_MS: '4500',
  });
  alice = await signIn(service.transport(), 'alice');
});
afterEach(async () => {
  await servers.connectStandby();
  await service.stop();
  await servers.stop();
});

async function count(condition: string): Promise<number> {
  const text = `select from pg_stat_activity where application_name = 'chat-service' and ${condition}`;
  return (await servers.primary.query(text)).length;
}

test('while the synchronous standby is away changes are refused, reads go on, and the pool does not grow', async () => {
  const chats = await Promise.all(Array.from({ length: 6 }, () => newGroup(alice)));
  const read = () => Promise.all(chats.map(({ id: chatId }) => alice.chat.listMessages({ chatId })));
  servers.disconnectStandby();

  for (let round = 0; round < 3; round += 1) {
    const changes = chats.flatMap((chat) => [say(alice, chat, `${round}`), newGroup(alice)]);
    await read();
    expect(await Promise.allSettled(changes)).toEqual(
      changes.map(() => expect.objectContaining({ status: 'rejected' })),
    );
    await read();
    expect(await count('true')).toBeLessThanOrEqual(poolSize);
  }
  expect(await count(`wait_event = 'SyncRep'`)).toBeGreaterThan(0);

  await servers.connectStandby();
  await eventually(() => Promise.all(chats.flatMap((chat) => [say(alice, chat, 'again'), newGroup(alice)])));
  expect(await count(`wait_event = 'SyncRep'`)).toBe(0);
  expect(await count('true')).toBeLessThanOrEqual(poolSize);
});
